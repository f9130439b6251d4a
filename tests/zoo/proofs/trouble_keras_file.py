"""A file that is replaced is there at every moment: the old one or the new one."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import ROOT, proof

SHOWS = {"trouble/keras_file/save_over.py": "Interrupts build holds"}
KILLED = """
import os, sys
sys.path.insert(0, {root!r})
import keras
from tests.zoo import core
recipe = core.load("trouble/keras_file/save_over.py:save_over")
model = keras.saving.load_model("model.keras", compile=False)
layer = [each for each in model.layers if each.weights][-1]
layer.save_own_variables = lambda store: os._exit(9)  # in the middle of the write
recipe["save_over"](model, "model.keras")
"""


@proof("trouble/keras_file/save_over.py:save_over")
def save_over(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    recipe["save_over"](model, "model.keras")
    assert [path.name for path in Path().iterdir()] == ["model.keras"]
    _holds(model)
    # A name from which no model of this format can be loaded is left alone.
    Path("old.h5").write_bytes(b"old")
    with pytest.raises(ValueError, match="does not end in .keras"):
        recipe["save_over"](model, "old.h5")
    assert Path("old.h5").read_bytes() == b"old"
    before = model.get_weights()
    content = Path("model.keras").read_bytes()
    if member.name == "flat Sequential":  # one process is enough
        command = [sys.executable, "-c", KILLED.format(root=str(ROOT))]
        killed = subprocess.run(command, capture_output=True, check=False)
        assert killed.returncode == 9, killed.stderr[-500:]
        assert Path("model.keras").read_bytes() == content
    x, y = member.data()
    model.fit(x, y, batch_size=member.batch_size, verbose=0)
    assert not all(map(np.array_equal, before, model.get_weights()))
    last = [layer for layer in compare.layers_of(model) if layer._trainable_variables][
        -1
    ]
    last.save_own_variables = _interrupt
    try:
        recipe["save_over"](model, "model.keras")
    except KeyboardInterrupt:
        pass
    assert Path("model.keras").read_bytes() == content
    del last.save_own_variables
    recipe["save_over"](model, "model.keras")  # over what the last one left as well
    _holds(model)
    np.savez("expected.npz", *model.get_weights())


@save_over.in_a_new_process
def save_over_elsewhere(recipe, member):
    loaded = keras.saving.load_model("model.keras")
    saved = np.load("expected.npz")
    for i, array in enumerate(loaded.get_weights()):
        np.testing.assert_array_equal(array, saved[f"arr_{i}"])


def _holds(model):
    loaded = keras.saving.load_model("model.keras")
    for saved, array in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(saved, array)


def _interrupt(store):
    raise KeyboardInterrupt
