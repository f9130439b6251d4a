"""Write the models in every format, or read the files that other versions wrote.

Run by the interpreter of each version:

- ``python -m tests.versions.exchange write DONE FOLDER`` writes the files, and prints a
  line of JSON for each: folder, structure, format, and what became of it;
- ``... read DONE FOLDER...`` reads what these folders hold, and prints a line of JSON
  for each: folder, structure, format, and what came of each way to read it.

As many files as are DONE are left out, so that a run that ended early can go on.

What comes of it is ``["same"]``; ``["raises", message]``; ``["hangs"]``; or
``["wrong", arrays, of, others, predictions, noticed]``: how many of the arrays of
BatchNormalization layers differ, of how many, how many others do, whether predictions
do, and whether ``assert_existing_objects_matched`` raises, ``null`` where there is
nothing to ask.
"""

import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path

from tests.versions.exchange.models import (
    STATISTICS,
    STRUCTURES,
    keras,
    np,
    trained,
    variables,
)
from tests.versions.exchange.ways import FORMATS, WAYS, NotHere

TOLERANCE = 1e-4
"""Difference of predictions, absolute or relative, that counts as none, as versions of
TensorFlow add up in different orders."""

LIMIT = 6
"""Seconds of computing that one way to read may take; what ends needs two."""

LONGEST = 200
"""Characters kept of a message."""


def said(error):
    """Return class and first line of an exception, without folders, cut."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = f"{type(error).__name__}: {lines[0] if lines else ''}"
    text = re.sub(r"(?<![\w.:/])/(?:[^\s'\"/]+/)+", "", text)
    text = re.sub(r"[\w.+-]+/(?:Sequential|nested|own-class)/", "", text)
    return re.sub(r"0x[0-9a-f]{6,}", "0x...", text)[:LONGEST]


def write(folder, structure, format):
    """Write one file; return what became of it."""
    place = Path(folder, structure.replace(" ", "-"))
    place.mkdir(parents=True, exist_ok=True)
    name, save = FORMATS[format]
    net, x = trained(structure)
    before = set(place.iterdir())
    try:
        save(net, str(place / name))
    except Exception as error:
        for left in set(place.iterdir()) - before:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        return ["raises", said(error)]
    arrays = {name: np.asarray(value) for name, value in variables(net).items()}
    outputs = np.asarray(net(x, training=False))
    np.savez(place / f"{format} expected.npz", x=x, outputs=outputs, **arrays)
    return ["same"]


def compare(loaded, expected):
    """Say whether what was loaded is what was saved, see above.

    Args:
        loaded: A model of Keras, something else to call, or a list of arrays.
        expected: The arrays of the writer, by name, its inputs and its outputs.
    """
    x, outputs = expected.pop("x"), expected.pop("outputs")
    model = isinstance(loaded, keras.Model)
    if model:
        found = {name: np.asarray(value) for name, value in variables(loaded).items()}
        differ = [n for n in expected if not np.array_equal(expected[n], found.get(n))]
    else:
        there = loaded if isinstance(loaded, list) else loaded.variables
        there = [np.asarray(value) for value in there]
        differ = [
            name
            for name, array in expected.items()
            if not any(np.array_equal(array, other) for other in there)
        ]
    close = True
    if not isinstance(loaded, list):
        found = loaded(x, training=False) if model else loaded(x)
        (found,) = found.values() if isinstance(found, dict) else (found,)
        close = np.allclose(found, outputs, rtol=TOLERANCE, atol=TOLERANCE)
    if close and not differ:
        return ["same"]
    noticed = None
    if hasattr(loaded, "status"):
        try:
            loaded.status.assert_existing_objects_matched()
            noticed = False
        except AssertionError:
            noticed = True
    ours = [name for name in expected if name.endswith(STATISTICS)]
    lost = len(set(ours) & set(differ))
    return ["wrong", lost, len(ours), len(differ) - lost, not close, noticed]


def read(folder, structure, format):
    """Read one file; return what came of each way, by its name."""
    place = Path(folder, structure.replace(" ", "-"))
    results = {}
    for ways in WAYS[format]:
        for name, way in ways:
            with np.load(place / f"{format} expected.npz") as arrays:
                expected = dict(arrays)
            keras.backend.clear_session()
            signal.setitimer(signal.ITIMER_PROF, LIMIT)
            try:
                loaded = way(str(place / FORMATS[format][0]), structure)
                results[name] = compare(loaded, expected)
            except NotHere:
                continue
            except Endless:
                results[name] = ["hangs"]
                break
            except Exception as error:
                results[name] = ["raises", said(error)]
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            if results[name] == ["same"]:
                break
    return results


class Endless(BaseException):
    """A way to read does not end; libraries do not catch this."""


def stop(*_):
    """End what takes too long."""
    raise Endless


def main(command, done, *folders):
    """Write one folder, or read several."""
    signal.signal(signal.SIGPROF, stop)
    # What libraries print is not part of the answer.
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    jobs = [(f, s, n) for f in folders for s in STRUCTURES for n in FORMATS]
    for folder, structure, format in jobs[int(done) :]:
        place = Path(folder, structure.replace(" ", "-"), f"{format} expected.npz")
        if command == "write":
            result = write(folder, structure, format)
        else:
            result = read(folder, structure, format) if place.is_file() else {}
        print(json.dumps([folder, structure, format, result]), file=answer, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
