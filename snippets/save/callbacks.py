# --8<-- [start:recipe]
from pathlib import Path

import h5py
import keras
import numpy as np


class SafeRun(keras.callbacks.Callback):
    """Keep the last and the best epoch of a ``fit``; go on after the last.

    Args:
        folder: A folder of its own for each ``fit``.
        monitor: What to judge epochs by, a key of the history.
        mode: "min" if less is better, "max" if more is. For a loss: "min".
        patience: Stop after so many epochs without a better one; None: never.
    """

    def __init__(self, folder, monitor="val_loss", mode=None, patience=None):
        super().__init__()
        if mode is None and not monitor.endswith("loss"):
            raise ValueError(f"{monitor}: pass mode='min' or mode='max'")
        self.folder, self.monitor = Path(folder), monitor
        self.sign = {None: 1, "min": 1, "max": -1}[mode]
        self.next, self.patience = None, 1 if patience == 0 else patience

    def flags(self, model):
        return [bool(v.trainable) for v in model.variables]

    def seeds(self, model):
        """Return the states of Dropout and its like, which are no weights."""
        weights = {id(w) for w in model.weights}
        return [v for v in model.variables if id(v) not in weights]

    def kind(self, model):
        """Return the optimizer's class; another's arrays may fit as well."""
        optimizer = model.optimizer
        inner = getattr(optimizer, "inner_optimizer", optimizer)
        return f"{type(inner).__name__} of {len(optimizer.variables)} arrays"

    def resume(self, model):
        """Load the last epoch, if any, and return the number of the next."""
        if not model.weights:
            raise ValueError("the model has no arrays yet: call it once")
        if getattr(model, "optimizer", None) is None:
            raise ValueError("compile the model first")
        own = [model.optimizer, getattr(model.optimizer, "inner_optimizer", 0)]
        own_step = type(model).train_step is not keras.Model.train_step
        parts, seen = [model], set()
        for part in parts:  # which grows
            if isinstance(part, keras.optimizers.Optimizer) and part not in own:
                raise ValueError(f"optimizer not kept: {part.name}")
            part = vars(part) if isinstance(part, keras.layers.Layer) else part
            if isinstance(part, dict):  # Keras's step uses no inner model's
                part = [part[k] for k in part if own_step or k != "optimizer"]
            if isinstance(part, (list, tuple, set)):
                parts += [v for v in part if id(v) not in seen]
                seen |= {id(v) for v in part}
        notes = self.notes("last")
        if notes:
            self.load(model, "last")
        self.next = int(notes.get("epoch", -1)) + 1
        if notes and self.waited_for(self.next - 1):
            self.next = 10**9  # it has stopped for good: fit does nothing
        return self.next

    def waited_for(self, epoch):
        best = int(self.notes("best").get("epoch", -1))
        return self.patience is not None and epoch - best >= self.patience

    def load(self, model, name="best"):
        """Load the best epoch into a compiled model, the optimizer included."""
        notes = self.notes(name)
        if not notes:
            raise FileNotFoundError(self.path(name))
        if getattr(model, "optimizer", None) is None:
            raise ValueError("compile the model first")
        if not np.array_equal(notes["flags"], self.flags(model)):
            raise ValueError("other layers are trainable than when saved")
        if not model.optimizer.built:  # twice resets a LossScaleOptimizer
            model.optimizer.build(model.trainable_variables)
        if notes["optimizer"] != self.kind(model):
            raise ValueError(f"saved with the optimizer {notes['optimizer']}")
        model.load_weights(self.path(name))
        if model.optimizer.iterations.numpy() != notes["step"]:
            raise ValueError("the optimizer has not been loaded")
        for seed, state in zip(self.seeds(model), notes["seeds"], strict=True):
            seed.assign(state)

    def path(self, name):
        return self.folder / f"{name}.weights.h5"

    def notes(self, name):
        """Return what ``save`` noted in a file; nothing if there is none."""
        if not self.path(name).exists():
            return {}
        with h5py.File(self.path(name)) as file:
            return dict(file.attrs)

    def save(self, name, notes):
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.path("new")
        self.model.save_weights(new)
        with h5py.File(new, "a") as file:
            file.attrs.update(notes)
            names = []
            file.visit(names.append)
        names = [n for n in names if "/optimizer/" not in f"/{n}"]
        if sum("/vars/" in f"/{n}" for n in names) < len(self.model.weights):
            raise ValueError(f"{new} does not hold all arrays of the model")
        new.replace(self.path(name))  # all of the file or nothing

    def on_epoch_begin(self, epoch, logs=None):
        step = self.model.optimizer.iterations.numpy()  # 0 if compiled anew
        if epoch != self.next or step != self.notes("last").get("step", step):
            what = "compile, then pass initial_epoch=run.resume(model) to fit"
            raise ValueError(what)

    def on_epoch_end(self, epoch, logs=None):
        if self.monitor not in logs:
            raise KeyError(f"{self.monitor} is not among {list(logs)}")
        if any(np.isnan(w.numpy()).any() for w in self.model.weights):
            raise ValueError("nan in an array: this epoch is not kept")
        notes = {
            "epoch": epoch,
            "value": float(logs[self.monitor]),
            "step": int(self.model.optimizer.iterations.numpy()),
            "flags": self.flags(self.model),
            "optimizer": self.kind(self.model),
            "seeds": [seed.numpy() for seed in self.seeds(self.model)],
        }
        old = self.sign * self.notes("best").get("value", self.sign * np.inf)
        if self.sign * notes["value"] < old:  # never true of NaN
            self.save("best", notes)
        self.save("last", notes)
        self.next = epoch + 1
        if self.waited_for(epoch):
            self.model.stop_training = True


# --8<-- [end:recipe]

# --8<-- [start:setup]
rng = np.random.default_rng(0)
x, y = rng.normal(5, 3, size=(200, 8)), rng.normal(size=(200, 1))
settings = {"validation_data": (x[32:], y[32:]), "validation_batch_size": 168}


def train(folder, *others):
    keras.utils.set_random_seed(0)
    first = [keras.Input(shape=(8,)), keras.layers.Dense(64)]
    norm = keras.layers.BatchNormalization(momentum=0.5)
    model = keras.Sequential([*first, norm, keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.1), "mse", run_eagerly=True)
    run = SafeRun(folder)
    settings.update(initial_epoch=run.resume(model), callbacks=[*others, run])
    model.fit(x[:32], y[:32], 16, epochs=4, verbose=0, **settings)
    return model, run, settings["initial_epoch"]


def equal(arrays, model):
    return all(map(np.array_equal, arrays, arrays_of(model)))


def arrays_of(model):
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


# --8<-- [end:setup]

# --8<-- [start:use]
model, run, _ = train("run-1")
last = arrays_of(model)
run.load(model)  # the best epoch
best = arrays_of(model)
print("the best epoch is the last one:", equal(last, model))
# --8<-- [end:use]


# --8<-- [start:survive]
class Cut(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            self.model.layers[-1].save_own_variables = self.interrupt

    def interrupt(self, store):
        raise KeyboardInterrupt  # in the middle of the write


for Cut.epoch in [2, 3]:
    try:
        train("run-2", Cut())
    except KeyboardInterrupt:
        print("interrupted in epoch", Cut.epoch)
model, run, start = train("run-2")
print("started again in epoch", start)
print("last epoch equal:", equal(last, model))
run.load(model)
print("best epoch equal:", equal(best, model))
# --8<-- [end:survive]
