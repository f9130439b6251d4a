"""A run that is stopped, and goes on as if it had not been."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import ROOT, proof

SHOWS = {"save/callbacks.py": "train equal arrays_of Cut"}
EPOCHS = 3
KILLED = """
import os, sys
sys.path.insert(0, {root!r})
import keras, tensorflow as tf
from tests.zoo import compare, core, members
from tests.zoo.proofs import save_callbacks
tf.config.experimental.enable_op_determinism()
recipe = core.load("save/callbacks.py:SafeRun")
def end(*arguments):
    os._exit(9)  # in the middle of the write
class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.model.layers[-1].save_own_variables = end
save_callbacks.run(recipe, members.MEMBERS[{name!r}], "killed", Cut())
"""


class Stops(keras.callbacks.Callback):
    """End the run in an epoch: at its start, or with half of a file written."""

    def __init__(self, epoch, writing):
        super().__init__()
        self.epoch, self.writing = epoch, writing

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch and not self.writing:
            raise KeyboardInterrupt
        if epoch == self.epoch:
            self.save = self.model.save_weights
            self.model.save_weights = self.half

    def half(self, path):
        self.save(path)
        os.truncate(path, os.path.getsize(path) // 2)
        raise KeyboardInterrupt


def run(recipe, member, folder, *callbacks, epochs=EPOCHS, model=None, **settings):
    """Train with the recipe, from where the folder is; a smaller last batch."""
    model = model or compare.compiled(member, built=False)
    each = recipe["SafeRun"](folder, monitor="loss", **settings)
    x, y = member.data()
    history = model.fit(
        x,
        y,
        batch_size=member.batch_size,
        epochs=epochs,
        initial_epoch=each.resume(model),
        callbacks=[each, *callbacks],
        shuffle=False,
        verbose=0,
    )
    return model, each, history


def arrays_of(model):
    """Return all arrays of a model and its optimizer."""
    variables = [*model.variables, *model.optimizer.variables]
    return [compare._array(variable) for variable in variables]


def back_to(model, start):
    """Give a model the arrays of its start again: no need to build another one."""
    variables = [*model.variables, *model.optimizer.variables]
    for variable, array in zip(variables, start, strict=True):
        variable.assign(array)


def assert_equal(one, other):
    """Assert that two lists of arrays are equal."""
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@proof("save/callbacks.py:SafeRun")
def safe_run(recipe, member):
    tf.config.experimental.enable_op_determinism()
    # It changes nothing: the same as fit without it.
    model = compare.compiled(member)
    x, y = member.data()
    start, keep = arrays_of(model), []
    spy = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: keep.append(arrays_of(model))
    )
    history = model.fit(
        x, y, member.batch_size, EPOCHS, 0, callbacks=[spy], shuffle=False
    )
    np.savez("outputs.npz", *compare.predictions(model, x))
    back_to(model, start)
    _, each, watched = run(recipe, member, "whole", model=model)
    compare.assert_same_history(history.history, watched.history, 0)
    assert_equal(keep[-1], arrays_of(model))
    assert sorted(os.listdir("whole")) == ["best.weights.h5", "last.weights.h5"]
    best = int(np.argmin(history.history["loss"]))
    each.load(model)
    assert_equal(keep[best], arrays_of(model))
    for name, epoch in {"best": best, "last": EPOCHS - 1}.items():
        notes = each.notes(name)
        assert notes["epoch"] == epoch
        assert notes["value"] == watched.history["loss"][epoch]

    # Stopped in epoch 1, in one of both ways, to go on in a new process.
    for folder, writing in [("between", False), ("writing", True)]:
        back_to(model, start)
        try:
            run(recipe, member, folder, Stops(1, writing), model=model)
        except KeyboardInterrupt:
            vars(model).pop("save_weights", None)
        else:
            raise AssertionError("not stopped")
    if member.name == "flat Sequential":  # one process is enough
        code = KILLED.format(root=str(ROOT), name="sequential")
        killed = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=False
        )
        assert killed.returncode == 9, killed.stderr[-500:]
    np.savez("last.npz", *keep[-1])
    np.savez("best.npz", *keep[best])
    Path("history.json").write_text(json.dumps(history.history))
    refuses(recipe, member, model)


def refuses(recipe, member, model):
    """Assert what is refused, and that nothing of the files has changed."""
    files = {path: path.read_bytes() for path in Path("whole").iterdir()}
    x, y = member.data()

    def misspelled():
        each = recipe["SafeRun"]("misspelled", monitor="lost_loss")
        model.fit(x, y, verbose=0, initial_epoch=each.resume(model), callbacks=[each])

    def from_the_start():
        model.fit(x, y, verbose=0, callbacks=[recipe["SafeRun"]("whole", "loss")])

    def compiled_after():
        model.compile(optimizer=member.optimizer(), loss=member.loss)
        each = recipe["SafeRun"]("whole", "loss")
        start = each.resume(model)
        model.compile(optimizer=member.optimizer(), loss=member.loss)
        model.fit(
            x, y, verbose=0, initial_epoch=start, epochs=start + 1, callbacks=[each]
        )

    def no_direction():
        recipe["SafeRun"]("whole", "accuracy")

    def resume_unchanged():
        before = [compare._array(v) for v in model.variables]
        try:
            recipe["SafeRun"]("whole", "loss").resume(model)
        finally:
            assert_equal(before, [compare._array(v) for v in model.variables])

    def frozen():
        layer = learning[-1]
        layer.trainable = not layer.trainable
        try:
            resume_unchanged()
        finally:
            layer.trainable = not layer.trainable

    def other_optimizer():
        model.compile(optimizer="sgd", loss=member.loss)
        resume_unchanged()

    def other_kind():
        # As many arrays, of the same shapes, as the member's own optimizer has.
        adam = isinstance(member.optimizer(), keras.optimizers.Adam)
        kind = keras.optimizers.Adamax if adam else keras.optimizers.RMSprop
        model.compile(optimizer=kind(), loss=member.loss)
        resume_unchanged()

    def further_optimizers():
        model.second = [{"further": (keras.optimizers.SGD(),)}]
        try:
            resume_unchanged()
        finally:
            del model.second

    def broken():
        variable = model.trainable_variables[0]
        array = variable.numpy()
        variable.assign(array * np.nan)
        each = recipe["SafeRun"]("whole", "loss")
        each.set_model(model)
        try:
            each.on_epoch_end(EPOCHS, {"loss": -1e9})
        finally:
            variable.assign(array)

    cases = [
        (broken, ValueError, "nan in .*: this epoch is not kept"),
        (further_optimizers, ValueError, "optimizer not kept: sgd"),
        (from_the_start, ValueError, "initial_epoch"),
        (misspelled, KeyError, "lost_loss is not among"),
        (compiled_after, ValueError, "initial_epoch"),
        (no_direction, ValueError, "accuracy: pass mode="),
    ]
    # Without gamma and beta, a frozen layer is nothing that arrays tell.
    learning = [
        layer
        for layer in compare.norms_of(model)
        if any(variable.trainable for variable in layer.weights)
    ]
    if learning:
        cases.append((frozen, ValueError, "trainable"))
    cases.append((other_optimizer, ValueError, "optimizer"))
    cases.append((other_kind, ValueError, "saved with the optimizer"))
    for attempt, kind, words in cases:
        with pytest.raises(kind, match=words):
            attempt()
    assert files == {path: path.read_bytes() for path in Path("whole").iterdir()}
    if member.name == "flat Sequential":
        compiled_parts(recipe)


def compiled_parts(recipe):
    """Assert what happens to a model in a model that has an optimizer of its own."""
    each = recipe["SafeRun"]("parts", "loss")
    part = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    whole = keras.Sequential([keras.Input((2,)), part])
    with pytest.raises(ValueError, match="compile the model first"):
        each.resume(whole)
    part.compile("adam", "mse")
    part.optimizer.build(part.trainable_variables)
    whole.compile("sgd", "mse")
    assert each.resume(whole) == 0  # fit does not use it
    part.layers[0].enable_lora(1)
    each.set_model(whole)
    with pytest.raises(ValueError, match="does not hold all arrays"):
        each.on_epoch_end(0, {"loss": 0.0})

    class OwnStep(keras.Sequential):
        def train_step(self, data):
            return super().train_step(data)

    own = OwnStep([keras.Input((2,)), part])
    own.compile("sgd", "mse")
    with pytest.raises(ValueError, match="optimizer not kept: adam"):
        each.resume(own)


@safe_run.in_a_new_process
def safe_run_elsewhere(recipe, member):
    tf.config.experimental.enable_op_determinism()
    expected = {
        name: [file[f"arr_{i}"] for i in range(len(file.files))]
        for name in ("last", "best", "outputs")
        for file in [np.load(f"{name}.npz")]
    }
    losses = json.loads(Path("history.json").read_text())["loss"]
    folders = [name for name in ("between", "writing", "killed") if Path(name).exists()]
    starts = {"between": 1, "writing": 1, "killed": 1}
    model = None
    for folder in folders:
        if folder == folders[0]:
            model = compare.compiled(member, built=False)
        model, each, history = run(recipe, member, folder, model=model)
        assert history.epoch == list(range(starts[folder], EPOCHS)), history.epoch
        np.testing.assert_array_equal(history.history["loss"], losses[1:])
        assert_equal(expected["last"], arrays_of(model))
        outputs = compare.predictions(model, member.data()[0])
        assert_equal(expected["outputs"], outputs)
        each.load(model)
        assert_equal(expected["best"], arrays_of(model))

    # Started again, a run that is over loads its last epoch, and trains nothing.
    model, _, history = run(recipe, member, "between", model=model)
    assert history.epoch == []
    assert_equal(expected["last"], arrays_of(model))

    # Patience, as EarlyStopping has it; and a stopped run stays stopped.
    each = recipe["SafeRun"]("patient", monitor="loss", mode="max", patience=2)
    each.set_model(model)
    for epoch, value in enumerate([1.0, 3.0, float("nan"), 2.0]):
        each.next, model.stop_training = epoch, False
        each.on_epoch_end(epoch, {"loss": value})
        assert model.stop_training == (epoch == 3), epoch
    assert each.notes("best")["epoch"] == 1
    settings = {"mode": "max", "patience": 2, "epochs": 9, "model": model}
    _, _, history = run(recipe, member, "patient", **settings)
    assert history.epoch == []
