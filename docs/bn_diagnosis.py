"""Name the likely cause when a loaded Keras model is worse than it was.

Copy this file and ``bn_tools.py`` next to your script. It needs Keras 3 and NumPy, and
leaves a model as it found it.
"""

import keras
import numpy as np
from bn_tools import _states, batch_norms, broken, compare, estimate_again


# --8<-- [start:measure]
def measure(loaded, before, after, score, good=0.9, record=None, serve=None, atol=1e-5):
    """Measure five things and name the likely cause. All variables stay.

    Args:
        loaded: The model that is worse; it has its arrays.
        before: Training rows as ``fit`` gets them: a tuple ``(inputs, targets)``, or
            batches of that in a list, a ``PyDataset`` or a ``tf.data.Dataset``, such as
            ``dataset.take(8)``.
        after: The same rows, read and prepared as your service does it.
        score: Function of the targets and the outputs of all rows, as NumPy arrays in
            the structure that the model has; returns a number, larger is better.
        good: The score from which you call the model good.
        record: What ``write_record`` wrote of the model before it was saved.
        serve: Function from inputs to outputs, if your service does something else
            than ``loaded(inputs, training=False)``.
        atol: As ``compare`` takes it; 1e-2 under a mixed policy.

    Returns:
        A dict: "cause", a text; "arrays", which of them differ from the record:
        "equal", "statistics" (no others), "some", "all", or "other" (another number of
        them); "predictions", "equal" or "differ"; both are "-" without a record. Then
        three scores: "loaded", of ``before``; "served", of ``after``; "estimated", of
        ``before`` with the statistics of its rows. "found" lists what ``compare`` says,
        and why nothing was estimated.

    Raises:
        ValueError: A dataset that never ends, or as for ``batch_norms``.
    """
    before, after = _batches(before), _batches(after)
    layers = batch_norms(loaded)
    kept = [(v, v.numpy()) for v in [*loaded.variables, *_states(loaded)]]
    found = []
    result = {"arrays": "-", "predictions": "-"}

    def infer(inputs):
        return loaded(inputs, training=False)

    def moved():
        """Undo what a call changed; return whether statistics were in it."""
        changed = [v for v, old in kept if v.numpy().tobytes() != old.tobytes()]
        for variable, array in kept:
            variable.assign(array)
        return any(v.name.startswith("moving_") for v in changed)

    try:
        result["loaded"] = _score_of(score, infer, before)
        always = moved()
        if record:
            found += compare(record, loaded, atol)
            result["arrays"] = _arrays_that_differ(found, loaded)
            differ = any(line.startswith("predictions") for line in found)
            result["predictions"] = "differ" if differ else "equal"
            moved()
        result["served"] = _score_of(score, serve or infer, after)
        modes = always, moved()
        try:
            if layers and not broken(loaded):
                batches = [(inputs,) for inputs, *_ in before]
                estimate_again(loaded, batches, layers)
        except ValueError as error:
            found.append(f"not estimated: {error}")
        result["estimated"] = _score_of(score, infer, before)
    finally:
        moved()
    means = [layer.moving_mean.numpy() for layer in layers]
    start = bool(layers) and not any(mean.any() for mean in means)
    result["cause"] = _cause(result, good, start, *modes, broken(loaded))
    return result | {"found": found}


def _cause(result, good, start, always, moved, not_finite):
    """Return the first cause that holds: the surer ones come first."""
    arrays, differ = result["arrays"], result["predictions"] == "differ"
    loaded = result["loaded"] >= good
    served = result["served"] >= good
    estimated = result["estimated"] >= good
    causes = {
        "values that are not finite": not_finite,
        "another model, or restored before it was built": arrays == "other",
        "the model runs in training mode in each call": always,
        "nothing was restored": arrays == "all" and start,
        "another run's file, or none on pretrained weights": arrays == "all",
        "one part was not restored": arrays == "some",
        "the moving statistics were lost": arrays == "statistics"
        and (start or not loaded),
        "the record has other statistics": arrays == "statistics",
        "settings or state that are no arrays": differ,
        "the service runs in training mode": moved,
        "nothing": loaded and served,
        "the inputs, the labels or the mode of the service": loaded,
        "the moving statistics were lost or never learned": estimated and start,
        "the moving statistics do not fit the weights": estimated,
        "it was bad before it was saved": arrays == "equal",
        "not the moving statistics alone: write a record": True,
    }
    return next(name for name, true in causes.items() if true)


def _arrays_that_differ(found, loaded):
    """Return in one word which arrays ``compare`` found to differ."""
    names = [line[:-8] for line in found if line.endswith(" differs")]
    if any("arrays instead of" in line for line in found):
        return "other"
    if names and all("moving_" in name.rpartition("/")[2] for name in names):
        return "statistics"
    return {0: "equal", len(loaded.weights): "all"}.get(len(names), "some")


def _score_of(score, call, batches):
    """Return the score of the outputs of all batches together."""
    pairs = [(targets, call(inputs)) for inputs, targets, *_ in batches]

    def join(*parts):
        arrays = [keras.ops.convert_to_numpy(part) for part in parts]
        return np.concatenate(arrays)

    return score(*keras.tree.map_structure(join, *pairs))


def _batches(rows):
    """Return rows as a list of batches."""
    if isinstance(rows, tuple):  # in parts, as the memory is limited
        starts = range(0, len(keras.tree.flatten(rows)[0]), 256)
        return [
            keras.tree.map_structure(lambda a, i=i: a[i : i + 256], rows)
            for i in starts
        ]
    if hasattr(rows, "cardinality") and int(rows.cardinality()) == -1:
        raise ValueError("the dataset never ends: pass dataset.take(8)")
    if hasattr(rows, "__getitem__"):
        return [rows[i] for i in range(len(rows))]
    return list(rows)


# --8<-- [end:measure]


# --8<-- [start:explain]
def explain(before, after):
    """Say what was done to the inputs of a service.

    Args:
        before: An array of a few rows, right before it enters the model in training,
            with the channels or features last. Different rows, at least two.
        after: The same rows, right before they enter the model of the service.

    Returns:
        What turns ``before`` into ``after``, such as ``"channels in the order [2 1 0],
        times [255. 255. 255.]"``: rows and columns exchanged, upside down, mirrored,
        channels first, another order, a factor and a shift per channel. "not at all" if
        they are alike, "in another way" if nothing of that explains it.

    Raises:
        ValueError: All rows of ``before`` are alike, so there is nothing to compare.
    """
    before, after = np.asarray(before), np.asarray(after)
    size = before.shape[-1]
    old = before.reshape(-1, size).astype("float64")
    if not np.ptp(old, axis=0).any():
        raise ValueError("before: all rows are alike, pass different ones")
    best = None
    for name, view in _views(after).items():
        if view.shape != before.shape:
            continue
        new = view.reshape(-1, size).astype("float64")
        for order, least in _orders(old, new):
            factor, shift, shifted = _fit(old, new[:, order])
            # The simpler ones come first; a later one has to fit clearly better.
            if best is None or np.ptp(factor) < 0.9 * np.ptp(best[2]):
                best = name, order, factor, shift, shifted, least
    if best is None:
        return "in another way: other rows, size, crop, rotation, color space"
    name, order, factor, shift, shifted, least = best
    said = [name] if name else []
    if (order != np.arange(size)).any():
        said.append(f"channels in the order {order}")
    if not np.allclose(factor, 1, atol=0.01):
        said.append(f"times {np.round(factor, 4)}")
    if shifted.any():
        said.append(f"plus {np.round(shift, 2)}")
    if least < 0.9999:
        said.append("not exactly: another resizing, compression or gamma")
    return ", ".join(said) or "not at all"


def _views(after):
    """Return the ways in which the axes of images may have been read, by name."""
    views = {"": after}
    if after.ndim == 4:
        views["rows and columns exchanged"] = after.swapaxes(1, 2)
        views["upside down"] = after[:, ::-1]
        views["mirrored"] = after[:, :, ::-1]
        views["channels first"] = np.moveaxis(after, 1, -1)
    return views


def _orders(old, new):
    """Return orders in which the new columns are like the old ones, and how much."""
    size = old.shape[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = np.nan_to_num(np.corrcoef(old.T, new.T)[:size, size:])
    own = np.arange(size)
    # Constant columns have no correlation: alike where both are constant.
    still = own[(np.ptp(old, axis=0) == 0) & (np.ptp(new, axis=0) == 0)]
    alike[still, still] = 1
    orders = [own, own[::-1], alike.argmax(axis=1)]
    found = [(order, alike[own, order].min()) for order in orders]
    return [(order, least) for order, least in found if least >= 0.99]


def _fit(old, new):
    """Return factor and shift per column, and whether the shift is worth a word."""
    flat = np.ptp(old, axis=0) == 0
    factor = np.ones(old.shape[1])
    factor[~flat] = new.std(axis=0)[~flat] / old.std(axis=0)[~flat]
    factor[flat] = np.median(factor[~flat])
    shift = new.mean(axis=0) - factor * old.mean(axis=0)
    extent = np.where(flat, np.abs(new).max(axis=0), new.std(axis=0))
    return factor, shift, np.abs(shift) > 0.1 * extent


# --8<-- [end:explain]
