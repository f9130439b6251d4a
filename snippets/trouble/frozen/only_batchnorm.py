# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms


def base_and_model():
    keras.utils.set_random_seed(0)
    pixels = keras.Input(shape=(8, 8, 1))
    h = keras.layers.Conv2D(4, 3, name="conv")(pixels)
    h = keras.layers.ReLU()(keras.layers.BatchNormalization(name="bn1")(h))
    h = keras.layers.Conv2D(4, 3, name="conv2")(h)
    h = keras.layers.BatchNormalization(name="bn2")(h)
    h = keras.layers.GlobalAveragePooling2D()(h)
    base = keras.Model(pixels, h, name="base")
    head = keras.layers.Dense(2, name="head")
    return base, keras.Sequential([pixels, base, head])


rng = np.random.default_rng(0)
x = rng.normal(3, 2, (64, 8, 8, 1)).astype("float32")
y = rng.integers(0, 2, 64)


def moved_by_fit(base, model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.1), loss)
    before = [v.numpy() for v in base.variables]
    model.fit(x, y, verbose=0)
    pairs = zip(before, base.variables, strict=True)
    moved = {v.name: not np.array_equal(old, v) for old, v in pairs}
    return ", ".join(name for name in moved if moved[name]) or "nothing"


# --8<-- [end:setup]

# --8<-- [start:see]
base, model = base_and_model()
base.trainable = False
print("all frozen:                 ", moved_by_fit(base, model))
for bn in batch_norms(base):
    bn.trainable = True
print("BatchNormalization opened:  ", moved_by_fit(base, model))
print("base.trainable_variables:   ", base.trainable_variables)
print("of the model, in the base:  ", len(model.trainable_variables) - 2)
# --8<-- [end:see]


# --8<-- [start:fix]
def train_only_batch_norms(base, model):
    """Freeze all of a base but its BatchNormalization layers.

    Args:
        base: A model or layer that is called in ``model``.
        model: The model that is trained. Compile it afterwards.

    Returns:
        The variables of ``model`` that are trained from now on.

    Raises:
        ValueError: The whole model is frozen, or is the base. Nothing changed.
    """
    if base is model or not model.trainable:
        raise ValueError("all of the model is frozen: call the base in another")
    norms = batch_norms(base)
    base.trainable = True  # a value that is there already does not reach layers
    base.trainable = False
    for bn in norms:
        bn.trainable = True
    return model.trainable_variables


base, model = base_and_model()
for variable in train_only_batch_norms(base, model):
    print(variable.path)
# --8<-- [end:fix]

# --8<-- [start:sure]
print("fit moves:", moved_by_fit(base, model))
model.save("opened.keras")
loaded = keras.saving.load_model("opened.keras")
of_base = [v for v in loaded.get_layer("base").variables if v.trainable]
print("trained after loading:", ", ".join(v.name for v in of_base))
base.trainable = True
print("all opened:", moved_by_fit(base, model))
# --8<-- [end:sure]
