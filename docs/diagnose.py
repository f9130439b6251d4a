"""Say what is wrong first with a loaded Keras model, and which page explains it.

Copy this file, ``bn_evidence.py``, ``bn_diagnosis.py`` and ``bn_tools.py`` next to your
script. It needs Keras 3 and NumPy, and leaves a model as it found it.
"""

import json
import re
import textwrap

import keras
import numpy as np
from bn_evidence import SEED, arrays_differ, augments, calls, calls_differ, close
from bn_evidence import count_differs, data_differ, difference, is_stale, moved, named
from bn_evidence import restore, rows_depend, sample, unmoved
from bn_tools import _states, batch_norms, broken, compare, layers_in

SITE = "https://saving-batchnorm.github.io/saving-batchnorm/"
PAGES = """not finite: symptoms/every-prediction-is-nan, negative: nan/variance,
no call: verify/rebuild-from-code, not built: checkpoint/not-built,
missing: code-differs/fewer, extra: verify/rebuild-from-code,
order: npz/other-order, exchanged: npz/swapped, reordered: pytorch/reshaped-kernel,
renamed: code-differs/attributes, start: code-differs/half-loaded,
nothing restored: symptoms/chance-after-load-weights,
changed: symptoms/worse-after-loading, statistics: checkpoint/trainable-only,
not tracked: own-classes/plain-object, made in call: own-classes/layers-in-call,
training mode: training-mode/always-true, random: code-differs/draws,
normalization: own-classes/normalization, epsilon: code-differs/epsilon,
axis: code-differs/axis, momentum: code-differs/epsilon,
outputs: weights-file/heads, policies: own-classes/policy-inside,
layer: verify/rebuild-from-code, one row: symptoms/one-sample-and-batch,
service: savedmodel/training-mode, inputs: symptoms/good-here-bad-in-service,
metrics: symptoms/fit-evaluate-predict, never moved: training-mode/forgotten,
unconverged: training-mode/too-few-steps, trainable: frozen/flags-lost,
optimizer: own-classes/optimizer-starts-over, unknown: verify/diagnose,
nothing: verify/diagnose"""


# --8<-- [start:diagnose]
def diagnose(record, loaded, data=None, good=None, metrics=None, serve=None, atol=None):
    """Print and return the first thing that is wrong. The model stays as it is.

    Args:
        record: What ``write_record`` wrote of the model before it was saved.
        loaded: The loaded model.
        data: Rows as they are read now: inputs, ``(inputs, targets)``, or batches in a
            list or a dataset that ends. Best they begin with the rows of the record.
        good: A model that is still right, to find the first layer that differs.
        metrics: What ``evaluate(..., return_dict=True)`` of this data was before.
        serve: What your service calls; by default ``loaded``.
        atol: As for ``compare``; by default 1e-5, and 1e-2 in half precision.

    Returns:
        A dict: "cause", "text", "link", and "skipped", what was not looked at.
    """
    variables = [*loaded.variables, *getattr(loaded, "metrics_variables", [])]
    kept = {id(v): (v, v.numpy()) for v in [*variables, *_states(loaded)]}
    layers, skipped = list(layers_in(loaded, {}).values()), []
    half = any("16" in str(layer.compute_dtype) for layer in layers)
    atol = (1e-2 if half else 1e-5) if atol is None else atol
    given = data, good, metrics, serve, atol
    try:
        cause, text = next(_problems(record, loaded, layers, *given, kept, skipped))
    finally:
        restore(kept)
    page = re.search(rf"(?<!\w){cause}: ([^,]+)", PAGES)[1]
    link = SITE + ("" if page.startswith("verify") else "trouble/") + page + "/"
    for line in [text, *(f"Not looked at: {each}." for each in skipped)]:
        print(textwrap.fill(line, 77))
    print(link)
    return {"cause": cause, "text": text, "link": link, "skipped": skipped}


def _problems(record, loaded, layers, data, good, metrics, serve, atol, kept, skipped):
    """Yield cause and sentence of each thing that is wrong, the surest first."""
    file = np.load(record)
    was = json.loads(str(file["facts"]))
    x = keras.tree.map_structure(lambda key: file[key], was["x"])
    old = [file[f"array_{i}"] for i in range(len(was["names"]))]
    for line in broken(loaded):
        array = [v.numpy() for v in loaded.variables if line.startswith(f"{v.path}:")]
        kind = "negative" if array and np.isfinite(array).all() else "not finite"
        yield kind, f"Values are {kind}: {line}."
    unbuilt = [layer.name for layer in layers if not layer.built]
    count = len(loaded.weights)
    if not count or (unbuilt and count < len(old)):
        yield "not built", f"No arrays yet in {unbuilt}: call the model, then load."
    try:
        norms = batch_norms(loaded)
    except ValueError as error:
        yield "not built" if "no arrays" in str(error) else "not tracked", f"{error}."

    def compared():
        lines = [line for line in compare(record, loaded, atol) if "still" not in line]
        return lines, any(line.startswith("predictions") for line in lines)

    if count == len(old):
        yield from arrays_differ(loaded, was["names"], old, compared)
    right = sample([file[key] for key in file if key.startswith("all_")])
    first, drawn = yield from calls_differ(loaded, x, kept, atol, right)
    if count != len(old):
        yield count_differs(loaded, was["names"], old)
    found, differ = compared()
    words = "epsilon axis policies outputs trainable momentum optimizer".split()
    found = [line for line in found if not line.endswith("not None")]
    lines = [(w, line) for w in words for line in found if f"{w} " in line]
    for layer in filter(is_stale, layers if differ else []):
        yield "normalization", f"{named(layer)} does not compute with its arrays."
    for word, line in lines:
        if word in words[:4]:
            yield word, f"All arrays are equal, a setting is not: {line}."
    if good is not None and (text := difference(first, calls(good, x, kept), atol)):
        yield "layer", f"All arrays are equal, outputs differ: {text}."
    if differ or not close(first[-1][2], right, max(atol, 1e-4)):  # also if small
        if close(sample(loaded(x, training=True)), right, atol):
            text = "The record is what this model computes in training mode"
            yield "training mode", f"{text}: the model that was saved ran in it."
        hint = "pass a right model as good" if good is None else "good does the same"
        text = "All arrays are equal, outputs differ, and I do not know why"
        yield "unknown", f"{text}: {hint}."
    if not drawn and rows_depend(file, max(atol, 1e-3)):
        yield "one row", "The outputs of a row depend on the other rows of its batch."
    served, variables = sample((serve or loaded)(x)), {id(v) for v in loaded.variables}
    training = any(id(v) in variables and SEED not in v.path for v in moved(kept))
    restore(kept)
    active = [] if serve or training else [*filter(augments, layers)]
    if active and not close(served, right, atol):  # as RandomFlip is meant to be
        skipped.append(f"calls without training=False ({named(active[0])} is active)")
    elif training or not close(served, right, atol):
        training = training or close(served, sample(loaded(x, training=True)), atol)
        kind = "service" if serve else "training mode"
        text = "runs in training mode" if training else "gives other outputs"
        what = "What serve calls" if serve else "A call without training=False"
        yield kind, f"{what} {text}."
    restore(kept)
    for layer in unmoved(norms):
        yield "never moved", f"{named(layer)} has statistics 0 and 1, as recorded."
    if data is None:
        skipped.append("inputs, metrics, whether the statistics fit (needs data)")
    else:
        yield from data_differ(loaded, x, data, metrics, skipped)
    for word, line in lines:
        yield word, f"Outputs are equal, but training on would differ: {line}."
    if getattr(loaded, "optimizer", None) is None:
        skipped.append("the optimizer (the model is not compiled)")
    yield "nothing", "Nothing wrong found."


# --8<-- [end:diagnose]
