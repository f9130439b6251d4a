"""BatchNormalization as nodes of ONNX: written, run, read back, and asked about."""

from tests.zoo import core


def trained(name):
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


def said_by(call, *arguments) -> str:
    """Return the message of the ValueError that a call raises, or an empty text."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return ""


def arrays_of_layer(layer):
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
        _, model, _ = trained(name)
        before = compare.state(model)
        layers = compare.norms_of(model)
        x, wanted = {}, {}
        for i, layer in enumerate(layers):
            gamma, beta, mean, variance = arrays_of_layer(layer)
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
                said = said_by(batchnorms, "net.onnx")
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
                    for a, b in zip(each["arrays"], arrays_of_layer(layer), strict=True)
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
        member, model, _ = trained(name)
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
        said = said_by(batchnorms, "net.onnx")
        if message not in said:
            found.append(f"{what}: said {said!r}")

    used = net(outputs=("z", "m2", "v2"), last="m2", training_mode=1)
    before = used.SerializeToString()
    if "its statistics are used" not in said_by(to_inference, used):
        found.append("used statistics: no complaint")
    if used.SerializeToString() != before:
        found.append("refused, and half changed")
    return found
