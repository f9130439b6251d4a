"""Orbax and the comparison after it: equal in all, or reported as different."""

import os

import keras
import numpy as np

from tests.zoo import compare, core
from tests.zoo.core import proof

SHOWS = {
    "trouble/orbax/untrained.py": "Unit Net functional layers built_in equal",
    "trouble/orbax/other_names.py": "show renamed",
    "trouble/orbax/relative_path.py": "fit_into",
    "trouble/orbax/second_fit.py": "fit_into show",
}
# What the page does not recommend it for, beside a Sequential and layers that hold
# layers: a Normalization layer does not learn that its arrays have changed.
LOSES = {"subclassed", "normalization"}


def holds_layers(model):
    """Return whether a Sequential or a layer has layers with arrays inside."""
    return any(
        not _functional(layer)
        and any(inner.weights for inner in layer._flatten_layers(include_self=False))
        for layer in compare.layers_of(model)
    )


def _functional(layer):
    return isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential)


@proof("save/orbax_checkpoint.py:load")
def load(recipe, member):
    # As readers do: built before, the moments under mixed_float16 come back.
    model = compare.compiled(member, built=False)
    x, y = member.data()
    folder = os.path.abspath("checkpoints")
    callback = keras.callbacks.OrbaxCheckpoint(folder)
    settings = {"batch_size": member.batch_size, "verbose": 0, "shuffle": False}
    model.fit(x, y, epochs=1, callbacks=[callback], **settings)
    assert os.listdir(folder) == ["0"]
    variables = [*model.variables, *model.optimizer.variables]
    np.savez("arrays.npz", *map(compare._array, variables))
    np.savez("outputs.npz", *compare.predictions(model, x))
    rows = keras.tree.map_structure(lambda array: array[:32], x)
    recipe["write_record"]("record.npz", model, rows)


@load.in_a_new_process
def load_elsewhere(recipe, member):
    folder = os.path.abspath("checkpoints")
    try:  # the section of the page, as it is there
        names = {**recipe, "folder": folder, "print": print}
        exec(core.source("save/orbax_checkpoint.py:load"), names)
    except Exception as error:
        return f"load_model raises {type(error).__name__}: {str(error)[:80]}"
    loaded = names["reloaded"]
    found = recipe["compare"]("record.npz", loaded)
    lost = LOSES & member.traits or holds_layers(loaded)
    if member.policy == "mixed_float16":
        lost = found == ["arrays of the optimizer differ"]
    if found:
        assert lost, f"the page recommends it for this model: {found[:3]}"
        return "compare reports differences"
    variables = [*loaded.variables, *loaded.optimizer.variables]
    for file, arrays in {
        "arrays.npz": [compare._array(variable) for variable in variables],
        "outputs.npz": compare.predictions(loaded, member.data()[0]),
    }.items():
        expected = np.load(file)
        assert len(arrays) == len(expected.files), file
        for i, array in enumerate(arrays):
            np.testing.assert_array_equal(array, expected[f"arr_{i}"], file)
