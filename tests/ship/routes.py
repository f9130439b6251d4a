"""The table of routes out of TensorFlow: every cell is measured here.

`make ship` runs it beside the pages and compares the table with what is committed;
with ``--update-outputs`` it writes the table.
"""

import contextlib
import functools
import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tests import sessions
from tests.ship.web import TFJS, Web

pytestmark = pytest.mark.session

TABLE = sessions.ROOT / "snippets" / "reference" / "routes.md"
BATCH = 16
PLACES = ("after Conv2D", "after Dense", "first layer")


class Converted(NamedTuple):
    """A model in another runtime.

    Attributes:
        ops: The operations of its file, by name.
        predict: What computes there; `None` where the runtime is not on this system.
    """

    ops: list[str]
    predict: Callable[[np.ndarray], np.ndarray] | None


def net(place: str | None = None, training: bool = False):
    """Return a small model, and nothing but its layer of one place, or all three.

    Args:
        place: One of `PLACES`; ``""`` for no BatchNormalization, `None` for all.
        training: Whether its calls say ``training=True``.
    """
    import keras

    def normalized(x, here):
        if place not in (None, here):
            return x
        layer = keras.layers.BatchNormalization()
        return layer(x, training=True) if training else layer(x)

    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 3))
    x = normalized(inputs, "first layer")
    x = normalized(keras.layers.Conv2D(4, 3)(x), "after Conv2D")
    x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = normalized(keras.layers.Dense(6)(x), "after Dense")
    outputs = keras.layers.Dense(2, activation="softmax", dtype="float32")(x)
    model = keras.Model(inputs, outputs)
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shapes = [array.shape for array in layer.get_weights()]
            layer.set_weights([random.uniform(0.5, 2, shape) for shape in shapes])
    # Keras' export to ONNX refuses a model that was never called.
    model(np.zeros((1, 8, 8, 3), "float32"), training=False)
    return model


def signature(model) -> Converted:
    """Export a SavedModel and call its signature, as a server does."""
    import tensorflow as tf

    model.export("saved", verbose=False)
    loaded = tf.saved_model.load("saved")
    serve = loaded.signatures["serving_default"]
    (name,) = serve.structured_input_signature[1]
    graph = serve.graph.as_graph_def()
    functions = [node for f in graph.library.function for node in f.node_def]
    return Converted(
        [node.op for node in [*graph.node, *functions]],
        lambda x: next(iter(serve(**{name: tf.constant(x)}).values())).numpy(),
    )


def _litert(content: bytes) -> Converted:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=content)
    serve = interpreter.get_signature_runner()
    (name,) = serve.get_input_details()
    ops = [op["op_name"] for op in interpreter._get_ops_details()]
    return Converted(ops, lambda x: next(iter(serve(**{name: x}).values())))


def litert_export(model) -> Converted:
    """Convert with Keras to LiteRT."""
    model.export("model.tflite", format="litert", verbose=False)
    return _litert(Path("model.tflite").read_bytes())


def litert_saved(model) -> Converted:
    """Convert a SavedModel to LiteRT."""
    import tensorflow as tf

    model.export("saved", verbose=False)
    return _litert(tf.lite.TFLiteConverter.from_saved_model("saved").convert())


def _onnx(path: str) -> Converted:
    import onnx
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    name = session.get_inputs()[0].name
    ops = [node.op_type for node in onnx.load(path).graph.node]
    return Converted(ops, lambda x: session.run(None, {name: x})[0])


def onnx_export(model) -> Converted:
    """Convert with Keras to ONNX."""
    model.export("model.onnx", format="onnx", verbose=False)
    return _onnx("model.onnx")


def onnx_saved(model) -> Converted:
    """Convert a SavedModel to ONNX with tf2onnx, as its command does."""
    import tensorflow as tf
    import tf2onnx

    shape = (None, *model.input_shape[1:])
    serve = tf.function(lambda x: model(x, training=False))
    spec = [tf.TensorSpec(shape, name="x")]
    tf2onnx.convert.from_function(serve, spec, output_path="model.onnx")
    return _onnx("model.onnx")


def _openvino(found) -> Converted:
    import openvino

    compiled = openvino.Core().compile_model(found, "CPU")
    ops = [op.get_type_name() for op in found.get_ops()]
    return Converted(ops, lambda x: compiled(x)[0])


def openvino_export(model) -> Converted:
    """Convert with Keras to OpenVINO."""
    import openvino

    model.export("model.xml", format="openvino", verbose=False)
    return _openvino(openvino.Core().read_model("model.xml"))


def openvino_saved(model) -> Converted:
    """Convert a SavedModel to OpenVINO."""
    import openvino

    model.export("saved", verbose=False)
    return _openvino(openvino.convert_model("saved"))


def core_ml(model) -> Converted:
    """Convert a concrete function to Core ML, whose runtime is on Apple's systems."""
    import coremltools
    import tensorflow as tf

    serve = tf.function(lambda x: model(x, training=False))
    spec = tf.TensorSpec((BATCH, *model.input_shape[1:]), name="x")
    converted = coremltools.convert(
        [serve.get_concrete_function(spec)], source="tensorflow"
    )
    program = converted._mil_program.functions["main"]
    return Converted([op.op_type for op in program.operations], None)


def tensorflow_js(web: Web, model) -> Converted:
    """Convert a SavedModel for the browser, in an environment of its own."""
    model.export("saved", verbose=False)
    shutil.rmtree("web", ignore_errors=True)
    web.convert("saved web")
    graph = json.loads(Path("web/model.json").read_text())["modelTopology"]

    def predict(x: np.ndarray) -> np.ndarray:
        return web.predict("loadGraphModel", "web/model.json", x)[0]

    # A fused one holds an activation, too.
    ops = [node["op"].removeprefix("_Fused") for node in graph["node"]]
    return Converted(ops, predict)


ROUTES = {
    'SavedModel: `export("…")`, its signature': (signature, "tensorflow"),
    'LiteRT: `export("….tflite", format="litert")`': (litert_export, "ai-edge-litert"),
    "LiteRT: `TFLiteConverter.from_saved_model`": (litert_saved, "ai-edge-litert"),
    'ONNX Runtime: `export("….onnx", format="onnx")`': (onnx_export, "onnxruntime"),
    "ONNX Runtime: `tf2onnx.convert.from_function`": (onnx_saved, "onnxruntime"),
    'OpenVINO: `export("….xml", format="openvino")`': (openvino_export, "openvino"),
    "OpenVINO: `openvino.convert_model`": (openvino_saved, "openvino"),
    "Core ML: `coremltools.convert`": (core_ml, "coremltools"),
}
NOT_RUN = "not run here"


def power(difference: float) -> str:
    """Return in words below which power of ten a difference is."""
    if not np.isfinite(difference):
        return "NaN"
    return f"1e{math.ceil(math.log10(max(difference, 9e-8)))}"


def attempt(convert, model) -> Converted | str:
    """Convert, or return the class of the exception."""
    try:
        return convert(model)
    except Exception as error:
        return type(error).__name__


def equal(convert, model, x) -> str:
    """Return within what the predictions of a converted model are Keras' own."""
    found = attempt(convert, model)
    if isinstance(found, str):
        return f"raises `{found}`"
    if found.predict is None:
        return NOT_RUN
    wanted = model(x, training=False).numpy()
    try:
        return power(np.abs(found.predict(x) - wanted).max())
    except Exception as error:
        return f"converts, then raises `{type(error).__name__}`"


def places(convert) -> str:
    """Return which operations each of the layers left in the file."""
    without = Counter(convert(net("")).ops)
    left = {}
    for place in PLACES:
        more = Counter(convert(net(place)).ops) - without
        named = sorted(op for op in more if op.lower() not in IDLE)
        left.setdefault(", ".join(named) or "folded", []).append(place)
    lines = [f"{', '.join(where)}: {ops}" for ops, where in left.items()]
    return "<br>".join(line.replace(" ", "\u00a0") for line in lines)


IDLE = {
    *("const", "constant", "cast", "readvariableop", "placeholder", "identity"),
    *("reshape", "noop", "transpose", "delegate", "parameter", "expand_dims"),
    *("squeeze", "unsqueeze", "statefulpartitionedcall", "partitionedcall"),
}
"""Operations that compute nothing of the layer."""


def training_mode(convert, x) -> str:
    """Return what comes of a graph whose layers are called with training=True."""
    model = net(training=True)
    found = attempt(convert, model)
    if isinstance(found, str):
        return f"refused: `{found}`"
    if found.predict is None:
        return f"converted; {NOT_RUN}"
    alone, wanted = found.predict(x), net()(x, training=False).numpy()
    different = np.abs(alone - wanted).max() > 1e-2
    return "converted, " + ("computes another" if different else "computes the same")


def batches(convert, x) -> str:
    """Return whether one file takes a batch and a single sample."""
    found = attempt(convert, net())
    if isinstance(found, str) or found.predict is None:
        return NOT_RUN
    with contextlib.suppress(Exception):
        shapes = {found.predict(x[:n]).shape for n in (BATCH, 1, 3)}
        return "yes" if shapes == {(BATCH, 2), (1, 2), (3, 2)} else "no"
    return "no"


def mixed(convert, x) -> str:
    """Return how a model of mixed precision compares with Keras."""
    import keras

    keras.config.set_dtype_policy("mixed_float16")
    try:
        return equal(convert, net(), x)
    finally:
        keras.config.set_dtype_policy("float32")


def not_a_number(convert) -> str:
    """Return whether a layer with a variance of NaN is noticed by the conversion."""
    model = net()
    arrays = model.layers[1].get_weights()
    arrays[3][0] = np.nan
    model.layers[1].set_weights(arrays)
    found = attempt(convert, model)
    return f"`{found}`" if isinstance(found, str) else "not noticed"


def measure(web: Web) -> str:
    """Return the table, as Markdown."""
    browser = functools.partial(tensorflow_js, web)
    routes = ROUTES | {"TensorFlow.js: `tensorflowjs_converter`": (browser, TFJS)}
    x = np.random.default_rng(1).normal(3, 2, (BATCH, 8, 8, 3)).astype("float32")
    versions = sessions.pinned("ship")
    head = [
        *("route", "version", "predictions equal within", "what the layer becomes"),
        *("layers called with `training=True`", "any batch size"),
        "from `mixed_float16`",
        "a variance of NaN",
    ]
    lines = ["<!-- Written by make ship. -->", "", f"| {' | '.join(head)} |"]
    lines.append("|---" * len(head) + "|")
    for title, (convert, library) in routes.items():
        version = versions.get(library, library)
        cells = [
            *(title, version, equal(convert, net(), x), places(convert)),
            *(training_mode(convert, x), batches(convert, x), mixed(convert, x)),
            not_a_number(convert),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


# What converters say about NumPy's future is theirs.
@pytest.mark.filterwarnings("ignore")
def test_the_table_of_routes_is_what_the_runtimes_do(tmp_path, request):
    """Measure again and compare."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    with contextlib.chdir(tmp_path), Web() as web:
        found = measure(web)
    if request.config.getoption("update_outputs"):
        TABLE.write_text(found, "utf-8")
    assert TABLE.read_text("utf-8") == found, (
        'out of date: make ship ARGS="--update-outputs tests/ship/routes.py"'
    )
