# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def adapted(data):
    normalization = keras.layers.Normalization()
    normalization.adapt(data)
    model = keras.Sequential(
        [
            keras.Input(shape=(8,)),
            normalization,
            keras.layers.BatchNormalization(),
        ]
    )
    model.compile(loss="mse")
    return model


def equal(net):
    arrays = sum(map(np.array_equal, model.variables, net.variables))
    outputs = np.allclose(model(x), net(x), atol=1e-4)
    predicted = np.allclose(model(x), net.predict(x, verbose=0), atol=1e-4)
    scored = net.evaluate(x, model(x), verbose=0) < 1e-4
    return (
        f"{arrays} of 7 arrays, model(x): {outputs}, predict: {predicted}, "
        f"evaluate: {scored}"
    )


model = adapted(x)
path = tf.train.Checkpoint(model=model).save("checkpoints/net")
# --8<-- [end:setup]

# --8<-- [start:see]
loaded = adapted(x * 10)
print("before:   ", equal(loaded))
tf.train.Checkpoint(model=loaded).restore(path).assert_consumed()
print("restored: ", equal(loaded))
# --8<-- [end:see]

# --8<-- [start:fix]
for layer in loaded.layers:
    if isinstance(layer, keras.layers.Normalization):
        layer.finalize_state()
print("finalized:", equal(loaded))

loaded.predict_function = None  # traced with the old mean and variance
loaded.test_function = loaded.train_function = None
print("traced:   ", equal(loaded))
# --8<-- [end:fix]

# --8<-- [start:sure]
model.save("model.keras")
model.save_weights("model.weights.h5")
print(".keras:   ", equal(keras.saving.load_model("model.keras")))
loaded = adapted(x * 10)
loaded.load_weights("model.weights.h5")
print(".weights.h5:", equal(loaded))
# --8<-- [end:sure]
