# --8<-- [start:setup]
import textwrap

import keras
import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

tool = tfmot.sparsity.keras
layers = tf_keras.layers


def prune(model):
    half = tool.ConstantSparsity(0.5, 0, frequency=1)
    return tool.prune_low_magnitude(model, half)


def cluster(model):
    return tfmot.clustering.keras.cluster_weights(model, number_of_clusters=4)


def net(first=None, kind=tf_keras):
    layers = kind.layers
    inputs = kind.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, name="conv")(first(inputs) if first else inputs)
    x = layers.BatchNormalization(name="bn")(x)
    return kind.Model(inputs, layers.Flatten()(x))


class Own(tf_keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = net()

    def call(self, x, training=None):
        return self.inner(x, training=training)


class OwnNorm(layers.BatchNormalization):
    pass


frozen = net()
frozen.trainable = False
models = {
    "as it should be": net(),
    "Keras 3": net(kind=keras),
    "subclassed": Own(),
    "Rescaling": net(layers.Rescaling(1 / 255)),
    "a class of your own": net(OwnNorm()),
    "frozen": frozen,
}
# --8<-- [end:setup]


# --8<-- [start:see]
def attempt(name, call, *arguments, **options):
    try:
        print(f"{name}:", type(call(*arguments, **options)).__name__)
    except Exception as error:
        text = " ".join(str(error).split())
        if "assertion failed" in text:
            text = text[text.index("assertion failed") :]
        for end in [
            "callback",
            "Models or",
            "supported layer.",
            "keras.layers",
        ]:
            text = text[: text.find(end) + len(end)] if end in text else text
        text = f"{name}: {type(error).__name__}: {text.partition(', with')[0]}"
        print(textwrap.fill(text, 76, subsequent_indent="    "))


for name, model in models.items():
    attempt(f"prune, {name}", prune, model)
for name, model in models.items():
    attempt(f"cluster, {name}", cluster, model)
# --8<-- [end:see]

# --8<-- [start:callback]
x, y = np.random.default_rng(0).normal(size=(64, 8, 8, 1)), np.zeros((64, 144))
update = tool.UpdatePruningStep()
for name, callbacks in {"without": None, "with": [update]}.items():
    wrapped = prune(net())
    wrapped.compile("sgd", "mse")
    attempt(name, wrapped.fit, x, y, verbose=0, callbacks=callbacks)
# --8<-- [end:callback]

# --8<-- [start:original]
model, pruned_one = net(), net()
model.save("before.h5")
cluster(model), prune(pruned_one)
model.save("after.h5")
pruned_one.save("after-prune.h5")
for file in ["before.h5", "after-prune.h5", "after.h5"]:
    attempt(file, tf_keras.models.load_model, file)
# --8<-- [end:original]

# --8<-- [start:fix]
twin = net()
twin.set_weights(models["Keras 3"].get_weights())
inner = models["subclassed"].inner
thawed = models["frozen"]
for layer in thawed.layers:
    layer.trainable = not isinstance(layer, layers.BatchNormalization)


def wrap_known(layer):
    # The other layers stay as they are.
    known = (layers.Conv2D, layers.Dense, layers.Embedding)
    return prune(layer) if isinstance(layer, known) else layer


partly = tf_keras.models.clone_model(
    models["a class of your own"], clone_function=wrap_known
)
# --8<-- [end:fix]

# --8<-- [start:sure]
attempt("from Keras 3", prune, twin)
attempt("the net inside", prune, inner)
attempt("clustered, BatchNormalization frozen", cluster, thawed)
print("   its flag:", thawed.get_layer("bn").trainable)
partly.compile("sgd", "mse")
partly.fit(x, y, verbose=0, callbacks=[update], epochs=2)
kernel = tool.strip_pruning(partly).get_layer("conv").kernel
print(f"of a class of your own, zeros: {np.mean(kernel == 0):.2f}")
# --8<-- [end:sure]
