# --8<-- [start:layer]
import json
import re
from collections import Counter

import keras
import numpy as np


def folded(layer, bn):
    """Return a layer that computes what the two compute in inference mode."""
    arrays = layer.get_weights()
    bias = arrays.pop() if layer.use_bias else 0
    factor = 1 / np.sqrt(bn.moving_variance.numpy() + bn.epsilon)
    factor *= bn.gamma.numpy() if bn.scale else 1
    bias = (bias - bn.moving_mean.numpy()) * factor
    bias += bn.beta.numpy() if bn.center else 0
    if type(layer).__name__ == "DepthwiseConv2D":
        factor = factor.reshape(arrays[-1].shape[-2:])
    elif type(layer).__name__ == "Conv2DTranspose":
        factor = factor[:, None]
    arrays[-1] = arrays[-1] * factor  # the kernel
    new = type(layer).from_config({**layer.get_config(), "use_bias": True})
    new.build(layer.input.shape)
    new.set_weights([*arrays, bias])
    return new


# --8<-- [end:layer]

# --8<-- [start:fold]
MODELS = {"Sequential", "Functional"}
FOLDS = {
    *("Conv1D", "Conv2D", "Conv3D", "SeparableConv2D", "Dense"),
    *("DepthwiseConv2D", "Conv2DTranspose"),
}


def fold(model):
    """Return a folded model, and which layers stay as they are, and why.

    It computes what `model(x, training=False)` computes, and shares with the
    model all layers that it does not fold.
    """
    if type(model).__name__ not in MODELS:
        raise ValueError(f"{model.name} is neither functional nor Sequential")
    ends = model.inputs[0], model.outputs[0]
    if type(model).__name__ == "Functional":
        ends = model.input, model.output
    model = keras.Model(*ends, name=model.name)  # the same, not compiled
    calls, used = read_graph(model)
    layers = {layer.name: layer for layer in model.layers}
    new, gone, left = {}, set(), {}
    for name, layer in layers.items():
        if type(layer).__name__ in MODELS:
            new[name], inside = fold(layer)
            left |= {f"{name}/{key}": why for key, why in inside.items()}
        elif type(layer) is keras.layers.BatchNormalization:
            sources = sources_in(calls[name])
            why = obstacle(layers.get(sources[0]), layer, calls, used)
            if why:
                left[name] = why
            else:
                new[sources[0]] = folded(layers[sources[0]], layer)
                gone.add(name)
        elif "moving_mean" in {v.name for v in layer.variables}:
            left[name] = f"inside of a {type(layer).__name__}"
    copy = keras.models.clone_model(
        model,
        clone_function=lambda layer: new.get(layer.name, layer),
        call_function=lambda layer, x, *others, **settings: (
            x if layer.name in gone else layer(x, *others, **settings)
        ),
    )
    return copy, left


def read_graph(model):
    """Return each layer's calls as text, and how often each output is used."""
    config = model.get_config()
    calls = {
        entry["name"]: json.dumps(entry["inbound_nodes"], default=str)
        for entry in config["layers"]
    }
    outputs = json.dumps(config["output_layers"])
    return calls, Counter(sources_in(" ".join([outputs, *calls.values()])))


def sources_in(text):
    return re.findall(r'\["([^"]+)", \d+, \d+', text)


def obstacle(layer, bn, calls, used):
    """Return why a layer cannot take in the BatchNormalization after it."""
    kind = type(layer).__name__
    if kind not in FOLDS:
        return f"it follows {sources_in(calls[bn.name])[0]}"
    if layer.activation is not keras.activations.linear:
        return f"{layer.name} has an activation"
    if len(sources_in(calls[bn.name] + calls[layer.name])) > 2:
        return "one of the two is called twice"
    if used[layer.name] > 1:
        return f"the output of {layer.name} is used elsewhere, too"
    if '"training": true' in calls[bn.name]:
        return "it is called with training=True"
    rank = len(layer.output.shape)
    first = getattr(layer, "data_format", "") == "channels_first"
    if bn.axis % rank != (1 if first else rank - 1):
        return f"its axis {bn.axis} is not that of the channels"
    others = ("quantization_mode", "lora_enabled")
    if any(getattr(layer, name, None) for name in others):
        return f"{layer.name} is quantized or has LoRA"
    return None


# --8<-- [end:fold]

# --8<-- [start:prove]
net = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3))
random = np.random.default_rng(0)
photos = random.uniform(-1, 1, (8, 96, 96, 3)).astype("float32")
photos *= np.linspace(0.1, 1, 8).reshape(-1, 1, 1, 1).astype("float32")
for layer in net.layers:  # leave this out for a trained net: it overwrites
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.gamma.assign(random.uniform(0.5, 2, layer.gamma.shape))
        layer.beta.assign(random.normal(0, 1, layer.beta.shape))
        layer.momentum = 0.1
net(photos, training=True)  # statistics as those of a trained net

small, left = fold(net)
expected = net(photos, training=False)
np.testing.assert_allclose(small(photos, training=False), expected, rtol=1e-3)
one = small(photos[:1], training=False)
np.testing.assert_allclose(one, expected[:1], rtol=1e-3)
print("layers:", len(net.layers), "before,", len(small.layers), "after")
print("BatchNormalization layers that stay:", left)
# --8<-- [end:prove]


# --8<-- [start:teeth]
def equal(outputs):
    return np.allclose(outputs, expected, rtol=1e-3)


print("folded:", equal(small(photos, training=False)))
print("in training mode:", equal(net(photos, training=True)))
for layer in net.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.epsilon = 1e-5
print("another epsilon:", equal(fold(net)[0](photos, training=False)))
# --8<-- [end:teeth]

# --8<-- [start:left]
inputs = keras.Input((8, 8, 3), name="image")
x = keras.layers.BatchNormalization(name="first")(inputs)
x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x)
x = keras.layers.BatchNormalization(name="after_relu")(x)
twice = keras.layers.Conv2D(4, 3, padding="same", name="twice")(x)
x = keras.layers.BatchNormalization(name="branch")(twice)
x = keras.layers.Add(name="add")([x, twice])
norm = keras.layers.BatchNormalization(name="shared")
x = norm(keras.layers.Conv2D(4, 1)(norm(keras.layers.Conv2D(4, 1)(x))))
x = keras.layers.Conv2D(4, 1, name="across")(x)
x = keras.layers.BatchNormalization(axis=1, name="of_rows")(x)
x = keras.layers.Dense(4, use_bias=False)(x)
outputs = keras.layers.BatchNormalization(scale=False, name="folds")(x)

for name, why in fold(keras.Model(inputs, outputs))[1].items():
    print(f"{name:11}{why}")
# --8<-- [end:left]

# --8<-- [start:speed]
import time


def seconds(model):
    start = time.process_time()
    model(photos[:1], training=False)
    return time.process_time() - start


times = [(seconds(net), seconds(small)) for _ in range(10)]
before, after = np.min(times, axis=0)
print("a plain call takes less time:", bool(after < before))
# --8<-- [end:speed]
