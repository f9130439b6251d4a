# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")


def build():
    norm = keras.layers.BatchNormalization(momentum=0.5, name="bn")
    return keras.Sequential([keras.Input(shape=(4,)), norm])


# --8<-- [end:setup]

# --8<-- [start:see]
model = build()
jax.jit(lambda x: model(x, training=True))(x)
try:
    model.save("traced.keras")
except jax.errors.TracerArrayConversionError as error:
    print(f"{type(error).__name__}:", str(error).partition("\n")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
model = build()


@jax.jit
def forward(trainable, non_trainable, x):
    return model.stateless_call(trainable, non_trainable, x, training=True)


trainable = [v.value for v in model.trainable_variables]
non_trainable = [v.value for v in model.non_trainable_variables]
_, non_trainable = forward(trainable, non_trainable, x)
for variable, array in zip(model.non_trainable_variables, non_trainable):
    variable.assign(array)
# --8<-- [end:fix]

# --8<-- [start:sure]
model.save("net.keras")
loaded = keras.saving.load_model("net.keras")

called = build()
called(x, training=True)  # outside jax.jit
for one, other in zip(loaded.weights, called.weights, strict=True):
    np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4)
print("saved, with the statistics of a call")
# --8<-- [end:sure]
