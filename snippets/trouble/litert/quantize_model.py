# --8<-- [start:setup]
import textwrap

import keras
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

random = np.random.default_rng(0)
x = random.normal(5, 3, (64, 8, 8, 1)).astype("float32")
layers = tf_keras.layers


def conv_bn(kind, inside=False):
    relu = [] if inside else [kind.layers.ReLU(name="relu")]
    return [
        kind.layers.Conv2D(
            4, 3, activation="relu" if inside else None, name="conv"
        ),
        kind.layers.BatchNormalization(momentum=0.9, name="bn"),
        *relu,
    ]


def head():
    return [layers.Flatten(name="flat"), layers.Dense(2, name="head")]


def first():
    return layers.BatchNormalization(momentum=0.9, name="first")


size = (8, 8, 1)
base = tf_keras.Sequential([layers.Input(size), *conv_bn(tf_keras)])
models = {
    "flat": [layers.Input(size), *conv_bn(tf_keras), *head()],
    "nested": [base, *head()],
    "at the start": [layers.Input(size), first(), *conv_bn(tf_keras), *head()],
    "after ReLU": [layers.Input(size), *conv_bn(tf_keras), first(), *head()],
    "ReLU inside": [layers.Input(size), *conv_bn(tf_keras, True), *head()],
}
models = {name: tf_keras.Sequential(each) for name, each in models.items()}
models["Keras 3"] = keras.Sequential([keras.Input(size), *conv_bn(keras)])
# --8<-- [end:setup]

# --8<-- [start:see]
for name, model in models.items():
    try:
        tfmot.quantization.keras.quantize_model(model)
        print(f"{name}: quantized")
    except (ValueError, RuntimeError) as error:
        text = str(error)
        if "<class" in text:
            layer, says = text.partition(":")[0], text.partition("> ")[2]
            text = f"{layer}: ... {says.partition('.')[0]}"
        text = f"{name}: {type(error).__name__}: {text}"
        print(textwrap.fill(text, 76, subsequent_indent="    "))
# --8<-- [end:see]


# --8<-- [start:fix]
class Keep(tfmot.quantization.keras.QuantizeConfig):
    """Leave a layer in float."""

    def get_weights_and_quantizers(self, layer):
        return []

    def get_activations_and_quantizers(self, layer):
        return []

    def get_output_quantizers(self, layer):
        return []

    def set_quantize_weights(self, layer, quantize_weights):
        pass

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_config(self):
        return {}


float_layers = ["first"]


def annotate(layer):
    config = Keep() if layer.name in float_layers else None
    return tfmot.quantization.keras.quantize_annotate_layer(layer, config)


model = models["at the start"]
for _ in range(50):
    model(x, training=True)
annotated = tf_keras.models.clone_model(model, clone_function=annotate)
with tfmot.quantization.keras.quantize_scope({"Keep": Keep}):
    aware = tfmot.quantization.keras.quantize_apply(annotated)
nested = models["nested"]
layers_of = [*nested.layers[0].layers, *nested.layers[1:]]
unpacked = tf_keras.Sequential([layers.Input(size), *layers_of])
unpacked_aware = tfmot.quantization.keras.quantize_model(unpacked)
# --8<-- [end:fix]


# --8<-- [start:inside]
def predictions_equal(one, other):
    return np.allclose(one(x, training=False), other(x, training=False))


inside = models["ReLU inside"]
for _ in range(50):
    inside(x, training=True)
copies = {"conv, ReLU inside, bn": True, "conv, bn, ReLU": False}
for name, within in copies.items():
    copy = [layers.Input(size), *conv_bn(tf_keras, within), *head()]
    copy = tf_keras.Sequential(copy)
    copy.set_weights(inside.get_weights())
    print(f"{name}: predicts the same: {predictions_equal(copy, inside)}")
tfmot.quantization.keras.quantize_model(copy)

float_layers, bn = ["bn"], inside.get_layer("bn").get_weights()
annotated = tf_keras.models.clone_model(inside, clone_function=annotate)
with tfmot.quantization.keras.quantize_scope({"Keep": Keep}):
    kept = tfmot.quantization.keras.quantize_apply(annotated)
kept_bn = kept.get_layer("quant_bn").layer.get_weights()
equal = all(map(np.array_equal, kept_bn, bn))
print("bn in float: quantized, its arrays equal:", equal)
# --8<-- [end:inside]

# --8<-- [start:sure]
quantized = [layer.layer for layer in aware.layers if hasattr(layer, "layer")]
for name in ["first", "bn"]:
    [inner] = [layer for layer in quantized if layer.name == name]
    pairs = zip(inner.get_weights(), model.get_layer(name).get_weights())
    equal = all(np.array_equal(a, b) for a, b in pairs)
    print(
        f"{name:5} equal: {equal}, new: {not inner.moving_mean.numpy().any()}"
    )
same = np.allclose(unpacked(x, training=False), nested(x, training=False))
print("nested and unpacked the same:", same)
print("quantized layers:", len(unpacked_aware.layers))
# --8<-- [end:sure]
