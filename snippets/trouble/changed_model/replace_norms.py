# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms

keras.utils.set_random_seed(0)
pixels = keras.Input(shape=(8, 8, 3))
h = keras.layers.Conv2D(8, 3)(pixels)
h = keras.layers.BatchNormalization(momentum=0.9, name="bn1")(h)
base = keras.Model(pixels, keras.layers.ReLU()(h), name="base")

pixels = keras.Input(shape=(8, 8, 3))
h = keras.layers.BatchNormalization(momentum=0.9, name="bn2")(base(pixels))
h = keras.layers.GlobalAveragePooling2D()(h)
model = keras.Model(pixels, keras.layers.Dense(2)(h))

x = np.random.default_rng(0).normal(5, 3, (64, 8, 8, 3)).astype("float32")
for _ in range(60):
    model(x, training=True)


def synchronized(layer):
    return layer.__class__.from_config(
        {**layer.get_config(), "synchronized": True}
    )


def report(case, copy):
    kinds = [layer.synchronized for layer in batch_norms(copy)]
    equal = np.allclose(copy(x), model(x), atol=1e-5)
    print(f"{case:17}synchronized: {kinds}, predictions equal: {equal}")


# --8<-- [end:setup]


# --8<-- [start:see]
def clone(layer):
    if isinstance(layer, keras.layers.BatchNormalization):
        return synchronized(layer)
    return layer.__class__.from_config(layer.get_config())


report("cloned", keras.models.clone_model(model, clone_function=clone))
copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
report("recursive=True", copy)
copy.set_weights(model.get_weights())
report("with set_weights", copy)


def group(layer):
    if isinstance(layer, keras.layers.BatchNormalization):
        return keras.layers.GroupNormalization(groups=4)
    return layer.__class__.from_config(layer.get_config())


try:
    keras.models.clone_model(model, clone_function=group)
except TypeError as error:
    print("TypeError:", error)
# --8<-- [end:see]


# --8<-- [start:fix]
def replace_batch_norms(model, make):
    """Return a copy of a model with other layers for its BatchNormalization.

    Args:
        model: A Functional or Sequential model, also with such models in it.
        make: Called with each BatchNormalization; returns a new layer for it,
            which gets those of the arrays that it has a name for.

    Raises:
        ValueError: Some are in layers that cannot be cloned one by one.
    """
    pairs = []

    def clone(layer):
        if isinstance(layer, keras.layers.BatchNormalization):
            new = make(layer)
        else:
            new = layer.__class__.from_config(layer.get_config())
        pairs.append((layer, new))
        return new

    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    replaced = {id(old) for old, _ in pairs}
    left = [bn.name for bn in batch_norms(model) if id(bn) not in replaced]
    if left:
        raise ValueError(f"in wrappers or classes, not replaced: {left}")
    for old, new in pairs:
        if not isinstance(old, keras.layers.Layer):
            continue  # an operation such as x + 1
        if not isinstance(old, keras.layers.BatchNormalization):
            new.set_weights(old.get_weights())
        else:  # gamma and beta, and what else the new layer has
            for variable in new.weights:
                array = getattr(old, variable.name)
                if array is not None:  # scale=False
                    variable.assign(array)
        if isinstance(new, keras.layers.Normalization):
            new.finalize_state()  # it computes with copies of its arrays
    return copy


report("replaced", replace_batch_norms(model, synchronized))
# --8<-- [end:fix]


# --8<-- [start:other]
@keras.saving.register_keras_serializable(package="replaced")
class Grouped(keras.layers.GroupNormalization):
    """GroupNormalization that takes a mask, as BatchNormalization does."""

    def call(self, inputs, mask=None):
        return super().call(inputs)


copy = replace_batch_norms(
    model, lambda layer: Grouped(groups=4, name=layer.name)
)
print("BatchNormalization left:", len(batch_norms(copy)))
# --8<-- [end:other]

# --8<-- [start:setting]
for bn in batch_norms(model):
    bn.synchronized = True
report("set", model)
# --8<-- [end:setting]

# --8<-- [start:sure]
for old, new in zip(base.layers, copy.get_layer("base").layers, strict=True):
    names = [v.name for v in new.weights]
    equal = all(np.array_equal(getattr(old, n), getattr(new, n)) for n in names)
    if names:
        print(f"{type(new).__name__:8}{names} kept: {equal}")
print("predictions equal:", np.allclose(copy(x), model(x), atol=1e-5))
# --8<-- [end:sure]
