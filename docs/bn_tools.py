"""Check, repair and compare Keras models with BatchNormalization layers.

Copy this file next to your script. It needs Keras 3 and NumPy, and leaves a model as it
found it, but for what a function says that it changes.
"""

import inspect
import itertools
import json
import os
import re
import zlib
from collections import Counter

import keras
import numpy as np

STATISTICS = ("moving_mean", "moving_variance")


# --8<-- [start:batch_norms]
def layers_in(thing, found):
    """Add to ``found``, by id, each layer in a layer's attributes, at any depth."""
    if isinstance(thing, keras.layers.Layer):
        if id(thing) not in found:
            found[id(thing)] = thing
            layers_in(vars(thing), found)
    elif isinstance(thing, dict):
        layers_in(list(thing.values()), found)
    elif isinstance(thing, (list, tuple, set)):
        for each in thing:
            layers_in(each, found)
    return found


def of_this_keras(model):
    """Raise a TypeError if this is no layer: nothing would be found in it."""
    if not isinstance(model, keras.layers.Layer):
        kind = f"{type(model).__module__}.{type(model).__name__}"
        raise TypeError(f"{kind}: not a model or layer of Keras {keras.__version__}")


def batch_norms(model):
    """Return all BatchNormalization layers of a model, in the order of its weights.

    Models in models, wrappers, cells and layers in (nested) lists and dicts included.

    Args:
        model: A Keras model or layer that has its arrays.

    Raises:
        TypeError: Not a layer of this Keras, but of ``tf_keras``, for example.
        ValueError: A layer has no arrays yet, or moving statistics of the model belong
            to a layer that was not found.
    """
    of_this_keras(model)
    layers = [
        layer
        for layer in layers_in(model, {}).values()
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    unbuilt = [layer.name for layer in layers if layer.moving_mean is None]
    if unbuilt or not model.weights:
        what = ", ".join(unbuilt) or model.name
        raise ValueError(
            f"{what}: no arrays yet. Call the model once; remove layers it never calls"
        )
    owners = {id(getattr(layer, name)) for layer in layers for name in STATISTICS}
    statistics = [v for v in model.variables if v.name in STATISTICS]
    lost = [v.path for v in statistics if id(v) not in owners]
    if lost:
        raise ValueError(f"statistics of layers that were not found: {lost}")
    order = {id(v): i for i, v in enumerate(statistics)}
    # A layer that Keras does not track has no arrays in the model, nor in a file.
    untracked = [layer.name for layer in layers if id(layer.moving_mean) not in order]
    if untracked:
        raise ValueError(f"layers that the model does not track: {untracked}")
    return sorted(layers, key=lambda layer: order[id(layer.moving_mean)])


# --8<-- [end:batch_norms]


# --8<-- [start:names_of]
def names_of(variables):
    """Return the name of each array and its layer, such as ``bn/moving_mean``."""
    return ["/".join(variable.path.split("/")[-2:]) for variable in variables]


def same_names(old, new):
    """Return whether the paths of two models' arrays are those of the same code.

    Compared from the end, as the same code may give a layer fewer outer scopes. The
    name of an array and that of its layer have to be equal; a scope that both models
    have, such as a model in the model, has to be in the same places. The second model
    of a process has ``dense_1`` where the first has ``dense``, so a number at the end
    of a name counts only where both have the same ones.

    Args:
        old: The paths, such as ``"tower/bn/moving_mean"``, in order.
        new: Those of the other model.
    """
    if len(old) != len(new):
        return False
    scopes = [[path.split("/")[::-1] for path in paths] for paths in (old, new)]
    levels = [itertools.zip_longest(*each, fillvalue="") for each in scopes]
    groups = [re.sub(r"_\d+(?=/)", "", path) for path in old]
    nothing = [""] * len(old)
    for level, (was, now) in enumerate(
        itertools.zip_longest(*levels, fillvalue=nothing)
    ):
        stems = [[re.sub(r"_\d+$", "", name) for name in names] for names in (was, now)]
        if level == 0 and was != now or level == 1 and stems[0] != stems[1]:
            return False
        moved = {pair for pair in zip(*stems, strict=True) if pair[0] != pair[1]}
        if any(a and a in stems[1] or b and b in stems[0] for a, b in moved):
            return False
        numbered = {}
        for group, *pair in zip(groups, was, now, strict=True):
            numbered.setdefault(group, []).append(pair)
        for pairs in numbered.values():
            one, other = zip(*pairs, strict=True)
            if one != other and sorted(one) == sorted(other):
                return False
    return True


# --8<-- [end:names_of]


# --8<-- [start:estimate_again]
def estimate_again(model, batches, layers=None):
    """Replace the moving statistics by those of ``batches``.

    Only the layers that are estimated run in training mode, so there is no Dropout and
    no noise. Nothing but their two arrays changes.

    Args:
        model: A Keras model that has its arrays.
        batches: A list, generator, ``tf.data.Dataset`` or ``PyDataset`` of inputs, or
            of tuples ``(inputs, targets, ...)`` as for ``fit``. The larger each batch,
            the better: see ``train/re-estimate`` on the site.
        layers: The layers to estimate, whatever their flags. By default those of
            ``batch_norms(model)`` that ``fit`` moves: not frozen, and run in training
            mode.

    Returns:
        The paths of the layers whose statistics were replaced.

    Raises:
        TypeError: A batch is a list, which could be inputs and targets or two inputs.
        ValueError: Nothing to estimate, a layer that no batch reached, or statistics
            that are not finite. The statistics are then as they were.
    """
    named = layers is not None
    if not named:
        layers = [layer for layer in batch_norms(model) if layer.trainable]
    layers = list(layers)
    if any(getattr(layer, "renorm", False) for layer in layers):
        raise ValueError("renorm=True keeps further statistics: not estimated here")
    if hasattr(batches, "shape"):
        raise ValueError("batches is one array; for a single batch pass [array]")
    if isinstance(batches, keras.utils.PyDataset):
        batches = map(batches.__getitem__, range(len(batches)))
    if hasattr(batches, "cardinality") and int(batches.cardinality()) == -1:
        raise ValueError("the dataset repeats without end: pass dataset.take(steps)")
    batches = iter(batches)
    first = list(itertools.islice(batches, 1))
    before = [(v, v.numpy()) for v in [*model.variables, *_states(model)]]
    if not named and first:
        try:
            layers = _in_training(model, _inputs(first[0]), layers)
        finally:
            for variable, array in before:
                variable.assign(array)
    if not layers and not batch_norms(model):
        raise ValueError("no layer to estimate: the model has no BatchNormalization")
    if not layers:
        raise ValueError(
            "no layer to estimate: fit moves none. If they shall be estimated "
            "nevertheless, pass layers=batch_norms(model)"
        )
    settings = [
        (layer, layer.momentum, layer.trainable, vars(layer).get("call"))
        for layer in layers
    ]
    pooled = {}
    try:
        for layer in layers:
            # With momentum 0, the layer holds the statistics of its last inputs. From
            # 0 and 1, because 0 * nan is nan.
            layer.momentum, layer.trainable = 0.0, True
            layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
            layer.moving_variance.assign(np.ones(layer.moving_variance.shape))
            layer.call = _pooling(layer, layer.call, pooled)
        for batch in itertools.chain(first, batches):
            model(_inputs(batch), training=False)
        missed = [layer.name for layer in layers if id(layer) not in pooled]
        if missed:
            raise ValueError(f"no batch reached {missed}, at least not in eager mode")
        for layer in layers:
            _, mean, variance = pooled[id(layer)]
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(variance)
        bad = [name for layer in layers for name in broken(layer)]
        if bad:
            raise ValueError(f"the batches give statistics that are not finite: {bad}")
        new = {id(getattr(layer, name)) for layer in layers for name in STATISTICS}
    except BaseException:
        new = set()
        raise
    finally:
        for layer, momentum, trainable, call in settings:
            layer.momentum, layer.trainable = momentum, trainable
            vars(layer).pop("call", None)
            if call is not None:
                layer.call = call
        for variable, array in before:
            if id(variable) not in new:
                variable.assign(array)
    return [layer.moving_mean.path.rpartition("/")[0] for layer in layers]


def _inputs(batch):
    if isinstance(batch, list):  # inputs and targets, or two inputs?
        raise TypeError("a batch is a list: pass (inputs,) or (inputs, targets)")
    return batch[0] if isinstance(batch, tuple) else batch


def _states(model):
    """Return the states of stateful RNN layers, which no list of variables holds."""
    layers = layers_in(model, {}).values()
    states = keras.tree.flatten([getattr(layer, "states", None) for layer in layers])
    return [state for state in states if isinstance(state, keras.Variable)]


def _in_training(model, inputs, layers):
    """Return the layers but those that run in inference mode when ``fit`` calls."""
    takes_it = "training" in inspect.signature(model.call).parameters
    found, calls = {}, [vars(layer).get("call") for layer in layers]
    for layer in layers:
        layer.call = _noting(layer, layer.call, found)
    try:
        model(inputs, **({"training": True} if takes_it else {}))
    finally:
        for layer, call in zip(layers, calls, strict=True):
            vars(layer).pop("call", None)
            if call is not None:
                layer.call = call
    return [layer for layer in layers if found.get(id(layer), True)]


def _noting(layer, call, found):
    def noting_call(inputs, **arguments):
        training = bool(arguments.get("training"))
        found[id(layer)] = found.get(id(layer), False) or training
        # Unchanged, as a tf.function may go on with what is traced here.
        return call(inputs, **arguments)

    return noting_call


def _pooling(layer, call, pooled):
    """Return the layer's ``call`` in training mode, which pools the statistics."""

    def pooling_call(inputs, mask=None, **arguments):
        arguments["training"] = True
        if mask is not None:
            arguments["mask"] = mask
        values = np.prod(inputs.shape) / inputs.shape[layer.axis]
        if mask is not None and values:
            values *= np.mean(keras.ops.convert_to_numpy(mask))
        if values == 0:  # no rows, or only padding
            return call(inputs, **{**arguments, "training": False})
        outputs = call(inputs, **arguments)
        mean = layer.moving_mean.numpy().astype("float64")
        variance = layer.moving_variance.numpy().astype("float64")
        # Mean and variance of two sets together (Chan, Golub and LeVeque, 1979).
        seen, old_mean, old_variance = pooled.get(id(layer), (0, mean, variance))
        total, step = seen + values, mean - old_mean
        share = values / total
        pooled[id(layer)] = (
            total,
            old_mean + share * step,
            (1 - share) * (old_variance + share * step**2) + share * variance,
        )
        return outputs

    return pooling_call


# --8<-- [end:estimate_again]


# --8<-- [start:broken]
def broken(model):
    """Return what is wrong with each array: not finite, or a negative variance.

    Looks at all variables of a model or layer, and of the optimizer if it has one.

    Returns:
        One string per array, such as ``"net/bn/moving_mean: 16 of 16"``; an empty list
        if all is well.

    Raises:
        TypeError: Not a model or layer of this Keras.
    """
    of_this_keras(model)
    found = []
    optimizer = getattr(model, "optimizer", None)
    for variable in [*model.variables, *(optimizer.variables if optimizer else [])]:
        array = variable.numpy().astype("float64")
        wrong = ~np.isfinite(array)
        if variable.name == "moving_variance":
            wrong |= array < 0
        if wrong.any():
            found.append(f"{variable.path}: {wrong.sum()} of {array.size}")
    return found


# --8<-- [end:broken]


# --8<-- [start:repair]
def repair(model, batches):
    """Estimate the moving statistics again in those layers where they are broken.

    All other layers keep theirs. For a layer of a pretrained base, its two arrays from
    the original file are better than an estimate from other data.

    Args:
        model: A Keras model that has its arrays.
        batches: As for ``estimate_again``, without the values that broke it.

    Returns:
        The paths of the layers that were repaired; an empty list if none was broken.

    Raises:
        ValueError: Other arrays are broken, too, which no estimate brings back; or as
            for ``estimate_again``. Nothing is changed then.
    """
    layers = [layer for layer in batch_norms(model) if broken_statistics(layer)]
    others = set(broken(model))
    for layer in layers:
        others -= set(broken_statistics(layer))
    if others:
        raise ValueError(f"not only statistics, load an older file: {sorted(others)}")
    return estimate_again(model, batches, layers) if layers else []


def broken_statistics(layer):
    """Return what ``broken`` says of the layer's moving mean and moving variance."""
    paths = tuple(f"{getattr(layer, name).path}:" for name in STATISTICS)
    return [line for line in broken(layer) if line.startswith(paths)]


# --8<-- [end:repair]


# --8<-- [start:write_record]
def write_record(file, model, x):
    """Write to ``file``, an .npz, what the model is to be compared with after loading.

    Args:
        file: Path of the record, which ends in ``.npz``, or a file object.
        model: A Keras model that has its arrays.
        x: Inputs as for ``predict``: an array, or a list or dict of arrays. 32 rows
            are enough; they are in the file.

    Raises:
        ValueError: A layer has no arrays yet, or ``x`` has no type for a file.
    """
    rows = [np.asarray(array) for array in keras.tree.flatten(x)]
    if any(array.dtype == object for array in rows):
        raise ValueError("x: for texts pass np.array(texts), not a tensor or objects")
    keys = keras.tree.pack_sequence_as(x, [f"x_{i}" for i in range(len(rows))])
    arrays = {f"array_{i}": _array(w) for i, w in enumerate(model.weights)}
    inputs = {f"x_{i}": array for i, array in enumerate(rows)}
    facts = json.dumps({"x": keys, **_facts(model)})
    arrays |= inputs | _predictions(model, x)
    in_memory = hasattr(file, "write")
    # A crash while it is written leaves the record that was there before.
    part = file if in_memory else f"{file}.part.npz"
    np.savez(part, facts=facts, **arrays)
    if not in_memory:
        os.replace(part, file)


def _facts(model):
    """Return all that is compared besides arrays and predictions, ready for JSON."""
    of_this_keras(model)
    optimizer = getattr(model, "optimizer", None)
    layers = layers_in(model, {}).values()
    # These compute nothing themselves, and a loaded class may make them anew.
    frames = {"InputLayer", "Sequential", "Functional"}
    computing = [layer for layer in layers if type(layer).__name__ not in frames]
    return {
        "names": names_of(model.weights),
        "trainable": [bool(w.trainable) for w in model.weights],
        "layers": [
            {
                "trainable": layer.trainable,
                "epsilon": layer.epsilon,
                "momentum": layer.momentum,
                "axis": layer.axis,
            }
            for layer in batch_norms(model)
        ],
        "policies": dict(Counter(layer.dtype_policy.name for layer in computing)),
        "outputs": list(getattr(model, "output_names", [])),
        "optimizer": optimizer
        and f"{type(optimizer).__name__} at step {int(optimizer.iterations.numpy())}",
        "checksums": [zlib.crc32(_array(v).tobytes()) for v in optimizer.variables]
        if optimizer and optimizer.built
        else [],
    }


def _array(tensor):
    """Return a NumPy array, of a type that NumPy can write to a file."""
    array = keras.ops.convert_to_numpy(tensor)
    return array.astype("float32") if array.dtype == "bfloat16" else array


def _predictions(model, x):
    """Return the outputs in inference mode, by key, for one row and for all."""
    one = keras.tree.map_structure(lambda array: array[:1], x)
    before = [*model.non_trainable_variables, *_states(model)]
    before = [(variable, variable.numpy()) for variable in before]
    found = {}
    for key, inputs in {"one": one, "all": x}.items():
        outputs = model(inputs, training=False)
        flat = keras.tree.flatten(outputs)  # of a dict, in the order of sorted keys
        names = sorted(outputs) if isinstance(outputs, dict) else []
        names = names if len(names) == len(flat) else range(len(flat))
        found |= {f"{key}_{name}": _array(o) for name, o in zip(names, flat)}
        for variable, array in before:
            variable.assign(array)
    return found


# --8<-- [end:write_record]


# --8<-- [start:compare]
def compare(file, model, atol=1e-5):
    """Return what is different in a loaded model, or wrong with it.

    Arrays go by position and have to be equal; then the predictions in inference mode,
    of a dict by key, the order of outputs that have names, the ``trainable`` flags, the
    settings of each BatchNormalization layer, the dtype policies and, if the model is
    compiled, the optimizer with its step and arrays.

    Args:
        file: The record that ``write_record`` wrote.
        model: The loaded model.
        atol: Tolerance of the predictions, absolute and relative to their size. With 0
            they have to be equal, which is right on one machine with one setting.

    Returns:
        One string per problem; an empty list if there is none.
    """
    with np.load(file) as saved:
        record = dict(saved)
    was = json.loads(str(record["facts"]))
    now = _facts(model)
    if len(now["names"]) != len(was["names"]):
        return [f"{len(now['names'])} arrays instead of {len(was['names'])}"]
    x = keras.tree.map_structure(lambda key: record[key], was["x"])
    found = []
    for key, outputs in _predictions(model, x).items():
        saved = record[key] if key in record else None  # an output was renamed
        right = np.shape(saved) == outputs.shape and saved is not None
        right = right and np.allclose(outputs, saved, atol, atol, equal_nan=True)
        if not right and f"predictions for {key[:3]} differ" not in found:
            found.append(f"predictions for {key[:3]} differ")
    for i, (name, weight) in enumerate(zip(was["names"], model.weights, strict=True)):
        array, saved = _array(weight), record[f"array_{i}"]
        problems = {
            "differs": not np.array_equal(array, saved, equal_nan=True),
            "is not finite": not np.isfinite(array).all(),
            "is still 0": name.endswith("moving_mean") and not array.any(),
            "is still 1": name.endswith("moving_variance") and (array == 1).all(),
            "is negative": name.endswith("moving_variance") and (array < 0).any(),
        }
        found += [f"{name} {problem}" for problem, there in problems.items() if there]
        if weight.trainable != was["trainable"][i]:
            found.append(f"{name} trainable is {bool(weight.trainable)}")
    heads = was.get("outputs", []), now["outputs"]
    if heads[0] != heads[1] and sorted(heads[0]) == sorted(heads[1]):
        found.append(f"outputs are {heads[1]}, not {heads[0]}")
    means = [name for name in was["names"] if name.endswith("moving_mean")]
    if len(now["layers"]) != len(means):
        counts = f"{len(now['layers'])} instead of {len(means)}"
        return [*found, f"BatchNormalization layers: {counts}"]
    for name, old, new in zip(means, was["layers"], now["layers"], strict=True):
        layer = name.rpartition("/")[0]
        found += [
            f"{layer}: {setting} is {new[setting]}, not {old[setting]}"
            for setting in old
            if new[setting] != old[setting]
        ]
    if now["policies"] != was["policies"]:
        found.append(f"policies are {now['policies']}, not {was['policies']}")
    if now["optimizer"] not in (None, was["optimizer"]):
        found.append(f"optimizer is {now['optimizer']}, not {was['optimizer']}")
    elif now["checksums"] and was["checksums"] not in ([], now["checksums"]):
        found.append("arrays of the optimizer differ")
    return found


# --8<-- [end:compare]
