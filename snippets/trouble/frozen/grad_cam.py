# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

inputs = keras.Input(shape=(8, 8, 1))
h = keras.layers.Conv2D(4, 3, name="conv")(inputs)
h = keras.layers.BatchNormalization()(h)
h = keras.layers.Dropout(0.5)(keras.layers.ReLU()(h))
h = keras.layers.GlobalAveragePooling2D()(h)
base = keras.Model(inputs, h, name="base")
head = keras.layers.Dense(2, activation="softmax")
images = np.random.default_rng(0).normal(5, 3, (16, 8, 8, 1))
# --8<-- [end:setup]

# --8<-- [start:see]
inputs = keras.Input(shape=(8, 8, 1))
model = keras.Model(inputs, head(base(inputs)))
try:
    model.get_layer("conv")
except ValueError as error:
    print("ValueError:", str(error).partition(".")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
flat = keras.Model(base.input, head(base.output))
conv = flat.get_layer("conv")
both = keras.Model(flat.input, [conv.output, flat.output])
with tf.GradientTape() as tape:
    maps, scores = both(images[:1], training=False)
    score = scores[:, 1]
print("gradient of the maps:", tape.gradient(score, maps).shape)
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = flat.predict(images[:1], verbose=0)
for training in [False, True]:
    _, scores = both(images[:1], training=training)
    same = np.allclose(scores, expected, atol=1e-5)
    print(f"training={training}: scores as predict has them: {same}")
# --8<-- [end:sure]
