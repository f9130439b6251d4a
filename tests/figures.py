"""Tell whether two drawings of a figure show the same."""

import base64
import io
import re
from itertools import zip_longest
from xml.etree import ElementTree

from PIL import Image

TOLERANCE = 3.0
"""Points (1/72 inch) by which a figure may differ from the committed one.

CPUs round float32 differently, and training amplifies that: with oneDNN switched off
or kept to older instructions, accuracies in the labs moved by up to 0.006, which is
1.2 points of an axis 200 points high.
"""

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def svg_difference(shown, drawn):
    """Return how two figures differ, or `None`."""
    for old, new in zip_longest(parts(shown), parts(drawn), fillvalue=("end", "", "")):
        problem = "figure: shown <{} {}={!r:.90}>, ".format(*old)
        problem += "new <{} {}={!r:.90}>".format(*new)
        (*place, before), (*other, after) = old, new
        if place[1] in {"d", "x", "y", "transform"}:
            numbers = zip(NUMBER.findall(before), NUMBER.findall(after), strict=False)
            if any(abs(float(a) - float(b)) > TOLERANCE for a, b in numbers):
                return f"{problem}: more than {TOLERANCE} points apart"
            before, after = NUMBER.sub("0", before), NUMBER.sub("0", after)
        if (place, before) != (other, after):
            return problem
    return None


def parts(svg):
    """Yield tag, key and value of all that a figure is made of."""
    ids = {name: f"id{n}" for n, name in enumerate(re.findall(r'\bid="([^"]+)"', svg))}
    for element in ElementTree.fromstring(svg).iter():
        tag = element.tag.rpartition("}")[2]
        yield tag, "text", (element.text or "").strip()
        for key, value in sorted(element.attrib.items()):
            if value.startswith("data:image/png;base64,"):
                # Pixels, because the same ones are compressed in different ways.
                png = base64.b64decode(value.partition(",")[2])
                value = Image.open(io.BytesIO(png)).convert("RGBA").tobytes().hex()
            value = re.sub(r"[\w-]+", lambda name: ids.get(name[0], name[0]), value)
            yield tag, key.rpartition("}")[2], value
