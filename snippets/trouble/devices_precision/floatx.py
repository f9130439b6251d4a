# --8<-- [start:see]
import keras


def make_model():
    model = keras.Sequential(
        [keras.Input(shape=(8,)), keras.layers.BatchNormalization(name="bn")]
    )
    model.compile("adam", "mse")
    return model


def report(model):
    print("policy:", model.get_layer("bn").dtype_policy.name)
    print("moving_mean:", model.get_layer("bn").moving_mean.dtype)
    print("optimizer:", type(model.optimizer).__name__)


keras.config.set_floatx("float16")
model = make_model()
report(model)
model.save("floatx.keras")
# --8<-- [end:see]

# --8<-- [start:later]
keras.config.set_floatx("float32")
again = keras.saving.load_model("floatx.keras")
print("loaded again:", again.get_layer("bn").moving_mean.dtype)
# --8<-- [end:later]

# --8<-- [start:fix]
keras.mixed_precision.set_global_policy("mixed_float16")
model = make_model()
# --8<-- [end:fix]

# --8<-- [start:sure]
print("floatx:", keras.config.floatx())
report(model)
# --8<-- [end:sure]
