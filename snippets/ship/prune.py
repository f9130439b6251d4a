# --8<-- [start:model]
import numpy as np
import tf_keras

random = np.random.default_rng(0)


def stripes(count):
    """Return noisy images of stripes, and which of 6 directions they have."""
    kinds = random.integers(0, 6, count)
    angle = (kinds * np.pi / 6).reshape(-1, 1, 1)
    row, column = np.mgrid[:16, :16]
    wave = row * np.sin(angle) + column * np.cos(angle)
    wave = np.sin(0.9 * wave + random.uniform(0, 6, (count, 1, 1)))
    images = 0.5 + 0.2 * wave + random.normal(0, 0.2, (count, 16, 16))
    return np.clip(images, 0, 1).astype("float32")[..., None], kinds


def build(kind):
    """Return the net, built with tf_keras or with Keras 3."""
    layers = kind.layers

    def normalized(layer, x):
        x = layer(x)
        return layers.BatchNormalization(momentum=0.9, name=f"{layer.name}_bn")(
            x
        )

    inputs = kind.Input((16, 16, 1), name="image")
    stem = layers.Conv2D(16, 3, use_bias=False, name="stem")
    x = y = layers.ReLU()(normalized(stem, inputs))
    part = dict(padding="same", use_bias=False)
    x = normalized(layers.DepthwiseConv2D(3, name="depth", **part), x)
    x = normalized(layers.Conv2D(16, 1, name="point", **part), x)
    x = layers.ReLU()(layers.Add()([x, y]))
    deep = layers.Conv2D(32, 3, strides=2, use_bias=False, name="deep")
    x = layers.ReLU()(normalized(deep, x))
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return kind.Model(inputs, layers.Dense(6, name="head")(x))


loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def fit(net, epochs, rate=1e-3, **options):
    net.compile(tf_keras.optimizers.Adam(rate), loss)
    net.fit(x, y, batch_size=64, epochs=epochs, verbose=0, **options)


x, y = stripes(2048)
new_x, new_y = stripes(512)
tf_keras.utils.set_random_seed(0)
model = build(tf_keras)
fit(model, epochs=4)
model.save("trained.keras")
# --8<-- [end:model]

# --8<-- [start:prune]
import tensorflow_model_optimization as tfmot

tool = tfmot.sparsity.keras
model = tf_keras.models.load_model("trained.keras", compile=False)
before = {v.name: v.numpy() for v in model.variables}
schedule = tool.PolynomialDecay(0.2, 0.5, 0, end_step=64, frequency=8)
wrapped = tool.prune_low_magnitude(model, schedule)
fit(wrapped, epochs=3, callbacks=[tool.UpdatePruningStep()])

stripped = tool.strip_pruning(wrapped)
stripped.save("pruned.keras")
# --8<-- [end:prune]

# --8<-- [start:arrays]
for name in ["deep", "deep_bn"]:
    for v in stripped.get_layer(name).variables:
        zeros, moved = np.mean(v == 0), not np.array_equal(v, before[v.name])
        print(f"{v.name:26} zeros {zeros:.2f} moved {moved}")
same = model.get_layer("deep_bn") is stripped.get_layer("deep_bn")
print("model has the same layers:", same)
# --8<-- [end:arrays]

# --8<-- [start:cluster]
clusters = tfmot.clustering.keras
model = tf_keras.models.load_model("trained.keras", compile=False)
wrapped_too = clusters.cluster_weights(model, number_of_clusters=16)
old = model.get_layer("deep_bn").get_weights()
fit(wrapped_too, epochs=2)

clustered = clusters.strip_clustering(wrapped_too)
clustered.save("clustered.keras")
layer = clustered.get_layer("deep")
print("values in the kernel:", len(np.unique(layer.kernel)))
new = clustered.get_layer("deep_bn").get_weights()
names = "gamma beta moving_mean moving_variance".split()
for name, a, b in zip(names, old, new):
    print(f"{name:15} moved: {not np.array_equal(a, b)}")
# --8<-- [end:cluster]

# --8<-- [start:expect]
both = {"pruned": (wrapped, stripped), "clustered": (wrapped_too, clustered)}
for name, (before, net) in both.items():
    outputs = before(new_x, training=False)
    np.savez(f"{name}.npz", *net.get_weights(), x=new_x, outputs=outputs)
# --8<-- [end:expect]

# --8<-- [start:reload]
import numpy as np
import tf_keras


def equal(net, expected, training=False):
    outputs = net(expected["x"], training=training)
    return np.allclose(outputs, expected["outputs"], rtol=1e-4, atol=1e-4)


for name in ["pruned", "clustered"]:
    net = tf_keras.models.load_model(f"{name}.keras", compile=False)
    expected = np.load(f"{name}.npz")
    for n, array in enumerate(net.get_weights()):
        np.testing.assert_array_equal(array, expected[f"arr_{n}"])
    print(f"{name}: arrays equal, predictions equal: {equal(net, expected)}")
    bn = net.get_layer("deep_bn")
    gamma, beta, mean, variance = bn.get_weights()
    bn.set_weights([gamma, beta, -mean, variance])
    print("   a wrong sign:    ", equal(net, expected))
    bn.set_weights([gamma, beta, variance, np.abs(mean)])
    print("   swapped:         ", equal(net, expected))
    bn.set_weights([gamma, beta, mean, variance])
    print("   in training mode:", equal(net, expected, training=True))
# --8<-- [end:reload]

# --8<-- [start:keras3]
import keras
from bn_tools import estimate_again


def to_keras_3(net):
    net.save_weights("arrays.h5")
    new = build(keras)
    new.load_weights("arrays.h5")
    return new


def right(net):
    return np.mean(np.argmax(net(new_x, training=False), axis=1) == new_y)


def equal(net, outputs):
    expected = net(new_x, training=False)
    return np.allclose(outputs, expected, rtol=1e-4, atol=1e-4)


new = to_keras_3(stripped)
pairs = zip(stripped.get_weights(), new.get_weights(), strict=True)
print("arrays equal:", all(np.array_equal(a, b) for a, b in pairs))
print("predictions equal:", equal(stripped, new(new_x, training=False)))
new.save("pruned-3.keras")
new.get_layer("deep_bn").epsilon *= 100  # as a control
print("another epsilon:  ", equal(stripped, new(new_x, training=False)))
# --8<-- [end:keras3]

# --8<-- [start:litert]
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

shapes = {"deep": (32, 3, 3, 16), "head": (6, 32)}
for name, net in {"pruned": stripped, "clustered": clustered}.items():
    content = tf.lite.TFLiteConverter.from_keras_model(net).convert()
    run = Interpreter(model_content=content).get_signature_runner()
    print(f"{name} equal:", equal(net, run(image=new_x)["head"]))
    found = Interpreter(model_content=content)
    found.allocate_tensors()
    for each, shape in shapes.items():
        for tensor in found.get_tensor_details():
            if tuple(tensor["shape"]) == shape:
                kernel = found.get_tensor(tensor["index"])
        kept = len(np.unique(kernel)) <= 16
        print(f"   {each} zeros {np.mean(kernel == 0):.2f}, 16 values: {kept}")
# --8<-- [end:litert]

# --8<-- [start:statistics]
batches = [x[i : i + 256] for i in range(0, 2048, 256)]
for name, epochs in {"trained on": 3, "at once": 1}.items():
    net = tf_keras.models.load_model("trained.keras", compile=False)
    half = tool.ConstantSparsity(0.5, 0, frequency=1)
    wrapped = tool.prune_low_magnitude(net, half)
    wrapped.trainable = name == "trained on"
    fit(wrapped, epochs, callbacks=[tool.UpdatePruningStep()])
    new = to_keras_3(tool.strip_pruning(wrapped))
    before = right(new) > 0.9
    estimate_again(new, batches)
    print(f"{name:10} right for 90 %: {before}, then {right(new) > 0.9}")
# --8<-- [end:statistics]

# --8<-- [start:versions]
from importlib.metadata import version

optimization = "tensorflow-model-optimization"
for each in ["tensorflow", optimization, "tf-keras", "keras", "ai-edge-litert"]:
    print(each, version(each))
# --8<-- [end:versions]
