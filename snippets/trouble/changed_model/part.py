# --8<-- [start:setup]
import keras
import numpy as np


def build():
    inputs = keras.Input((8,))
    h = keras.layers.Dense(8, activation="relu", name="down")(inputs)
    code = keras.layers.BatchNormalization(name="code")(h)
    h = keras.layers.Dense(8, activation="relu", name="up")(code)
    outputs = keras.layers.BatchNormalization(name="out")(h)
    return keras.Model(inputs, outputs)


def encoder_of(whole):
    return keras.Model(whole.inputs, whole.get_layer("code").output)


def decoder_of(whole):
    return keras.Model(whole.get_layer("code").output, whole.outputs)


keras.utils.set_random_seed(0)
x = np.random.default_rng(0).normal(5, 3, (256, 8)).astype("float32")
whole = build()
whole.compile("sgd", "mse")
whole.fit(x, x, epochs=5, verbose=0)
whole.save_weights("whole.weights.h5")
codes = encoder_of(whole).predict(x, verbose=0)
predicted = whole.predict(x, verbose=0)
# --8<-- [end:setup]


# --8<-- [start:see]
def report(case, encoder, decoder):
    kept = np.allclose(encoder.predict(x, verbose=0), codes, atol=1e-5)
    print(f"{case}, encoder as in the whole:", kept)
    kept = np.allclose(decoder.predict(codes, verbose=0), predicted, atol=1e-5)
    print(f"{case}, decoder as in the whole:", kept)


encoder, decoder = encoder_of(build()), decoder_of(build())
encoder.load_weights("whole.weights.h5")
decoder.load_weights("whole.weights.h5")
report("from the whole file", encoder, decoder)
down = whole.get_layer("down").get_weights()
up = decoder.get_layer("up").get_weights()
print("the decoder got the kernel of `down`:", np.array_equal(up[0], down[0]))
# --8<-- [end:see]

# --8<-- [start:fix]
new = build()
new.load_weights("whole.weights.h5")
encoder_of(new).save("encoder.keras")
decoder_of(new).save("decoder.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
encoder = keras.saving.load_model("encoder.keras")
decoder = keras.saving.load_model("decoder.keras")
report("from its own file", encoder, decoder)
# --8<-- [end:sure]

# --8<-- [start:shared]
part = encoder_of(whole)
print("trained arrays of the whole:", len(whole.trainable_variables))
part.trainable = False
print("with its encoder frozen:", len(whole.trainable_variables))
part.trainable = True
whole.fit(x + 5, x, verbose=0)
for name, model in [("taken from the whole", part), ("loaded", encoder)]:
    kept = np.allclose(model.predict(x, verbose=0), codes, atol=1e-5)
    print(f"after fit of the whole, {name}: as before {kept}")
# --8<-- [end:shared]
