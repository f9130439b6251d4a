# --8<-- [start:see]
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

layers, tool = tf_keras.layers, tfmot.sparsity.keras
x = np.random.default_rng(0).normal(5, 3, (256, 8, 8, 1)).astype("float32")
y = x.mean((1, 2))


def net(frozen, **mode):
    image = layers.Input((8, 8, 1))
    inner = layers.Conv2D(8, 3, name="conv")(image)
    inner = layers.BatchNormalization(momentum=0.9, name="bn")(inner)
    base = tf_keras.Model(image, inner, name="base")
    base.trainable = not frozen
    inputs = layers.Input((8, 8, 1))
    pooled = layers.GlobalAveragePooling2D()(base(inputs, **mode))
    return tf_keras.Model(inputs, layers.Dense(1, name="head")(pooled))


def fit(wrapped):
    wrapped.compile("sgd", "mse")
    update = tool.UpdatePruningStep()
    wrapped.fit(x, y, epochs=2, verbose=0, callbacks=[update])
    return tool.strip_pruning(wrapped)


def look(name, stripped, old):
    kernel = stripped.get_layer("base").get_layer("conv").kernel
    bn = stripped.get_layer("base").get_layer("bn")
    moved = not np.array_equal(bn.moving_mean, old)
    print(f"{name:22} zeros {np.mean(kernel == 0):.2f}, mean moved {moved}")


half = tool.ConstantSparsity(0.5, 0, frequency=1)
cases = {
    "trains": net(False),
    "frozen": net(True),
    "frozen, training=False": net(True, training=False),
}
for name, model in cases.items():
    bn = model.get_layer("base").get_layer("bn")
    wrapped = tool.prune_low_magnitude(model, half)
    look(name, fit(wrapped), np.zeros(8))
# --8<-- [end:see]

# --8<-- [start:flags]
model = cases["frozen"]
stripped = tool.strip_pruning(tool.prune_low_magnitude(model, half))
for name, one in {"before": model, "stripped": stripped}.items():
    base = one.get_layer("base")
    flags = [layer.trainable for layer in base.layers if layer.weights]
    print(f"{name:8} base {base.trainable}, its layers {flags}")
# --8<-- [end:flags]


# --8<-- [start:fix]
def trained_only(net, schedule):
    """Return a flat tf_keras net with the kernels wrapped that it trains.

    Models inside stay as they are.
    """
    kind = tf_keras.layers

    def wrap(layer):
        kernels = kind.Conv2D, kind.Dense, kind.Embedding
        if isinstance(layer, kernels) and layer.trainable:
            return tfmot.sparsity.keras.prune_low_magnitude(layer, schedule)
        return layer

    return tf_keras.models.clone_model(net, clone_function=wrap)


# --8<-- [end:fix]

# --8<-- [start:sure]
for name, mode in {"frozen": {}, "training=False": {"training": False}}.items():
    stripped = fit(trained_only(net(True, **mode), half))
    look(name, stripped, np.zeros(8))
    zeros = np.mean(stripped.get_layer("head").kernel == 0)
    print(f"   head zeros {zeros:.2f}")
# --8<-- [end:sure]
