# --8<-- [start:setup]
import numpy as np
import tensorflow_model_optimization as tfmot
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


layers = tf_keras.layers


def normalized(layer, x):
    bn = layers.BatchNormalization(momentum=0.9, name=f"{layer.name}_bn")
    return bn(layer(x))


def build():
    part = dict(padding="same", use_bias=False)
    inputs = layers.Input((16, 16, 1))
    x = normalized(layers.Conv2D(16, 3, use_bias=False, name="stem"), inputs)
    x = y = layers.ReLU()(x)
    x = normalized(layers.DepthwiseConv2D(3, name="depth", **part), x)
    x = normalized(layers.Conv2D(16, 1, name="point", **part), x)
    x = layers.ReLU()(layers.Add()([x, y]))
    x = normalized(layers.Conv2D(32, 3, strides=2, name="deep"), x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return tf_keras.Model(inputs, layers.Dense(6, name="head")(x))


def compiled(net):
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(tf_keras.optimizers.Adam(1e-3), loss)
    return net


x, y = stripes(2048)
new_x, new_y = stripes(512)
tf_keras.utils.set_random_seed(0)
model = compiled(build())
model.fit(x, y, batch_size=64, epochs=4, verbose=0)
model.save("trained.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
tool = tfmot.clustering.keras


def load():
    return tf_keras.models.load_model("trained.keras", compile=False)


def right(net):
    return np.mean(np.argmax(net(new_x, training=False), axis=1) == new_y)


def loss_of(net):
    return compiled(net).evaluate(new_x, new_y, verbose=0)


clustered = tool.cluster_weights(load(), number_of_clusters=16)
print("trained   right for 90 %:", right(load()) > 0.9)
print("clustered right for 90 %:", right(clustered) > 0.9)

plain = load()
for name, net in {"clustered": clustered, "plain": plain}.items():
    outputs = [net(new_x, training=mode).numpy() for mode in [False, True]]
    print(f"{name:9} the same in training mode:", np.array_equal(*outputs))
# --8<-- [end:see]


# --8<-- [start:fix]
def estimate(net, batches):
    """Give all BatchNormalization layers of a tf_keras net the batches' mean.

    Raises:
        ValueError: The net drops or adds noise, or no batch reached a layer.
    """
    kind = tf_keras.layers
    noise = kind.Dropout, kind.GaussianDropout, kind.GaussianNoise
    if any(isinstance(part, noise) for part in net.submodules):
        raise ValueError("noise would be part of the statistics")
    norms = [
        part
        for part in net.submodules
        if isinstance(part, kind.BatchNormalization)
    ]
    settings = [(norm, norm.momentum, norm.trainable) for norm in norms]
    old = [norm.moving_mean.numpy() for norm in norms]
    for n, batch in enumerate(batches):
        for norm in norms:
            norm.trainable, norm.momentum = True, n / (n + 1)
        net(batch, training=True)
    for norm, momentum, trainable in settings:
        norm.momentum, norm.trainable = momentum, trainable
    for norm, mean in zip(norms, old):
        if np.array_equal(norm.moving_mean, mean):
            raise ValueError(f"{norm.name}: no batch reached it")


batches = [x[i : i + 256] for i in range(0, 2048, 256)]
stripped = tool.strip_clustering(clustered)
estimate(stripped, batches)
print("estimated right for 90 %:", right(stripped) > 0.9)
again = compiled(tool.cluster_weights(stripped, number_of_clusters=16))
again.fit(x, y, batch_size=64, epochs=2, verbose=0)
final = tool.strip_clustering(again)
# --8<-- [end:fix]

# --8<-- [start:sure]
values = [len(np.unique(final.get_layer(n).kernel)) for n in ["stem", "deep"]]
print("values in two kernels:", values)

late = compiled(tool.cluster_weights(load(), number_of_clusters=16))
late.fit(x, y, batch_size=64, epochs=2, verbose=0)
late = tool.strip_clustering(late)
trained = loss_of(late)
estimate(late, batches)
print(
    "estimated before fit, loss below that without:", loss_of(final) < trained
)
print("estimated after fit, loss below that without: ", loss_of(late) < trained)
# --8<-- [end:sure]
