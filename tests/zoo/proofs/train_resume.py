"""A run that is stopped after an epoch and goes on with the same rows and masks."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import NotFor, load, proof

SHOWS = {"train/resume.py": "PowerCut data next_epoch run state same build train"}
EPOCHS = 4


def rows_of(recipe, member, start=0):
    x, y = member.data()
    return recipe["Rows"](x, y, batch_size=member.batch_size, start=start)


def go(recipe, member, folder, stop, *callbacks):
    """Train with ``SafeRun`` and ``Rows`` up to an epoch, from where the folder is."""
    model = compare.compiled(member, built=False)
    safe = load("save/callbacks.py:SafeRun")["SafeRun"](folder, monitor="loss")
    start = safe.resume(model)
    if callbacks:
        lose_masks(model)
    history = model.fit(
        rows_of(recipe, member, start),
        initial_epoch=start,
        epochs=stop,
        shuffle=False,
        callbacks=[*callbacks, safe],
        verbose=0,
    )
    # By position: a path in an optimizer depends on where it was built.
    by_position = {
        " ".join(key.split()[:2]) if key.startswith("optimizer ") else key: value
        for key, value in compare.state(model).items()
    }
    return by_position, history.history


def lose_masks(model):
    """Set the masks back, as a file does that holds weights only."""
    for variable in model.variables:
        if variable.name == "seed_generator_state":
            variable.assign([1, 0])


def refused(recipe, member):
    """Return the message for data that is no array, where the member has such."""
    if not {"dict", "outputs"} & member.traits:
        return None
    try:
        rows_of(recipe, member)
    except ValueError as error:
        assert "rows in x" in str(error)
        return str(error)
    raise AssertionError("accepted a dict")


@proof("train/resume.py:Rows")
def rows(recipe, member):
    tf.config.experimental.enable_op_determinism()
    if message := refused(recipe, member):
        return message
    x, y = member.data()
    sequence = rows_of(recipe, member)
    epochs = []
    for _ in range(2):
        batches = [sequence[i] for i in range(len(sequence))]
        assert {len(a) for a, _ in batches[:-1]} == {member.batch_size}
        epochs.append([np.concatenate(part) for part in zip(*batches, strict=True)])
        sequence.on_epoch_end()
    for a, b in epochs:  # each row once, with its own target
        flat = [np.sort(part.reshape(len(part), -1), axis=0) for part in (a, x)]
        np.testing.assert_array_equal(*flat)
        targets = {row.tobytes(): target for row, target in zip(x, y, strict=True)}
        for row, target in zip(a, b, strict=True):
            np.testing.assert_array_equal(targets[row.tobytes()], target)
    assert not np.array_equal(epochs[0][0], epochs[1][0])
    # Rows of anything go by position, as those of a list; pandas would go by label.
    listed = recipe["Rows"](list(x), list(y), batch_size=member.batch_size)
    for a, b in zip(listed[0], rows_of(recipe, member)[0], strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="have to be arrays"):
        recipe["Rows"]({"x": x}, {"y": y})
    later = rows_of(recipe, member, start=1)
    np.testing.assert_array_equal(later[0][0], epochs[1][0][: member.batch_size])

    whole, history = go(recipe, member, "whole", EPOCHS)
    go(recipe, member, "half", 2)
    np.savez("whole.npz", **whole)
    Path("history.json").write_text(json.dumps(history["loss"]))


@rows.in_a_new_process
def rows_elsewhere(recipe, member):
    tf.config.experimental.enable_op_determinism()
    if refused(recipe, member):
        return
    found, history = go(recipe, member, "half", EPOCHS)
    changed = compare.changed(dict(np.load("whole.npz")), found)
    assert not changed, changed[:4]
    assert history["loss"] == json.loads(Path("history.json").read_text())[2:]


@proof("train/resume.py:MasksFromEpoch")
def masks(recipe, member):
    tf.config.experimental.enable_op_determinism()
    if message := refused(recipe, member):
        raise NotFor(message)
    callback = recipe["MasksFromEpoch"]
    whole, _ = go(recipe, member, "whole", EPOCHS, callback())
    go(recipe, member, "half", 2, callback())
    np.savez("whole.npz", **whole)


@masks.in_a_new_process
def masks_elsewhere(recipe, member):
    tf.config.experimental.enable_op_determinism()
    found, _ = go(recipe, member, "half", EPOCHS, recipe["MasksFromEpoch"]())
    changed = compare.changed(dict(np.load("whole.npz")), found)
    assert not changed, changed[:4]
