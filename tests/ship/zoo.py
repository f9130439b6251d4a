"""What the pages for other runtimes offer for pasting, on models like the readers'.

`make ship` runs this beside the pages. Each test starts an interpreter of its own and
calls a function of `nodes` or `converted` in it, which goes through the members.
"""

import pytest

from tests import runner, sessions
from tests.test_refusals import refusal
from tests.zoo import core

pytestmark = pytest.mark.session

# Members of the zoo: mixed precision, a nested frozen base with Dropout, blocks in
# lists, custom layers, several inputs and outputs, masks, noise, shared layers, no
# gamma, other state.
MEMBERS = [
    *("sequential", "float16", "bfloat16", "mobilenet", "resnet", "custom", "unet"),
    *("recurrent", "two_inputs", "two_outputs", "without_scale", "spectral"),
    *("shared", "normalization"),
]

# Converters take long: without the large one, and in several processes.
SMALL = [name for name in MEMBERS if name != "mobilenet"]
GROUPS = pytest.mark.parametrize("names", [SMALL[i::2] for i in range(2)])
# What pages offer for pasting, and what only shows something on its own page.
PROVEN = {
    "ship/onnx_node.py": "node_of",
    "ship/onnx_to_keras.py": "constants batchnorms",
    "ship/openvino_precision.py": "verdict",
    "ship/serving.py": "answer assigned",
    "ship/tensorflow_js.py": "arrays_of",
    "trouble/litert/cluster_statistics.py": "estimate",
    "trouble/litert/prune_frozen.py": "trained_only",
    "trouble/onnx/statistics.py": "worth_exporting",
    "trouble/onnx/training_mode.py": "depends_on_the_batch",
    "trouble/onnx/training_node.py": "to_inference",
    "trouble/runtimes/onnx_first_layer.py": "layer_by_layer",
    "trouble/runtimes/tfjs_input_layer.py": "as_keras_2 translate",
    "trouble/symptoms/after_conversion.py": "compare",
}
SHOWS = {
    "ship/core_ml.py": "infer is_in_file conv compute",
    "ship/litert.py": "operations",
    "ship/litert_quantize.py": (
        "stripes block representative compare constants tensors"
    ),
    "ship/onnx.py": "Own move describe equal",
    "ship/onnx_inside.py": "move operations two_numbers is_in optimize",
    "ship/onnx_node.py": "save",
    "ship/onnx_quantize.py": "stripes norm Rows compare",
    "ship/onnx_to_keras.py": "foreign_bn layer_of same",
    "ship/openvino.py": "move run compare operations is_in equal",
    "ship/openvino_precision.py": "rounded",
    "ship/prune.py": "stripes build fit equal to_keras_3 right",
    "ship/quantization_aware.py": "stripes",
    "ship/serving.py": "score",
    "ship/tensorflow_js.py": "is_in_file",
}


def test_nodes_hold_a_layer_and_are_read_back(tmp_path):
    """`node_of`, `batchnorms`, `to_inference`: all arrays, settings and outputs."""
    assert runner.call("tests.ship.nodes.nodes", tmp_path, MEMBERS) == []


def test_nodes_of_other_programs_are_read_or_refused(tmp_path):
    """Shared arrays and missing names are read; training mode is refused."""
    assert runner.call("tests.ship.nodes.other_nodes", tmp_path) == []


def test_statistics_worth_exporting(tmp_path):
    """`worth_exporting` names all that is wrong, and nothing else."""
    assert runner.call("tests.ship.nodes.statistics", tmp_path, MEMBERS) == []


def test_what_a_server_answers(tmp_path):
    """`answer` gives the model's outputs, `assigned` says who moves the statistics."""
    assert runner.call("tests.ship.converted.served", tmp_path, SMALL) == []


def test_statistics_and_wrappers_of_pruned_and_clustered_nets(tmp_path):
    """`estimate` takes NumPy's numbers or refuses, `trained_only` asks for flags."""
    assert runner.call("tests.ship.pruned.estimated", tmp_path) == []
    assert runner.call("tests.ship.pruned.wrapped", tmp_path) == []


@GROUPS
def test_verdicts_on_what_was_converted(names, tmp_path):
    """`compare`, `depends_on_the_batch` and `verdict` say what is wrong, and where."""
    assert runner.call("tests.ship.converted.converted", tmp_path, names) == []


@GROUPS
def test_the_browser_reads_what_was_converted(names, tmp_path):
    """`arrays_of` reads all arrays; what `translate` makes predicts the same."""
    assert runner.call("tests.ship.converted.browser", tmp_path, names) == []


def test_layers_beside_those_of_the_file(tmp_path):
    """`layer_by_layer` finds no difference, or where the lost statistics are."""
    assert runner.call("tests.ship.layers.layers", tmp_path, SMALL) == []


def test_what_training_with_rounding_would_do_otherwise_is_refused(tmp_path):
    """A frozen kernel would train; the range before an activation is not set."""
    page = "docs/ship/quantization-aware.md"
    message = "a kernel that was frozen would be trained"
    change = "model.get_layer('conv').trainable = False"
    assert refusal(page, change, message, tmp_path) == f"ValueError: {message}"
    change = """
net = tf_keras.Sequential([layers.Dense(3, activation="softmax", input_shape=(4,))])
aware = tfmot.quantization.keras.quantize_model(net)
"""
    message = "make its activation a layer"
    error = refusal(page, change, message, tmp_path)
    assert error == f"ValueError: quant_dense: {message}"


def test_every_function_is_proven_or_only_shows_something():
    """A function that is new on a page for other runtimes gets a proof, or a line."""
    named = {file: {*names.split()} for file, names in PROVEN.items()}
    for file, names in SHOWS.items():
        named[file] = named.get(file, set()) | {*names.split()}
    for path in core.SNIPPETS.glob("ship/*.py"):
        file = f"ship/{path.name}"
        if file != "ship/fold.py":  # proven with TensorFlow alone, in tests/zoo
            assert set(core.definitions(file)) == named.get(file, set()), file
    kept = sessions.SESSIONS["ship"].proofs["tests/ship/zoo.py"]
    assert {f"snippets/{file}" for file in PROVEN} <= {*kept}
