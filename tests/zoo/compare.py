"""What the proofs have in common: train a member, and take down all of its state."""

import keras
import numpy as np


def compiled(member, built=True, **settings):
    """Return the member's model, seeded and compiled.

    Args:
        member: A member of the zoo.
        built: Whether the optimizer gets its arrays now. The first step would give
            them to it, but TensorFlow then traces that step twice.
        settings: Further arguments of ``compile``, or others than the usual ones.
    """
    keras.utils.set_random_seed(0)
    model = member.build()
    defaults = {"optimizer": member.optimizer(), "loss": member.loss}
    model.compile(**{**defaults, **settings})
    if built:
        model.optimizer.build(model.trainable_variables)
    return model


def other(member):
    """Return a compiled model of the member's code, with other values in it."""
    model = compiled(member, built=False)
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(10 * member.data()[0])
    for weight in model.weights:
        weight.assign(keras.ops.ones_like(weight))
    return model


def trained(member, epochs=2, **settings):
    """Return the member's model after some epochs of ``fit``, and its history."""
    model = compiled(member, **settings)
    x, y = member.data()
    keras.utils.set_random_seed(1)
    history = model.fit(
        x, y, batch_size=member.batch_size, epochs=epochs, verbose=0, shuffle=False
    )
    return model, history.history


def layers_of(model):
    """Return all layers of a model, at all depths."""
    return list(model._flatten_layers())  # Keras' own list, to judge others by.


def norms_of(model):
    """Return all BatchNormalization layers, as Keras lists them."""
    kind = keras.layers.BatchNormalization
    return [layer for layer in layers_of(model) if isinstance(layer, kind)]


def state(model):
    """Return all of a model that a recipe could change without saying so.

    Returns:
        A dict of arrays and plain values: variables by position and path, flags, rates,
        momenta, epsilons, policies, and the optimizer's variables.
    """
    found = {f"{i} {v.path}": _array(v) for i, v in enumerate(model.variables)}
    names = ("trainable", "momentum", "epsilon", "rate", "stddev")
    for i, layer in enumerate(layers_of(model)):
        found |= {
            f"{i} {layer.name}.{name}": getattr(layer, name)
            for name in names
            if isinstance(getattr(layer, name, None), (bool, int, float))
        }
        found[f"{i} {layer.name}.policy"] = layer.dtype_policy.name
        found[f"{i} {layer.name}.call"] = "call" in vars(layer)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        found["optimizer"] = type(optimizer).__name__
        found |= {
            f"optimizer {i} {v.path}": _array(v)
            for i, v in enumerate(optimizer.variables)
        }
    return found


def _array(variable):
    array = keras.ops.convert_to_numpy(variable)
    return array.astype("float32") if array.dtype == "bfloat16" else array


def changed(before, after):
    """Return the keys whose values are not equal, or that only one of the two has."""
    return [
        key
        for key in dict.fromkeys([*before, *after])
        if key not in before
        or key not in after
        or not np.array_equal(before[key], after[key], equal_nan=_floating(after[key]))
    ]


def _floating(value):
    return np.asarray(value).dtype.kind == "f"


def predictions(model, x):
    """Return the outputs in inference mode as a list of arrays."""
    outputs = keras.tree.flatten(model(x, training=False))
    return [_array(output) for output in outputs]


def assert_same_predictions(one, other, x, tolerance=0.0):
    """Assert that two models give equal outputs, or outputs within a tolerance."""
    pairs = zip(predictions(one, x), predictions(other, x), strict=True)
    for first, second in pairs:
        np.testing.assert_allclose(first, second, rtol=tolerance, atol=tolerance)


def assert_same_history(one, other, tolerance=1e-5):
    """Assert that two histories have the same keys and, within rounding, values."""
    assert one.keys() == other.keys(), f"{sorted(one)} and {sorted(other)}"
    for key in one:
        np.testing.assert_allclose(
            one[key], other[key], rtol=tolerance, atol=tolerance, err_msg=key
        )
