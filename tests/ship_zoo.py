"""What the pages for other runtimes offer for pasting, on models like the readers'.

`make ship` runs this beside the pages. Each test starts an interpreter of its own and
runs one of the functions below the tests in it, on one member of the zoo after another.
"""

import json
import tempfile
from pathlib import Path

import pytest

from tests import runner, sessions
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
    "trouble/onnx/statistics.py": "worth_exporting",
    "trouble/onnx/training_mode.py": "depends_on_the_batch",
    "trouble/onnx/training_node.py": "to_inference",
    "trouble/runtimes/tfjs_input_layer.py": "as_keras_2 translate",
    "trouble/symptoms/after_conversion.py": "compare",
}
SHOWS = {
    "ship/core_ml.py": "infer is_in_file conv compute",
    "ship/litert.py": "operations",
    "ship/litert_quantize.py": (
        "stripes block representative compare constants tensors"
    ),
    "ship/onnx.py": "move describe equal",
    "ship/onnx_inside.py": "move operations two_numbers is_in optimize",
    "ship/onnx_node.py": "save",
    "ship/onnx_to_keras.py": "foreign_bn layer_of same",
    "ship/openvino.py": "move run compare operations is_in equal",
    "ship/openvino_precision.py": "rounded",
    "ship/quantization_aware.py": "stripes",
    "ship/serving.py": "score",
    "ship/tensorflow_js.py": "is_in_file",
}


def run(function: str, folder: Path, *arguments) -> list:
    """Run a function of this module; return what it returns."""
    code = f"""\
import json
from tests import ship_zoo
print(json.dumps(ship_zoo.{function}(*{arguments!r})))
"""
    with runner.Script(folder, fresh=True) as script:
        result = script.run(code)
    assert result.error is None, f"{result.error}\n{result.output[-2000:]}"
    return json.loads(result.output.splitlines()[-1])


@pytest.fixture
def folder():
    """An empty folder for the process of a test."""
    with tempfile.TemporaryDirectory(prefix="zoo-") as name:
        yield Path(name)


def test_nodes_hold_a_layer_and_are_read_back(folder):
    """`node_of`, `batchnorms`, `to_inference`: all arrays, settings and outputs."""
    assert run("nodes", folder, MEMBERS) == []


def test_nodes_of_other_programs_are_read_or_refused(folder):
    """Shared arrays and missing names are read; training mode is refused."""
    assert run("other_nodes", folder) == []


def test_statistics_worth_exporting(folder):
    """`worth_exporting` names all that is wrong, and nothing else."""
    assert run("statistics", folder, MEMBERS) == []


def test_what_a_server_answers(folder):
    """`answer` gives the model's outputs, `assigned` says who moves the statistics."""
    assert run("served", folder, SMALL) == []


@GROUPS
def test_verdicts_on_what_was_converted(names, folder):
    """`compare`, `depends_on_the_batch` and `verdict` say what is wrong, and where."""
    assert run("converted", folder, names) == []


@GROUPS
def test_the_browser_reads_what_was_converted(names, folder):
    """`arrays_of` reads all arrays; what `translate` makes predicts the same."""
    assert run("browser", folder, names) == []


def test_every_function_is_proven_or_only_shows_something():
    """A function that is new on a page for other runtimes gets a proof, or a line."""
    named = {file: {*names.split()} for file, names in PROVEN.items()}
    for file, names in SHOWS.items():
        named[file] = named.get(file, set()) | {*names.split()}
    for path in core.SNIPPETS.glob("ship/*.py"):
        file = f"ship/{path.name}"
        if file != "ship/fold.py":  # proven with TensorFlow alone, in tests/zoo
            assert set(core.definitions(file)) == named.get(file, set()), file
    kept = sessions.SESSIONS["ship"].proofs["tests/ship_zoo.py"]
    assert {f"snippets/{file}" for file in PROVEN} <= {*kept}


# From here on, what runs in the other processes.


def _trained(name):
    """Return a member, its model with arrays far from 0 and 1, and its inputs."""
    import keras
    import numpy as np

    from tests.zoo import compare
    from tests.zoo.members import MEMBERS

    member = MEMBERS[name]
    keras.config.set_dtype_policy(member.policy)
    model = compare.compiled(member)
    x, _ = member.data()
    random = np.random.default_rng(5)
    for layer in compare.norms_of(model):
        for variable in layer.variables:
            spread = {"gamma": (0.5, 1.5), "beta": (-1, 1)}.get(variable.name)
            if spread:
                variable.assign(random.uniform(*spread, variable.shape))
        layer.momentum = 0.1
    model(x, training=True)
    for layer in compare.norms_of(model):  # not those of these inputs
        layer.moving_mean.assign(
            layer.moving_mean + 0.3 * np.sqrt(layer.moving_variance)
        )
        layer.moving_variance.assign(2 * layer.moving_variance)
    return member, model, x


def _said(call, *arguments) -> str:
    """Return the message of the ValueError that a call raises, or an empty text."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def _arrays(layer):
    """Return gamma, beta, moving mean and variance in float64, whatever there is."""
    import numpy as np

    named = {v.name: np.float64(v.numpy()) for v in layer.variables}
    mean = named["moving_mean"]
    gamma, beta = named.get("gamma", mean * 0 + 1), named.get("beta", mean * 0)
    return [gamma, beta, mean, named["moving_variance"]]


def nodes(names: list) -> list:
    """Write all layers of members as nodes, run and read them; return what differs."""
    import numpy as np
    import onnx
    import onnxruntime as ort
    from onnx import helper

    from tests.zoo import compare

    node_of = core.load("ship/onnx_node.py:node_of")["node_of"]
    batchnorms = core.load("ship/onnx_to_keras.py:batchnorms")["batchnorms"]
    to_inference = core.load("trouble/onnx/training_node.py:to_inference")
    to_inference = to_inference["to_inference"]
    found, random = [], np.random.default_rng(0)
    for name in names:
        _, model, _ = _trained(name)
        before = compare.state(model)
        layers = compare.norms_of(model)
        x, wanted = {}, {}
        for i, layer in enumerate(layers):
            gamma, beta, mean, variance = _arrays(layer)
            x[f"x{i}"] = random.normal(1, 3, (8, mean.size)).astype("float32")
            wanted[f"y{i}"] = (x[f"x{i}"] - mean) / np.sqrt(variance + layer.epsilon)
            wanted[f"y{i}"] = wanted[f"y{i}"] * gamma + beta
        for training in [False, True]:
            parts = [
                node_of(layer, f"x{i}", f"y{i}", f"m{i}", f"v{i}", training_mode=1)
                if training
                else node_of(layer, f"x{i}", f"y{i}")
                for i, layer in enumerate(layers)
            ]
            values = [
                helper.make_tensor_value_info(key, 1, ["batch", None])
                for key in [*x, *wanted]
            ]
            graph = helper.make_graph(
                [node for node, _ in parts],
                *("net", values[: len(x)], values[len(x) :]),
                [array for _, arrays in parts for array in arrays],
            )
            opsets = [helper.make_opsetid("", 15)]
            net = helper.make_model(graph, opset_imports=opsets, ir_version=8)
            onnx.checker.check_model(net, full_check=True)
            onnx.save(net, "net.onnx")
            if training:
                said = _said(batchnorms, "net.onnx")
                if "exported in training mode" not in said:
                    found.append(f"{name}: read in training mode: {said!r}")
                onnx.save(to_inference(net), "net.onnx")
            outputs = ort.InferenceSession("net.onnx").run(list(wanted), x)
            for key, output in zip(wanted, outputs, strict=True):
                if not np.allclose(output, wanted[key], rtol=1e-4, atol=1e-4):
                    found.append(f"{name}: {key} differs, training {training}")
            read = batchnorms("net.onnx")
            if len(read) != len(layers):
                found.append(f"{name}: {len(read)} of {len(layers)} layers read")
            for layer, each in zip(layers, read.values(), strict=True):
                same = [
                    np.array_equal(a, b)
                    for a, b in zip(each["arrays"], _arrays(layer), strict=True)
                ]
                close = [
                    np.isclose(each[key], getattr(layer, key), rtol=1e-6)
                    for key in ("epsilon", "momentum")
                ]
                if not all([*same, *close]):
                    found.append(
                        f"{name}: {layer.name} read otherwise: {same}, {close}"
                    )
        if compare.changed(before, compare.state(model)):
            found.append(f"{name}: the model was changed")
    return found


def statistics(names: list) -> list:
    """Ask members, trained, untrained and broken; return what is said wrongly."""
    import numpy as np

    from tests.zoo import compare

    recipe = core.load("trouble/onnx/statistics.py:worth_exporting")
    worth_exporting, found = recipe["worth_exporting"], []
    for name in names:
        member, model, _ = _trained(name)
        layers = compare.norms_of(model)

        def ask(what, model, *wanted, name=name):
            before = compare.state(model)
            said = worth_exporting(model)
            if len(said) != len(wanted) or not all(
                any(word in line for line in said) for word in wanted
            ):
                found.append(f"{name}, {what}: {said}, not {wanted}")
            if compare.changed(before, compare.state(model)):
                found.append(f"{name}, {what}: the model was changed")

        ask("trained", model)
        for value in [np.nan, -0.5]:
            array = layers[-1].moving_variance.numpy()
            layers[-1].moving_variance.assign(np.r_[value, array[1:]])
            ask(f"variance {value}", model, "moving_variance: 1 of")
            layers[-1].moving_variance.assign(array)
        mean = layers[0].moving_mean.numpy()
        variance = layers[0].moving_variance.numpy()
        layers[0].moving_variance.assign(mean * 0 + 1)
        ask("variance of 1", model)
        layers[0].moving_mean.assign(mean * 0)
        ask("one at its start", model, f"{layers[0].name}: statistics as they start")
        layers[0].moving_variance.assign(variance)
        ask("mean of 0", model)
        new = member.build()
        untouched = [
            layer
            for layer in compare.norms_of(new)
            if not np.any(layer.moving_mean.numpy())
        ]
        ask("new", new, *[f"{layer.name}: stat" for layer in untouched])
    return found


def other_nodes() -> list:
    """Read nodes as other programs write them; return what is read wrongly."""
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    batchnorms = core.load("ship/onnx_to_keras.py:batchnorms")["batchnorms"]
    to_inference = core.load("trouble/onnx/training_node.py:to_inference")
    to_inference = to_inference["to_inference"]
    random = np.random.default_rng(0)
    arrays = {key: random.uniform(1, 2, 3).astype("float32") for key in "sbmv"}
    values = [
        helper.make_tensor_value_info(name, 1, ["batch", 3]) for name in ("x", "z")
    ]

    def net(opset=15, before=(), inputs="sbmv", outputs=("z",), last="z", **settings):
        names = [f"h{i}" for i in range(2)]
        both = [
            helper.make_node(
                "BatchNormalization", ["x", *"sbmv"], names[:1], **settings
            ),
            helper.make_node(
                "BatchNormalization", [names[0], *inputs], outputs, **settings
            ),
        ]
        stored = [numpy_helper.from_array(a, key) for key, a in arrays.items()]
        ends = [values[1]]
        if last != "z":
            ends.append(helper.make_tensor_value_info(last, 1, [3]))
        graph = helper.make_graph([*before, *both], "net", values[:1], ends, stored)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    aliases = [helper.make_node("Identity", [key], [f"{key}2"]) for key in "sbmv"]
    second = [f"{key}2" for key in "sbmv"]
    constant = helper.make_node(
        "Constant", [], ["s2"], value=numpy_helper.from_array(arrays["s"])
    )
    squares = helper.make_node("Mul", ["s", "s"], ["s2"])
    computed = ["s2", *"bmv"]
    read = {
        "no names": net(),
        "one name twice": net(name="bn"),
        "shared arrays": net(before=aliases, inputs=second),
        "a Constant": net(before=[constant], inputs=computed),
        "opset 13": net(13),
        "opset 6": net(6, is_test=1),
    }
    refused = {
        "computed": (net(before=[squares], inputs=computed), "s2 is computed"),
        "training": (net(training_mode=1), "training mode"),
        "outputs": (net(13, outputs=("z", "m2", "v2")), "training mode"),
        "opset 6": (net(6), "training mode"),
    }
    found = []
    for what, model in read.items():
        onnx.save(model, "net.onnx")
        every = batchnorms("net.onnx").values()
        same = [np.array_equal(e["arrays"], list(arrays.values())) for e in every]
        # What a node does not say has the defaults of ONNX.
        defaults = {(each["epsilon"], each["momentum"]) for each in every}
        if same != [True, True] or defaults != {(1e-5, 0.9)}:
            found.append(f"{what}: {every}")
    for what, (model, message) in refused.items():
        onnx.save(model, "net.onnx")
        said = _said(batchnorms, "net.onnx")
        if message not in said:
            found.append(f"{what}: said {said!r}")

    used = net(outputs=("z", "m2", "v2"), last="m2", training_mode=1)
    before = used.SerializeToString()
    if "its statistics are used" not in _said(to_inference, used):
        found.append("used statistics: no complaint")
    if used.SerializeToString() != before:
        found.append("refused, and half changed")
    return found


def _by_name(outputs) -> dict:
    """Return outputs by name in float32, also if there is one without a name."""
    import tensorflow as tf

    outputs = outputs if isinstance(outputs, dict) else {"output": outputs}
    return {key: tf.cast(output, "float32") for key, output in outputs.items()}


def served(names: list) -> list:
    """Export members, ask them in JSON; return what is answered otherwise."""
    import keras
    import numpy as np
    import tensorflow as tf

    from tests.zoo import compare

    recipe = core.load("ship/serving.py:answer")
    answer, assigned, found = recipe["answer"], recipe["assigned"], []
    for name in names:
        _, model, x = _trained(name)
        before = compare.state(model)
        several = isinstance(x, dict)
        x = keras.tree.map_structure(lambda a: np.asarray(a)[:4], x)
        columns = x if several else {"rows": x}
        specs = {
            key: tf.TensorSpec((None, *a.shape[1:]), a.dtype, name=key)
            for key, a in columns.items()
        }

        def serve(training, model=model, several=several):
            return lambda sent: _by_name(
                model(sent if several else sent["rows"], training=training)
            )

        archive = keras.export.ExportArchive()
        archive.track(model)
        archive.add_endpoint("serve", serve(False), [specs])
        archive.add_endpoint("learn", serve(True), [specs])
        archive.write_out(name, verbose=False)
        loaded = tf.saved_model.load(name)
        wanted = _by_name(model(x, training=False))

        rows = [{key: a[i].tolist() for key, a in columns.items()} for i in range(4)]
        bodies = {"named": rows}
        if not several:
            bodies["plain"] = x.tolist()
        for what, instances in bodies.items():
            for count in [1, len(instances)]:
                body = json.dumps({"instances": instances[:count]})
                given = json.loads(answer(loaded, body))["predictions"]
                if len(wanted) > 1:
                    given = {key: [row[key] for row in given] for key in wanted}
                else:
                    given = {key: given for key in wanted}
                for key, output in wanted.items():
                    if not np.allclose(
                        given[key], output[:count], rtol=1e-2, atol=1e-3
                    ):
                        found.append(f"{name}, {what}, {count}: {key} differs")
        if several:
            plain = [row["row"] for row in rows]
            said = _said(answer, loaded, json.dumps({"instances": plain}))
            if "['image', 'row']" not in said:
                found.append(f"{name}: no names, and {said!r}")
        other = [{**row, "another": 1} for row in rows]
        said = _said(answer, loaded, json.dumps({"instances": other}))
        if "each instance has to name" not in said:
            found.append(f"{name}: another name, and {said!r}")

        # Who moves the statistics, asked, and seen.
        for endpoint in ["serving_default", "learn"]:
            kept = [np.array(v) for v in loaded.variables]
            body = {"signature_name": endpoint, "instances": rows}
            answer(loaded, json.dumps(body))
            moved = [
                not np.array_equal(a, v)
                for a, v in zip(kept, loaded.variables, strict=True)
            ]
            ops = assigned(loaded.signatures[endpoint])
            if bool(ops) != any(moved) or any(moved) != (endpoint == "learn"):
                found.append(f"{name}, {endpoint}: {ops}, moved {sum(moved)}")
        if compare.changed(before, compare.state(model)):
            found.append(f"{name}: the model was changed")
    return found


def converted(names: list) -> list:
    """Ask members in other runtimes, whole and damaged; return what is said wrongly."""
    import keras
    import numpy as np
    import openvino as ov
    import tensorflow as tf
    import tf2onnx

    from tests.zoo import compare

    ask = core.load("trouble/symptoms/after_conversion.py:compare")["compare"]
    depends = core.load("trouble/onnx/training_mode.py:depends_on_the_batch")
    depends = depends["depends_on_the_batch"]
    verdict = core.load("ship/openvino_precision.py:verdict")["verdict"]
    found = []
    for name in names:
        member, model, x = _trained(name)
        norms = compare.norms_of(model)
        x = keras.tree.map_structure(lambda a: np.asarray(a)[:16], x)
        before = compare.state(model)

        def outputs(rows, training=False, model=model):
            kept = [(v, v.numpy()) for v in model.variables]
            given = keras.tree.map_structure(np.asarray, model(rows, training=training))
            for variable, array in kept:
                variable.assign(array)
            return given

        def moved(rows, model=model, norms=norms):
            kept = [(n.moving_mean, n.moving_mean.numpy()) for n in norms]
            for n in norms:
                n.moving_mean.assign(n.moving_mean + np.sqrt(n.moving_variance))
            given = outputs(rows, model=model)
            for variable, array in kept:
                variable.assign(array)
            return given

        if isinstance(x, dict) or isinstance(outputs(x), dict):
            said = _said(ask, model, outputs, x)
            if "one array" not in said:
                found.append(f"{name}: compare said {said!r}")
        else:
            cases = {
                "equal": (outputs, "yes 1e-5 no no"),
                "one percent": (lambda rows: outputs(rows) * 1.01, "yes 0.05 no no"),
                "moved": (moved, "yes more no no"),
                "training": (
                    lambda rows: outputs(rows, training=True),
                    "yes more yes yes",
                ),
                "NaN": (lambda rows: outputs(rows) * np.nan, "no - - -"),
            }
            for what, (predict, wanted) in cases.items():
                said = " ".join(ask(model, predict, x))
                # Of noise and Dropout, another draw may be near or not.
                drawn = what == "training" and {"noise", "dropout"} & member.traits
                if said not in (wanted, drawn and "yes more no yes"):
                    found.append(f"{name}, {what}: compare said {said}, not {wanted}")
        if changed := compare.changed(before, compare.state(model)):
            found.append(f"{name}: compare changed {changed}")

        # Files: two exports to ONNX, two to OpenVINO. Neither loads bfloat16.
        if isinstance(x, dict) or member.policy == "mixed_bfloat16":
            continue
        # Whose random numbers or constants tf2onnx does not take from a function.
        if not {"noise", "dropout", "outputs", "normalization"} & member.traits:
            spec = [tf.TensorSpec((None, *x.shape[1:]), x.dtype, name="rows")]
            for mode in [False, True]:
                file = f"{name}-{mode}.onnx"
                tf2onnx.convert.from_function(
                    tf.function(lambda rows, m=mode, net=model: net(rows, training=m)),
                    input_signature=spec,
                    output_path=file,
                )
                if depends(file, x) != mode:
                    found.append(f"{name}, training={mode}: depends {not mode}")
        if "masks" in member.traits:  # OpenVINO has no rule for Keras' GRU
            continue
        expected = outputs(x)
        model.export("net.xml", format="openvino", verbose=False)
        if isinstance(expected, dict):
            if "one output" not in _said(verdict, "net.xml", x, expected):
                found.append(f"{name}: a verdict on two outputs")
            continue
        ov.save_model(ov.Core().read_model("net.xml"), "half.xml")
        fault = "computed in 16 bits" if "mixed" in member.traits else "a fault"
        half = fault if "mixed" in member.traits else "constants of 16 bits"
        no_fault = ("equal", "precision of the device")
        plain = name == "sequential"
        asked = {
            "right": ("net.xml", expected, no_fault),
            "moved": ("net.xml", moved(x), (fault,)),
            "training": ("net.xml", outputs(x, training=True), (fault,)),
            # Where rounding hardly shows, there is nothing to say.
            "half": ("half.xml", expected, (half,) if plain else (half, *no_fault)),
        }
        for what, (file, array, wanted) in asked.items():
            said = verdict(file, x, array)
            if not said.startswith(wanted):
                found.append(f"{name}, {what}: {said}, not {wanted}")
    return found


def browser(names: list) -> list:
    """Convert members for the browser; return what is read or predicted otherwise."""
    import sys
    import types

    import keras
    import numpy as np

    from tests import routes
    from tests.zoo import compare

    # The pages import it in scripts of another environment.
    sys.modules["tensorflowjs"] = types.SimpleNamespace(converters=None)
    arrays_of = core.load("ship/tensorflow_js.py:arrays_of")["arrays_of"]
    translate = core.load("trouble/runtimes/tfjs_input_layer.py:translate")["translate"]
    found = []
    with routes.Web() as web:
        for name in names:
            member, model, x = _trained(name)
            if member.policy == "mixed_bfloat16":  # no such type there
                continue
            before = compare.state(model)
            model.export("saved", verbose=False)
            web.convert(f"saved {name}-web")
            web.convert(f"--quantize_float16=* saved {name}-half")
            if "stored rounded" not in _said(arrays_of, f"{name}-half"):
                found.append(f"{name}: read as float32 what is float16")
            arrays = [np.float32(a) for a in arrays_of(f"{name}-web").values()]
            for layer in compare.norms_of(model):
                gamma, beta, mean, variance = _arrays(layer)
                factor = gamma / np.sqrt(variance + layer.epsilon)
                offset = beta - mean * factor
                same = [a for a in arrays if a.size == offset.size]
                if not any(np.allclose(a.ravel(), offset, atol=1e-3) for a in same):
                    found.append(f"{name}: no offset of {layer.path}")
            if isinstance(x, dict) or "subclassed" in member.traits:
                continue
            model.save("net.h5")
            web.convert(f"--input_format=keras net.h5 {name}-layers")
            translate(f"{name}-layers/model.json")
            wanted = keras.tree.flatten(model(x[:4], training=False))
            file = f"{name}-layers/model.json"
            try:
                given = web.predict("loadLayersModel", file, x[:4])
            except Exception as error:
                # Layers that TensorFlow.js does not have.
                unknown = {"masks", "custom", "normalization", "noise"} & member.traits
                if not unknown or "Unknown layer" not in str(error):
                    found.append(f"{name}: {error}")
                continue
            same = [
                np.allclose(a, b, rtol=1e-2, atol=1e-3)
                for a, b in zip(given, wanted, strict=True)
            ]
            if not all(same):
                found.append(f"{name}: predicts otherwise, {same}")
            if compare.changed(before, compare.state(model)):
                found.append(f"{name}: the model was changed")
    return found + skipped(translate)


def skipped(translate) -> list:
    """Translate settings that TensorFlow.js skips; return what is not refused."""
    found = []
    for layer, setting in {
        "ReLU": ("negative_slope", 0.1),
        "GlobalAveragePooling2D": ("keepdims", True),
        "UpSampling2D": ("interpolation", "bilinear"),
        "Conv2DTranspose": ("output_padding", [1, 1]),
        "Dense": ("activation", "hard_sigmoid"),
    }.items():
        key, value = setting
        config = {"name": "here", key: value}
        layers = [{"class_name": layer, "config": config}]
        model = {"class_name": "Sequential", "config": {"name": "m", "layers": layers}}
        told = {"modelTopology": {"model_config": model}, "weightsManifest": []}
        text = json.dumps(told)
        Path("model.json").write_text(text, "utf-8")
        said = _said(translate, "model.json")
        if "here: " not in said or Path("model.json").read_text("utf-8") != text:
            found.append(f"{layer} with {key}: {said!r}")
    return found
