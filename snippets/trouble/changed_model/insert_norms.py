# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import estimate_again, layers_in

keras.utils.set_random_seed(0)
x = np.random.normal(3, 2, size=(256, 8, 8, 3)).astype("float32")
y = np.argmax(x.mean(axis=(1, 2)), axis=1)


def net(norms):
    inputs = h = keras.Input(shape=(8, 8, 3))
    for i in (1, 2):
        h = keras.layers.Conv2D(8, 3, name=f"conv{i}")(h)
        if norms:
            h = keras.layers.BatchNormalization()(h)
        h = keras.layers.ReLU()(h)
    h = keras.layers.GlobalAveragePooling2D()(h)
    return compiled(keras.Model(inputs, keras.layers.Dense(3)(h), name="net"))


def compiled(model):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.005), loss)
    return model


model = net(norms=False)
model.fit(x, y, epochs=60, verbose=0)
model.save_weights("trained.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:count]
plain = net(norms=True)
try:
    plain.set_weights(model.get_weights())
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:count]

# --8<-- [start:load]
try:
    plain.load_weights("trained.weights.h5")
except ValueError as error:
    print("ValueError:", str(error).partition(" Expected:")[0])
# --8<-- [end:load]

# --8<-- [start:see]
import warnings


def report(name, new):
    before, kept = model.predict(x, verbose=0), new.get_weights()
    equal = np.allclose(new.predict(x, verbose=0), before, atol=1e-4)
    old = model.evaluate(x, y, verbose=0)
    # In one batch, the loss is that of before the first step.
    losses = new.fit(x, y, batch_size=len(x), verbose=0).history["loss"]
    times = losses[0] / old
    new.set_weights(kept)
    loss = "equal" if abs(times - 1) < 0.01 else f"{times:.0f} times as high"
    print(f"{name:8} predictions equal: {equal!s:5} loss in step 1: {loss}")


with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    plain.load_weights("trained.weights.h5", skip_mismatch=True)
report("model", model)
report("plain", plain)
# --8<-- [end:see]


# --8<-- [start:fix]
def insert_batch_norms(model, after, batches, **settings):
    """Return a copy of a model with a BatchNormalization after some layers.

    In inference mode, the copy predicts what the model predicts. It is a
    Functional model, also if the model is a Sequential. Compile it.

    Args:
        model: A Functional or Sequential model, also with Functional ones
            in it.
        after: Names of layers that are called once. Each of them gets a new
            layer, behind the activation if the layer has one inside.
        batches: As for ``estimate_again``, but no generator: they are gone
            through once for each name.
        **settings: For the new layers, such as ``momentum=0.9``.

    Raises:
        ValueError: It cannot be done; the message says why.
    """
    if iter(batches) is batches:
        raise ValueError("batches are read several times: pass a list")
    after, pairs, norms = list(after), [], {}

    def clone(layer):
        new = layer.__class__.from_config(layer.get_config())
        pairs.append((layer, new))
        return new

    def call(layer, *args, **kwargs):
        outputs = layer(*args, **kwargs)
        if layer.name not in after:
            return outputs
        if layer.name in norms or not isinstance(outputs, keras.KerasTensor):
            raise ValueError(f"{layer.name}: called twice, or several outputs")
        channels_first = getattr(layer, "data_format", "") == "channels_first"
        norm = keras.layers.BatchNormalization(
            **{"axis": 1 if channels_first else -1, **settings},
            dtype=layer.dtype_policy,
            name=f"{layer.name}_inserted",
        )
        if not (norm.scale and norm.center):
            raise ValueError("without gamma or beta it changes what it gets")
        norms[layer.name] = norm
        return norm(outputs)

    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    copy = keras.models.clone_model(
        model, clone_function=clone, call_function=call, recursive=True
    )
    missing = [name for name in after if name not in norms]
    if missing or not norms:
        places = "wrappers, classes or an inner Sequential"
        raise ValueError(f"no such layers, or in {places}: {missing}")
    for old, new in pairs:
        if isinstance(old, keras.layers.Layer):  # not an operation as x + 1
            new.set_weights(old.get_weights())
    for layer in layers_in(copy, {}).values():
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # it computes with copies of its arrays
    for norm in norms.values():  # 0 and 1, but for epsilon
        norm.gamma.assign(np.sqrt(norm.moving_variance + norm.epsilon))
    for norm in norms.values():
        estimate_again(copy, batches, [norm])
        norm.gamma.assign(np.sqrt(norm.moving_variance + norm.epsilon))
        norm.beta.assign(norm.moving_mean)
    first = next(iter(batches))
    inputs = first[0] if isinstance(first, tuple) else first
    outputs = [each(inputs, training=False) for each in (model, copy)]
    for pair in zip(*map(keras.tree.flatten, outputs), strict=True):
        was, now = (np.asarray(each, "float32") for each in pair)
        if not np.abs(now - was).max() <= 0.05 * np.abs(was).max():
            raise ValueError("the copy predicts something else")
    return copy


names = ["conv1", "conv2"]
batches = [x[:128], x[128:]]
new = compiled(insert_batch_norms(model, names, batches, momentum=0.9))
report("inserted", new)
# --8<-- [end:fix]


# --8<-- [start:momentum]
def loss_falls(new):
    new.fit(x, y, epochs=4, verbose=0)
    return new.evaluate(x, y, verbose=0) < model.evaluate(x, y, verbose=0)


default = compiled(insert_batch_norms(model, names, batches))
print("momentum=0.99, loss below the old one:", loss_falls(default))
print("momentum=0.9,  loss below the old one:", loss_falls(new))
# --8<-- [end:momentum]

# --8<-- [start:sure]
new.save("new.keras")
loaded = keras.saving.load_model("new.keras")
equal = np.array_equal(loaded.predict(x, verbose=0), new.predict(x, verbose=0))
print("loaded, predictions equal:", equal)
print([layer.name for layer in loaded.layers if "inserted" in layer.name])
# --8<-- [end:sure]
