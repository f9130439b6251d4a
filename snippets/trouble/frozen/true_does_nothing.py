# --8<-- [start:setup]
import keras
from bn_tools import batch_norms


def small_base():
    inputs = keras.Input(shape=(4,))
    bn = keras.layers.BatchNormalization()
    return keras.Model(inputs, bn(inputs))


def functional():
    inputs = keras.Input(shape=(4,))
    return keras.Model(inputs, keras.layers.Dense(1)(small_base()(inputs)))


def sequential():
    inputs = keras.Input(shape=(4,))
    return keras.Sequential([inputs, small_base(), keras.layers.Dense(1)])


def saved_and_loaded(model):
    model.trainable = False
    model.save("frozen.keras")
    return keras.saving.load_model("frozen.keras")


def opened_in_part():
    model = functional()
    model.trainable = False
    batch_norms(model)[0].trainable = True
    return model


def unfrozen():
    return sum(layer.trainable for layer in batch_norms(model))


# --8<-- [end:setup]

# --8<-- [start:see]
model = saved_and_loaded(functional())
model.trainable = True
print("functional, loaded, = True:   unfrozen", unfrozen())

model = saved_and_loaded(sequential())
model.trainable = True
print("Sequential, loaded, = True:   unfrozen", unfrozen())

model = opened_in_part()
model.trainable = False
print("opened in part, = False:      unfrozen", unfrozen())
# --8<-- [end:see]

# --8<-- [start:fix]
model = saved_and_loaded(sequential())
model.trainable = False
model.trainable = True
print("Sequential, = False, = True:  unfrozen", unfrozen())

model = opened_in_part()
model.trainable = True
model.trainable = False
print("in part, = True, = False:     unfrozen", unfrozen())
# --8<-- [end:fix]

# --8<-- [start:sure]
model = saved_and_loaded(sequential())
for flag in [True, False, True]:
    model.trainable = flag
    print(f"trainable = {flag!s:5}:", len(model.trainable_variables), "arrays")
# --8<-- [end:sure]
