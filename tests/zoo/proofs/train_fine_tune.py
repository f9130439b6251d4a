"""The layer that keeps a base in inference mode."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {"train/fine_tune.py": "compile_with accuracy"}


def around(layer, member):
    """Return a functional model that calls a layer on the member's inputs."""
    x, _ = member.data()
    tokens = "masks" in member.traits

    def of_rows(array):
        return keras.Input(array.shape[1:], dtype="int32" if tokens else "float32")

    inputs = keras.tree.map_structure(of_rows, x)
    return keras.Model(inputs, layer(inputs))


def arrays_of(base, kinds):
    """Return the arrays of a base whose variables have one of some names."""
    return {
        i: keras.ops.convert_to_numpy(v).astype("float32")
        for i, v in enumerate(base.variables)
        if v.name in kinds
    }


def same(one, other):
    return all(np.array_equal(one[i], other[i]) for i in one)


STATISTICS = ("moving_mean", "moving_variance")


@proof("train/fine_tune.py:InferenceMode")
def inference_mode(recipe, member):
    x, y = member.data()
    base = member.build()
    model = around(recipe["InferenceMode"](base), member)
    compare.assert_same_predictions(base, model, x)

    # In training mode it computes what it computes in inference mode.
    first, second = (
        keras.tree.flatten(model(x, training=training)) for training in (True, False)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(
            *(keras.ops.convert_to_numpy(a).astype("float32") for a in (one, other))
        )

    # In a class, what is called after it keeps the mode of the model.
    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.base, self.drop = model.layers[-1], keras.layers.Dropout(0.9)

        def call(self, inputs, training=False):
            one = keras.tree.flatten(self.base(inputs))[0]
            return self.drop(keras.ops.ones_like(one))

    outer = Outer()
    assert np.any(keras.ops.convert_to_numpy(outer(x, training=True)) == 0)
    assert np.all(keras.ops.convert_to_numpy(outer(x, training=False)) == 1)

    # Unfrozen, all that trains has moved, and no other array. Adam, because a base with
    # random weights that does not normalize has small gradients.
    base.trainable = True
    model.compile(optimizer="adam", loss=member.loss)
    trained = [v.name for v in base.trainable_variables]
    assert len(model.trainable_variables) == len(trained)
    moving = arrays_of(base, STATISTICS)
    others = {i: v.numpy() for i, v in enumerate(base.variables) if not v.trainable}
    before = [compare._array(v) for v in base.trainable_variables]
    model.fit(x, y, batch_size=member.batch_size, verbose=0)
    assert moving and same(moving, arrays_of(base, STATISTICS))
    assert all(np.array_equal(base.variables[i].numpy(), a) for i, a in others.items())
    after = [compare._array(v) for v in base.trainable_variables]
    moved = [not np.array_equal(a, b) for a, b in zip(before, after, strict=True)]
    assert np.mean(moved) > 0.5, f"{sum(moved)} of {len(moved)} arrays moved"

    # Frozen and compiled, no array of the base moves.
    base.trainable = False
    head = keras.layers.Activation("linear", dtype="float32")
    outputs = keras.tree.map_structure(
        lambda h: keras.layers.Dense(h.shape[-1], dtype="float32")(head(h)),
        model.output,
    )
    frozen = keras.Model(model.input, outputs)
    frozen.compile(optimizer="adam", loss="mean_squared_error")
    start = compare.state(base)
    targets = keras.tree.map_structure(
        lambda h: np.zeros((len(keras.tree.flatten(x)[0]), *h.shape[1:]), "float32"),
        frozen.output,
    )
    frozen.fit(x, targets, batch_size=member.batch_size, verbose=0)
    moved = compare.changed(start, compare.state(base))
    assert not moved, moved

    # The file, and what the new process compares.
    base.trainable = True
    for layer in compare.norms_of(base):
        layer.trainable = False
    model.compile(optimizer=member.optimizer(), loss=member.loss)
    model.save("wrapped.keras")
    np.savez(
        "wrapped.npz",
        trainable=[v.trainable for v in model.variables],
        **{f"array_{i}": compare._array(v) for i, v in enumerate(model.weights)},
        **{f"out_{i}": a for i, a in enumerate(compare.predictions(model, x))},
    )


@inference_mode.in_a_new_process
def inference_mode_elsewhere(recipe, member):
    x, y = member.data()
    record = np.load("wrapped.npz")
    # The recipe's namespace registers its class when it is loaded.
    model = keras.saving.load_model("wrapped.keras")
    for i, weight in enumerate(model.weights):
        np.testing.assert_array_equal(compare._array(weight), record[f"array_{i}"])
    for i, output in enumerate(compare.predictions(model, x)):
        np.testing.assert_allclose(output, record[f"out_{i}"], rtol=1e-5, atol=1e-5)
    flags = [bool(v.trainable) for v in model.variables]
    if not member.traits & {"custom", "subclassed"}:
        # Layers inside the reader's own classes lose their flags, in any file.
        assert flags == list(record["trainable"])
    statistics = arrays_of(model, STATISTICS)
    model.fit(x, y, batch_size=member.batch_size, verbose=0)
    assert statistics and same(statistics, arrays_of(model, STATISTICS))
