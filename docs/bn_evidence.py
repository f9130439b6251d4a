"""Find where Keras models, their arrays, calls and inputs begin to differ.

Copy this file, ``bn_diagnosis.py`` and ``bn_tools.py`` next to your script. It needs
Keras 3 and NumPy, and leaves a model as it found it.
"""

import re
from collections import Counter

import keras
import numpy as np
from bn_diagnosis import _batches, explain
from bn_tools import _array, batch_norms, estimate_again, layers_in, names_of

SEED = "seed_generator_state"
"""Part of the path of the variables that random layers draw from."""


# --8<-- [start:first_difference]
def first_difference(model, good, x, atol=1e-5):
    """Return the first layer whose outputs differ from those in another model.

    Both models are called in inference mode, and put back. Layers in models, classes,
    lists, wrappers and plain objects are seen, as each call of a layer is noted.

    Args:
        model: A Keras model of any kind.
        good: Another one, of the same layers.
        x: Inputs that both take.
        atol: Tolerance, relative to the largest value of each output.

    Returns:
        A sentence; None if all outputs are equal.
    """
    kept = {}
    try:
        traces = calls(model, x, kept), calls(good, x, kept)
    finally:
        restore(kept)
    return difference(*traces, atol)


def calls(model, x, kept):
    """Call a model; return layer, inputs and outputs of each call of a layer in it.

    Inner layers come first. ``kept`` gets all variables, with their arrays before.
    """
    found, call = [], keras.layers.Layer.__call__

    def noting_call(layer, *args, **kwargs):
        fed = sample([args, kwargs])
        for variable in layer.variables if fed else []:  # nothing is read in a graph
            if id(variable) not in kept:
                kept[id(variable)] = variable, variable.numpy()
        outputs = call(layer, *args, **kwargs)
        found.append((layer, fed, sample(outputs)))
        return outputs

    keras.layers.Layer.__call__ = noting_call
    try:
        model(x, training=False)
    finally:
        keras.layers.Layer.__call__ = call
    return found


def calls_differ(model, x, kept, atol, right):
    """Yield cause and sentence of what two calls in inference mode show.

    Returns what ``calls`` returned of the first one, and whether the second one drew
    other numbers. That is no fault if the first one gave what is ``right``, as the
    sampling layer of a VAE does. All variables are put back.
    """
    known, runs = {id(v) for v in model.variables}, []
    for _ in range(2):
        try:
            runs.append(calls(model, x, kept))
        except Exception as error:
            text = "A call with the rows of the record fails"
            yield "no call", f"{text}: {str(error)[:300]}"
        changed = [v for v in moved(kept) if id(v) in known and SEED not in v.path]
        restore(kept, but=SEED)
    restore(kept)
    hidden = [call[0] for call in runs[1] if {id(w) for w in call[0].weights} - known]
    if hidden and any(hidden[0] is call[0] for call in runs[0]):
        text = f"{named(hidden[0])} is in no list of the model"
        yield "not tracked", f"{text}, so no file holds its arrays."
    if hidden:
        yield "made in call", f"{named(hidden[0])} is made anew in each call."
    for layer, *_ in runs[0]:
        if not type(layer).__module__.startswith("keras"):
            if names := loose_variables(
                layer, known | {id(v) for v in layer.variables}
            ):
                text = f"{named(layer)} has a variable in {names[0]}"
                yield (
                    "not tracked",
                    f"{text} that no list of the model holds, nor a file.",
                )
    if changed:  # a spectral norm also writes what it wraps
        changed.sort(key=lambda variable: variable.trainable)
        users = [c[0] for c in runs[0] if any(v is changed[0] for v in c[0].variables)]
        text = (
            f"{named(users[0])} changes {changed[0].name} in a call with training=False"
        )
        yield "training mode", f"{text}: it runs in training mode."
    text = difference(*runs, max(atol / 10, 1e-5))
    if text and not close(runs[0][-1][2], right, max(atol, 1e-4)):
        text = f"Two calls with training=False differ: {text}"
        yield "random", f"{text} (no fault if the saved model drew numbers, too)."
    return runs[0], bool(text)


def loose_variables(layer, known):
    """Return the attributes of a layer in which variables hide, at any depth."""
    found, seen = [], {}

    def look(thing, name):
        if id(thing) in seen or isinstance(thing, keras.layers.Layer):
            return
        seen[id(thing)] = thing
        own = type(thing).__module__.partition(".")[0] not in ("keras", "tensorflow")
        if hasattr(thing, "assign") and hasattr(thing, "shape"):
            found.extend([] if id(thing) in known else [name])
        elif isinstance(thing, (dict, list, tuple, set)):
            for each in thing.values() if isinstance(thing, dict) else thing:
                look(each, name)
        elif own and hasattr(thing, "__dict__") and not callable(thing):
            look(vars(thing), name)

    for name, thing in vars(layer).items():
        if name[0] != "_" and name != "optimizer":
            look(thing, name)
    return found


def difference(left, right, atol):
    """Say where two lists of ``calls`` begin to differ; None if they do not."""
    left, right = ([call for call in calls if call[2]] for calls in (left, right))
    for i, (one, two) in enumerate(zip(left, right)):
        layer, other = one[0], two[0]
        found = None
        if type(layer).__name__ != type(other).__name__:
            found = f"{named(layer)} is called in place of {named(other)}"
        elif not close(one[1], two[1], atol):
            later = [c[0] for c in left[i + 1 :] if c[0] is not layer]
            around = [outer for outer in later if id(layer) in layers_in(outer, {})]
            outer = named(around[0]) if around else "the model"
            found = f"{outer} gives other inputs to {named(layer)}"
        elif not close(one[2], two[2], atol):
            found = f"{named(layer)} is the first layer with other outputs"
        if found:
            changed = changed_settings(layer, other)
            for c, d in zip(left[:i], right):  # such as mask_zero, further up
                changed += [f"{c[0].name}: {s}" for s in changed_settings(c[0], d[0])]
            return ": ".join([found, *changed[:1]])
    if len(left) != len(right):
        return f"{len(left)} calls of layers, not {len(right)}"
    return None


def changed_settings(layer, other):
    """Return which numbers, texts and functions of a layer differ in another one."""
    kinds, found = (str, int, float, bool, tuple), []
    one, two = vars(layer), vars(other)
    for key in sorted(one.keys() & two.keys()):
        a, b = (getattr(v[key], "__name__", v[key]) for v in (one, two))
        silent = key in ("name", "momentum") or key.startswith(("_", "is_"))
        if isinstance(a, kinds) and a != b and not silent:
            found.append(f"{key} is {a}, not {b}")
    policies = layer.dtype_policy.name, other.dtype_policy.name
    if policies[0] != policies[1]:
        found.append(f"policy is {policies[0]}, not {policies[1]}")
    return found


def sample(tensors):
    """Return the arrays in a structure, of large ones the shape and some values."""
    found = []
    for tensor in keras.tree.flatten(tensors):
        try:
            array = np.asarray(keras.ops.convert_to_numpy(tensor))
            if array.size > 4096:
                some = np.random.default_rng(0).integers(array.size, size=4096)
                shape, array = np.array(array.shape, "float64"), array.ravel()[some]
                found += [shape]
            found += [array.astype("float64")] if hasattr(tensor, "shape") else []
        except Exception:  # a text, nothing, or a tensor of a graph
            continue
    return found


def close(some, others, atol):
    """Return whether arrays are equal, but for rounding."""
    return len(some) == len(others) and all(
        a.shape == b.shape
        and np.allclose(a, b, atol, atol * np.abs(b).max(initial=0), equal_nan=True)
        for a, b in zip(some, others)
    )


def named(layer):
    """Return class and name of a layer."""
    return f"{type(layer).__name__} {layer.name}"


def augments(layer):
    """Return whether a layer of Keras is in training mode unless it is told not to."""
    own = not type(layer).__module__.startswith("keras")
    return not own and True in (type(layer).call.__defaults__ or ())


def is_stale(layer):
    """Return whether a Normalization layer computes with other values than it holds."""
    if (
        not isinstance(layer, keras.layers.Normalization)
        or layer.input_mean is not None
    ):
        return False
    names = ("mean", "adapt_mean"), ("variance", "adapt_variance")
    pairs = [[sample(getattr(layer, n))[0].ravel() for n in pair] for pair in names]
    return not all(close([a], [b], 1e-2) for a, b in pairs)


def moved(kept):
    """Return the variables whose arrays are not those in ``kept``."""
    return [v for v, old in kept.values() if v.numpy().tobytes() != old.tobytes()]


def restore(kept, but="-"):
    """Put variables back, all but those with ``but`` in their path."""
    for variable in moved(kept):  # an assignment takes longer than a look
        if but not in variable.path:
            variable.assign(kept[id(variable)][1])


# --8<-- [end:first_difference]


# --8<-- [start:arrays]
def count_differs(model, names, old):
    """Say which arrays of a record are missing, and which are new."""
    new = [(n, tuple(w.shape)) for n, w in zip(names_of(model.weights), model.weights)]
    was = Counter((without_numbers(n), a.shape) for n, a in zip(names, old))
    now = Counter((without_numbers(n), shape) for n, shape in new)
    text = f"{len(new)} arrays, not {len(old)}: missing {[*(was - now)][:4]}"
    return "missing" if len(new) < len(
        old
    ) else "extra", f"{text}, extra {[*(now - was)][:4]}."


def arrays_differ(model, names, old, compared):
    """Yield cause and sentence of arrays that are not those of a record, by position.

    ``compared`` tells whether outputs differ, asked if no array is another.
    """
    new, now = [_array(w) for w in model.weights], names_of(model.weights)
    differ = [i for i, array in enumerate(new) if not np.array_equal(array, old[i])]
    if not differ:
        return
    same = Counter(a.tobytes() for a in new) == Counter(a.tobytes() for a in old)
    held = [
        (i, j)
        for i in differ
        for j in [*differ, *range(len(old))]
        if i != j
        and (same or (new[i] != new[i].flat[0]).any())
        and np.array_equal(new[i], old[j])
    ]
    along = all(now[i] in [names[j] for k, j in held if k == i] for i in differ)
    equal = same and not compared()[1]
    if same and along:
        text = "All arrays are there under their names, in another order"
        yield "order", f"{text}; the outputs {'are equal' if equal else 'differ'}."
    if held:
        i, j = held[0]
        count = f"{len({i for i, _ in held})} of {len(old)}"
        text = f"{now[i]} holds what {names[j]} held"
        text += "; the outputs are equal, within the tolerance" if equal else ""
        yield "exchanged", f"Arrays have changed places ({count}): {text}."
    layers = sorted(layers_in(model, {}).values(), key=lambda v: -len(v.weights))
    owners = {id(w): layer for layer in layers for w in layer.weights}  # the innermost
    start = [at_start(owners.get(id(w)), w) for w in model.weights]
    for i in differ:  # a tiny bias is rounded to 0
        start[i] = start[i] and not rounded(new[i], old[i])
    telling = sorted(differ, key=lambda i: not start[i])[:3]
    said = [f"{now[i]} {how_array_differs(new[i], old[i], start[i])}" for i in telling]
    said += [f"and {len(differ) - 3} more"] if len(differ) > 3 else []
    text = f"{len(differ)} of {len(old)} arrays differ: {'; '.join(said)}."
    if np.mean(start) > 0.7 and all(start[i] or i in differ for i in range(len(old))):
        yield "nothing restored", f"Nothing was restored. {text}"
    for i in differ:
        if without_numbers(now[i]) != without_numbers(names[i]):
            yield "renamed", f"{text} {names[i]} is now called {now[i]}."
    if all("/moving_" in names[i] for i in differ):
        yield "statistics", f"{text} Only moving statistics differ."
    if "in another order" in text:
        yield "reordered", text
    yield "start" if any(start[i] for i in differ) else "changed", text


def at_start(layer, weight):
    """Return whether an array is what its initializer makes."""
    made = getattr(layer, f"{weight.name}_initializer", None)
    made = made or getattr(layer, "depthwise_initializer", None)
    if made is None or not isinstance(getattr(made, "seed", 0), int):
        return not weight.numpy().any()
    return np.array_equal(made(weight.shape, dtype=weight.dtype), weight.numpy())


def how_array_differs(new, old, start):
    """Say what was done to an array; ``start``: it is what its initializer makes."""
    if new.shape != old.shape:
        return f"has the shape {new.shape}, not {old.shape}"
    if start:
        return "is at its starting value"
    a, b = new.astype("float64").ravel(), old.astype("float64").ravel()
    factor = a @ b / (b @ b) if b.any() else 0
    different = np.sum(a != b)
    if np.array_equal(np.sort(a), np.sort(b)):
        return "holds its values in another order"
    if name := rounded(new, old):
        return f"is rounded to {name}"
    if a.size > 1 and np.allclose(a, factor * b, 1e-4, 1e-6 * np.abs(b).max()):
        near = abs(factor - 1) < 1e-4
        return (
            "differs by less than 1e-4"
            if near
            else f"is {factor:.4g} times what it was"
        )
    if different <= a.size / 4:
        return f"differs in {different} of {a.size} values"
    if (
        old.dtype.kind == "f"
        and not (new.astype("float32").view("uint32") & 0xFFFF).any()
    ):
        return "is rounded to bfloat16"
    if np.ptp(a) and np.ptp(b) and np.corrcoef(a, b)[0, 1] > 0.5:
        return "is near what it was, as after other steps of one run"
    return "holds other values"


def rounded(new, old):
    """Return the type to which an array was rounded; None if it was not."""
    for name in ("float32", "float16"):
        if old.dtype.kind == "f" and np.array_equal(new, old.astype(name)):
            return name
    return None


def without_numbers(name):
    """Return the name of an array without the numbers that Keras counts."""
    return re.sub(r"_\d+(?=/|$)", "", name)


def rows_depend(file, atol):
    """Return whether the outputs of a row in a record depend on the other rows."""
    keys = [key[4:] for key in file if key.startswith("one_") and file[key].ndim]
    pairs = [(file[f"one_{key}"], file[f"all_{key}"][:1]) for key in keys]
    # Other shapes are meant: each row is compared with all others.
    return not all(close([a], [b], atol) for a, b in pairs if a.shape == b.shape)


# --8<-- [end:arrays]


# --8<-- [start:data]
def data_differ(model, x, data, metrics, skipped):
    """Yield cause and sentence of inputs, metrics and statistics that do not fit.

    What cannot be looked at is added to ``skipped``. Variables are not put back.
    """
    bare = not isinstance(data, (tuple, list)) and not hasattr(data, "cardinality")
    bare = bare and not isinstance(data, keras.utils.PyDataset)
    bare = bare or (isinstance(data, list) and hasattr(data[0], "shape"))
    batches = _batches((data,) if bare else data)
    batches = [b if isinstance(b, tuple) else (b,) for b in batches]
    shapes = [[np.shape(a)[1:] for a in keras.tree.flatten(b)] for b in batches]
    even = [b for b, each in zip(batches, shapes) if each == shapes[0]]

    def join(*parts):
        return np.concatenate([np.asarray(part) for part in parts])

    columns = [keras.tree.map_structure(join, *parts) for parts in zip(*even)]
    names = sorted(x) if isinstance(x, dict) else []
    rows = [keras.tree.flatten(each) for each in (x, columns[0])]
    specs = [tuple(t.shape) for t in getattr(model, "inputs", None) or ()]
    for i, (before, after) in enumerate(zip(*rows)):
        others = [old for old in rows[0] if old is not before]
        if any(np.array_equal(old, after[: len(old)]) for old in others):
            yield "inputs", "Two inputs have changed places."
        spec = specs[i] if len(specs) == len(rows[0]) else None
        where = f" of {names[i]}" if names else ""
        if said := how_inputs_differ(before, after, spec):
            yield "inputs", f"Inputs{where} are not as recorded: {said}."
        if not same_rows(before, after):
            text = "the data does not begin with the rows of the record"
            skipped.append(f"inputs{where} row by row ({text})")
    compiled = getattr(model, "optimizer", None) is not None
    if metrics and compiled and len(columns) > 1 and len(even) == len(batches):
        before = [(v, v.numpy()) for v in model.non_trainable_variables]
        names = dict(zip(("x", "y", "sample_weight"), columns))
        now = model.evaluate(**names, verbose=0, return_dict=True)
        for v, array in before:
            if v.name.startswith("moving_") and (v.numpy() != array).any():
                yield "training mode", f"evaluate changes {v.path}: see its test_step."
        for name, value in metrics.items():
            if not np.isclose(now.get(name, np.nan), value, 1e-3, 1e-3):
                text = f"{name} is {now.get(name, 'not there')}, not {value}"
                yield "metrics", f"Outputs are as recorded, metrics are not: {text}."
    else:
        skipped.append("metrics (needs targets, a compiled model, and their values)")
    try:
        if len(keras.tree.flatten(columns[0])[0]) < 16:
            raise ValueError("fewer than 16 rows")
        if text := misfit(batch_norms(model), batches, model):
            text = f"the moving statistics do not fit the data: {text}"
            yield "unconverged", f"The reload is as recorded, but {text}."
    except ValueError as error:
        skipped.append(f"whether the statistics fit ({error})")


def same_rows(before, after):
    """Return whether rows begin as earlier ones did, or are the first of them."""
    rows = min(len(before), len(after))
    old, new = before[:rows], after[:rows]
    if old.shape != new.shape or old.dtype.kind not in "iuf":
        return old.shape == new.shape and np.array_equal(old, new)
    return np.allclose(old, new, 1e-3, 1e-3 * np.abs(old).max(initial=0))


def how_inputs_differ(before, after, spec=None):
    """Say how rows differ from earlier ones, which may be other rows; or None.

    ``spec`` is the shape of the model's input, with None where the size is free; of a
    model that tells none, the length of sequences is taken to be free.
    """
    if before.dtype.kind not in "iuf" or after.dtype.kind not in "iuf":
        return None
    integers = before.ndim < 2 or (before.dtype.kind != "f" and before.ndim < 3)
    if spec is None:
        ends = () if integers else before.shape[2:]
        spec = before.shape if before.ndim > 3 else (None, None, *ends)
    sizes = list(zip(spec, before.shape, after.shape))[1:]
    fits = before.ndim == after.ndim and all(f is None or a == b for f, a, b in sizes)
    if before.shape[1:] != after.shape[1:] and not fits:
        return f"rows have the shape {after.shape[1:]}, not {before.shape[1:]}"
    rows = min(len(before), len(after))
    first, now = before[:rows].astype("float64"), after[:rows].astype("float64")
    alike = first.shape == now.shape
    size = 1 if integers else before.shape[-1]
    old, new = (a.reshape(-1, size).astype("float64") for a in (before, after))
    if not np.ptp(old, axis=0).any():
        return None
    if alike and integers and (now != first).any() and not np.ptp(now - first):
        return f"each number is {(now - first).flat[0]:+g}"
    if alike and not integers and np.ptp(first.reshape(-1, size), axis=0).any():
        said = explain(first, now)
        if said == "not at all":
            return None
        # Windows of one series are almost alike, too; of images, it is a resizing.
        if "another way" not in said and ("exactly" not in said or before.ndim == 4):
            return said
    if alike and first.ndim in (2, 3) and np.array_equal(first, now[:, ::-1]):
        return None if np.array_equal(first, now) else "reversed along axis 1"
    mean, deviation = old.mean(axis=0), old.std(axis=0)
    off, ratio = new.mean(axis=0) - mean, new.std(axis=0)
    total = np.sqrt((ratio**2).sum() / (deviation**2).sum())
    off, ratio = off[deviation > 0], (ratio / np.where(deviation, deviation, np.inf))
    ratio = np.median(ratio[deviation > 0])
    off = np.median(np.abs(off) / deviation[deviation > 0])
    # Of sparse columns the median is 0 in other rows: all of them have to say so.
    wide = min(ratio, total) > 3 or max(ratio, total) < 1 / 3
    if off > (2 if rows > 7 else 5) or (wide and rows > 7):
        return f"mean {off:.2g} deviations off, deviation {ratio:.2g} times"
    turned = np.abs(new.mean(axis=0)[::-1] - mean).max()
    straight = np.abs(new.mean(axis=0) - mean).max()
    images = size == 3 and before.ndim > 2
    if images and straight > max(0.3 * deviation.max(), 3 * turned):
        return "the means of the channels are in reverse order, as in BGR"
    return None


def unmoved(layers):
    """Return the layers whose statistics are still 0 and 1."""
    found = []
    for layer in layers:
        mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
        if not mean.any() and (variance == 1).all():
            found.append(layer)
    return found


def misfit(layers, batches, model):
    """Say of the first layer whose statistics are not those of the data; or None."""
    statistics = [(layer.moving_mean, layer.moving_variance) for layer in layers]
    before = [[v.numpy().astype("float64") for v in pair] for pair in statistics]
    done = estimate_again(model, batches)
    for layer, pair, (mean, variance) in zip(layers, statistics, before):
        new_mean, new_variance = (v.numpy().astype("float64") for v in pair)
        if layer.moving_mean.path.rpartition("/")[0] not in done:
            continue
        off = np.median(np.abs(mean - new_mean) / np.sqrt(new_variance + 1e-6))
        ratio = np.median((variance + 1e-6) / (new_variance + 1e-6))
        # How far they came from 0 and 1: unconverged, if that explains what they are.
        way, goal = np.append(mean, variance - 1), np.append(new_mean, new_variance - 1)
        share = way @ goal / max(goal @ goal, 1e-9)
        like = np.abs(way - share * goal).max() < 0.1 * np.abs(goal).max()
        if like and share < 0.7:
            return f"{named(layer)} has them {share:.0%} of the way from 0 and 1"
        if off > 1.5 or not 1 / 5 < ratio < 5:
            text = f"has {ratio:.2g} times the variance of the data"
            return f"{named(layer)} {text}, and a mean {off:.2g} deviations off"
    return None


# --8<-- [end:data]
