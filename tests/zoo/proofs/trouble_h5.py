"""Most pages show calls of Keras; what they define is only what these are shown on."""

import contextlib
import io
import re

import keras

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "trouble/h5/by_name.py": "build",
    "trouble/h5/groups.py": "build load Transpose Depthwise",
    "trouble/h5/layer_count.py": "build",
    "trouble/h5/name_exists.py": "Block trained tries",
    "trouble/h5/other_head.py": "build",
    "trouble/h5/own_layer.py": "Norms KeptNorms saved_and_loaded report",
    "trouble/h5/rmsprop.py": "trained",
    "trouble/h5/subclassed.py": "Net",
    "trouble/h5/swapped.py": "build arrays",
}


@proof("trouble/h5/layer_count.py:beside")
def beside(recipe, member):
    def printed(model):
        with contextlib.redirect_stdout(io.StringIO()) as text:
            recipe["beside"]("model.h5", model)
        return text.getvalue().splitlines()

    model, _ = compare.trained(member, epochs=1)
    if "subclassed" in member.traits:
        raise NotFor("a model class is not written to .h5 as a whole")
    model.save("model.h5")
    have = [layer.name for layer in model.layers if layer.weights]
    assert printed(model) == [f"  layers that fit: {len(have)}"]

    # What only the file has, or only the model, is named, and nothing else.
    *_, last = [layer for layer in model.layers if layer.weights]
    less = keras.Model(model.inputs, last.input)
    gone = have[len([layer for layer in less.layers if layer.weights]) :]
    lines = printed(less)
    assert re.fullmatch(r"  layers that fit: \d+", lines[0]), lines
    assert [line.split()[:2] for line in lines[1:]] == [["-", name] for name in gone]
    less.save("model.h5")
    lines = printed(model)
    assert [line.split()[:2] for line in lines[1:]] == [["+", name] for name in gone]
