"""Members of the zoo in other runtimes: what is answered, said and read of them."""

import json
from pathlib import Path

from tests.ship.nodes import arrays_of_layer, said_by, trained
from tests.zoo import core


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
        _, model, x = trained(name)
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
            said = said_by(answer, loaded, json.dumps({"instances": plain}))
            if "['image', 'row']" not in said:
                found.append(f"{name}: no names, and {said!r}")
        other = [{**row, "another": 1} for row in rows]
        said = said_by(answer, loaded, json.dumps({"instances": other}))
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
        member, model, x = trained(name)
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
            said = said_by(ask, model, outputs, x)
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
            if "say which" not in said_by(verdict, "net.xml", x, expected):
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

    from tests.ship.web import Web
    from tests.zoo import compare

    # The pages import it in scripts of another environment.
    sys.modules["tensorflowjs"] = types.SimpleNamespace(converters=None)
    arrays_of = core.load("ship/tensorflow_js.py:arrays_of")["arrays_of"]
    translate = core.load("trouble/runtimes/tfjs_input_layer.py:translate")["translate"]
    found = []
    with Web() as web:
        for name in names:
            member, model, x = trained(name)
            if member.policy == "mixed_bfloat16":  # no such type there
                continue
            before = compare.state(model)
            model.export("saved", verbose=False)
            web.convert(f"saved {name}-web")
            web.convert(f"--quantize_float16=* saved {name}-half")
            if "stored rounded" not in said_by(arrays_of, f"{name}-half"):
                found.append(f"{name}: read as float32 what is float16")
            arrays = [np.float32(a) for a in arrays_of(f"{name}-web").values()]
            for layer in compare.norms_of(model):
                gamma, beta, mean, variance = arrays_of_layer(layer)
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
        said = said_by(translate, "model.json")
        if "here: " not in said or Path("model.json").read_text("utf-8") != text:
            found.append(f"{layer} with {key}: {said!r}")
    return found
