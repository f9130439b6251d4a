"""Members of the zoo beside their ONNX files, layer by layer."""

from tests.ship.nodes import said_by, trained
from tests.zoo import core


def layers(names: list) -> list:
    """Compare members with their files, then with a mean moved; return what is off."""
    import keras
    import numpy as np

    from tests.zoo import compare

    recipe = core.load("trouble/runtimes/onnx_first_layer.py:layer_by_layer")
    ask, found = recipe["layer_by_layer"], []
    # ONNX Runtime has no convolutions in bfloat16, and wants the constants of a
    # Normalization layer as inputs, of which a page tells.
    for name in [n for n in names if n not in ("bfloat16", "normalization")]:
        member, model, x = trained(name)
        file = f"{name}.onnx"
        kind = type(model).__name__
        if kind not in ("Functional", "Sequential") or isinstance(x, dict):
            said = said_by(ask, model, file, x)
            if "not a functional or Sequential model of one input" not in said:
                found.append(f"{name}: {said!r}")
            continue
        x = np.asarray(x)
        x = x.astype("int32") if x.dtype.kind == "i" else x  # as in the file
        model(x, training=False)
        model.export(file, format="onnx", verbose=False)
        before = compare.state(model)
        limit = 0.05 if "mixed" in member.traits else 1e-3
        differences = ask(model, file, x)
        if compare.changed(before, compare.state(model)):
            found.append(f"{name}: the model was changed")
        last = list(differences)[-1]
        if differences[last] > limit:
            found.append(f"{name}: {differences}")
        order = [layer.name for layer in model.layers]
        if list(differences) != [n for n in order if n in differences]:
            found.append(f"{name}: not in the order of the layers")
        norms = [
            layer
            for layer in model.layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ]
        if norms:
            mean = norms[0].moving_mean
            mean.assign(mean + 5)
            now = ask(model, file, x)
            off = [n for n, v in now.items() if v > max(limit, 2 * differences[n])]
            if not off or order.index(off[0]) < order.index(norms[0].name):
                found.append(f"{name}, {norms[0].name} moved: {off}")
    return found
