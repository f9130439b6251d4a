"""Faults of loaded models, seeded one at a time, and what ``diagnose`` says of each.

Run in a process that may import TensorFlow: ``tests/test_diagnose.py`` does.
"""

import contextlib
import io
import json

import bn_tools
import diagnose
import keras
import numpy as np
from keras import layers

from tests.zoo.members import MEMBERS

FAULTS = []


def fault(names, cause, *words):
    """Register a fault: the members of the zoo, its cause, and words to be said."""

    def add(seed):
        FAULTS.extend((name, seed, cause, words) for name in names.split())
        return seed

    return add


def first_blocks(model):
    """Return the first blocks of a frozen MobileNetV2, below a head; all take long."""
    base = model.layers[1]
    base = keras.Model(base.inputs, base.get_layer("block_5_add").output)
    base.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    x = layers.BatchNormalization()(layers.GlobalAveragePooling2D()(base(inputs)))
    x = layers.Dropout(0.3)(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax")(x))


class Case:
    """A member of the zoo as it was trained, its record, and what was loaded.

    Attributes:
        good: The model as trained: no array is at its starting value, and the moving
            statistics are those of the data.
        loaded: What was loaded from its file, to seed faults into.
        norms: The BatchNormalization layers of the loaded model.
    """

    def __init__(self, name):
        member = MEMBERS[name]
        keras.config.set_dtype_policy(member.policy)
        keras.utils.set_random_seed(0)
        self.record, self.good = f"{name}.npz", member.build()
        if name == "mobilenet":
            self.good = first_blocks(self.good)
        count = 4 if name == "mobilenet" else 16
        self.x, self.y = keras.tree.map_structure(lambda a: a[:count], member.data())
        random = np.random.default_rng(3)
        for array in self.good.weights:
            if array.name in ("gamma", "beta", "bias"):
                array.assign(array + random.normal(0, 0.2, array.shape))
        norms = bn_tools.batch_norms(self.good)
        if name == "mobilenet":  # its base has statistics, and there are few rows
            norms[-1].moving_mean.assign(norms[-1].moving_mean + 0.1)
        else:
            bn_tools.estimate_again(self.good, [self.x], norms)
        bn_tools.write_record(self.record, self.good, self.x)
        self.good.save(f"{name}.keras")
        self.loaded = keras.saving.load_model(f"{name}.keras")
        self.norms = bn_tools.batch_norms(self.loaded)
        self.layers = list(bn_tools.layers_in(self.loaded, {}).values())

    def last(self, kind):
        """Return the last layer of a class in the loaded model."""
        return [layer for layer in self.layers if isinstance(layer, kind)][-1]

    def recorded_again(self):
        """Return what makes ``diagnose`` take the fault for what was saved."""
        bn_tools.write_record("again.npz", self.loaded, self.x)
        return {"record": "again.npz"}


@contextlib.contextmanager
def undone(case):
    """Put back the arrays and the attributes of all layers of a case."""
    arrays = [(v, v.numpy()) for v in case.loaded.variables]
    attributes = [(layer, dict(vars(layer))) for layer in case.layers]
    try:
        yield
    finally:
        for layer, kept in attributes:
            for name in vars(layer).keys() - kept.keys():
                del vars(layer)[name]
            vars(layer).update(kept)
        for variable, array in arrays:
            variable.assign(array)


def calls(layer, function):
    """Let a layer call a function of itself, its own ``call`` and its inputs."""
    own = type(layer).call
    vars(layer)["call"] = lambda x, training=False, mask=None: function(
        lambda *inputs, **arguments: own(layer, *inputs, **arguments), x
    )


@fault("recurrent", "not finite", "kernel", "1 of")
def one_nan(case):
    """One value of a kernel is NaN."""
    kernel = next(w for w in case.loaded.weights if w.name == "kernel")
    array = kernel.numpy()
    array.flat[3] = np.nan
    kernel.assign(array)


@fault("unet", "negative", "moving_variance")
def negative_variance(case):
    """A variance is below 0."""
    case.norms[1].moving_variance.assign(case.norms[1].moving_variance - 50)


@fault("resnet", "exchanged", "gamma holds what", "beta held")
def gamma_and_beta(case):
    """Gamma and beta of a layer have changed places."""
    norm = case.norms[-1]
    gamma, beta = norm.gamma.numpy(), norm.beta.numpy()
    norm.gamma.assign(beta)
    norm.beta.assign(gamma)


@fault("unet", "exchanged", "moving_mean holds what", "moving_variance held")
def variance_as_mean(case):
    """A moving mean holds the moving variance."""
    case.norms[0].moving_mean.assign(case.norms[0].moving_variance)


@fault("unet", "exchanged", "changed places (8 of")
def two_layers(case):
    """Two layers of one size have changed places."""
    one, two = case.norms[:2]
    kept = one.get_weights()
    one.set_weights(two.get_weights())
    two.set_weights(kept)


@fault("resnet", "reordered", "in another order")
def transposed(case):
    """A kernel has its inputs and outputs exchanged."""
    kernel = case.last(layers.BatchNormalization)
    kernel = next(w for w in case.loaded.weights if w.shape == (3, 3, 8, 8))
    kernel.assign(np.swapaxes(kernel.numpy(), 2, 3))


@fault("mobilenet", "statistics", "moving_mean is at its starting value")
def statistics_of_one_layer(case):
    """The statistics of one layer were not restored."""
    case.norms[0].moving_mean.assign(0 * case.norms[0].moving_mean)
    case.norms[0].moving_variance.assign(0 * case.norms[0].moving_variance + 1)


@fault("resnet", "statistics", "Only moving statistics differ")
def statistics_of_other_rows(case):
    """The statistics of one layer are those of other data."""
    mean = case.norms[0].moving_mean
    mean.assign(np.random.default_rng(5).normal(size=mean.shape))


@fault("resnet", "nothing restored", "Nothing was restored")
def nothing_restored(case):
    """All arrays are what their initializers make."""
    for layer in case.layers:
        for weight in layer.weights:
            made = getattr(layer, f"{weight.name}_initializer", None)
            if made:
                weight.assign(made(weight.shape, dtype=weight.dtype))


@fault("unet recurrent", "start", "bias is at its starting value")
def last_layer_anew(case):
    """The last layer was drawn anew."""
    kernel, bias = case.loaded.trainable_weights[-2:]
    kernel.assign(np.random.default_rng(5).normal(0, 0.3, kernel.shape))
    bias.assign(np.zeros(bias.shape))


@fault("recurrent", "changed", "kernel is 1.02 times")
def scaled_kernel(case):
    """A kernel is slightly larger."""
    kernel = [w for w in case.loaded.weights if "kernel" in w.name][2]
    kernel.assign(kernel * 1.02)


@fault("spectral", "changed", "rounded to float16")
def rounded(case):
    """All arrays went through float16."""
    for weight in case.loaded.weights:
        weight.assign(weight.numpy().astype("float16"))


@fault("recurrent", "changed", "other steps of one run")
def another_step(case):
    """The file is that of a later step."""
    random = np.random.default_rng(5)
    for weight in case.loaded.trainable_weights:
        spread = weight.numpy().std() * 0.1
        weight.assign(weight + random.normal(0, spread, weight.shape))


@fault("unet", "missing", "batch_normalization/gamma")
def missing(case):
    """A layer has lost two of its arrays."""
    vars(case.norms[2])["_trainable_variables"] = []


@fault("resnet", "not tracked", "hidden_bn", "in no list")
def in_a_plain_object(case):
    """A layer that is called hides in a plain object."""
    holder = type("Holder", (), {})()
    holder.norm = layers.BatchNormalization(name="hidden_bn")
    calls(case.last((layers.ReLU, layers.Dense)), lambda own, x: holder.norm(own(x)))


@fault("resnet", "not tracked", "hidden_bn")
def in_a_set(case):
    """A layer that is called stands in a set in a dict."""
    norm = layers.BatchNormalization(name="hidden_bn")
    norm.build((None, 3))
    vars(case.last(layers.Dense))["_norms"] = {"a": {norm}}
    calls(case.last(layers.Dense), lambda own, x: norm(own(x)))


@fault("resnet", "not tracked", "a variable in holder")
def variable_in_a_plain_object(case):
    """A variable of a class of the reader's hides in a plain object."""
    block = next(v for v in case.layers if type(v).__name__ == "ResidualBlock")
    holder = type("Holder", (), {})()
    holder.scale = keras.Variable(2.0)
    vars(block)["holder"] = holder
    calls(block, lambda own, x: own(x) * holder.scale)


@fault("unet", "renamed", "/gamma is now called stem/gamma", "starting value")
def renamed(case):
    """A layer has another name, so a load by name has skipped it."""
    paths = [(array, array.path) for array in case.norms[0].weights]
    for array, path in paths:
        vars(array)["_path"] = f"stem/{array.name}"
        start = path.endswith(("gamma", "moving_variance"))
        array.assign(np.full(array.shape, float(start)))

    def undo():
        for array, path in paths:
            vars(array)["_path"] = path

    return {"undo": undo}


@fault("unet", "made in call", "BatchNormalization")
def made_in_call(case):
    """Each call makes a layer of its own."""
    calls(
        case.last(layers.ReLU), lambda own, x: layers.BatchNormalization()(own(x) + 1)
    )


@fault("resnet", "training mode", "training=False", "moving")
def hard_wired(case):
    """A layer runs in training mode, whatever the call says."""
    calls(case.norms[1], lambda own, x: own(x, training=True))


@fault("spectral", "training mode", "SpectralNormalization", "vector_u")
def spectral_in_training_mode(case):
    """The same of a wrapper that has a state of its own."""
    wrapper = case.last(layers.SpectralNormalization)
    calls(wrapper, lambda own, x: own(x, training=True))


@fault(
    "two_inputs", "training mode", "The record is what this model computes in training"
)
def saved_in_training_mode(case):
    """The model that was saved ran in training mode, the loaded one does not."""
    norm = case.norms[1]
    calls(norm, lambda own, x: own(x, training=True))
    mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
    given = case.recorded_again()
    del vars(norm)["call"]
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance)
    return given


@fault("spectral", "random", "Dropout", "training=False differ")
def dropout_left_on(case):
    """Dropout is active in inference mode."""
    drop = case.last((layers.Dropout, layers.AlphaDropout))
    calls(drop, lambda own, x: own(x, training=True))


@fault("spectral", "nothing")
def draws_as_recorded(case):
    """No fault: the saved model drew numbers as well, and from the same seed."""
    dropout_left_on(case)
    return case.recorded_again()


@fault("normalization", "random", "Dense", "training=False differ")
def drawn_anew(case):
    """A layer draws its kernel in each call."""

    def call(own, x):
        return x @ keras.random.normal(case.last(layers.Dense).kernel.shape)

    calls(case.last(layers.Dense), call)


@fault("normalization", "normalization", "does not compute with its arrays")
def stale_copies(case):
    """A Normalization layer has older copies of its arrays."""
    adapted = case.last(layers.Normalization)
    vars(adapted)["mean"] = adapted.mean * 0


@fault("two_inputs float16", "epsilon", "epsilon is 0.1, not")
def epsilon(case):
    """One layer has another epsilon."""
    case.norms[1].epsilon = 0.1


@fault("unet", "layer", "ReLU", "first layer with other outputs: negative_slope is 0.1")
def negative_slope(case):
    """An activation has another setting, and a right model is at hand."""
    case.last(layers.ReLU).negative_slope = 0.1
    return {"good": case.good}


@fault("normalization", "layer", "Dense", "activation is sigmoid, not softmax")
def activation(case):
    """A layer has another activation."""
    case.last(layers.Dense).activation = keras.activations.sigmoid
    return {"good": case.good}


@fault("resnet", "layer", "ResidualBlock", "first layer with other outputs")
def own_code(case):
    """The code of a class computes something else."""
    block = next(v for v in case.layers if type(v).__name__ == "ResidualBlock")
    calls(block, lambda own, x: own(x) * 1.5)
    return {"good": case.good}


@fault("normalization", "unknown", "I do not know why")
def unknown(case):
    """Another activation, and no right model."""
    case.last((layers.Conv2D, layers.Dense)).activation = keras.activations.tanh


@fault("normalization", "one row", "depend on the other rows")
def centered_by_the_batch(case):
    """A layer subtracts the mean of the batch, in the saved model as well."""
    calls(case.last(layers.Dense), lambda own, x: own(x - x.numpy().mean(axis=0)))
    return case.recorded_again()


@fault("two_inputs", "service", "training mode")
def served_in_training_mode(case):
    """The service calls the model in training mode."""
    return {"serve": lambda x: case.loaded(x, training=True)}


@fault("normalization", "service", "other outputs")
def service_scales(case):
    """The service prepares the inputs once more."""
    return {"serve": lambda x: case.loaded(x / 2, training=False)}


@fault("two_inputs", "inputs", "[2 1 0]")
def bgr(case):
    """Images are read with their channels in another order."""
    return {"data": ({**case.x, "image": case.x["image"][..., ::-1]}, case.y)}


@fault("two_inputs", "inputs", "times [0.0039 0.0039 0.0039]")
def scaled_twice(case):
    """Inputs are scaled twice."""
    return {"data": {**case.x, "image": case.x["image"] / 255}}


@fault("normalization", "nothing")
def one_row(case):
    """No fault: the data is one row, which has no deviation."""
    return {"data": (case.x[:1], case.y[:1])}


@fault("normalization", "inputs", "deviation 0.0039 times")
def other_rows_scaled_twice(case):
    """The same, of other rows than those of the record."""
    return {"data": case.x[::-1] / 255}


@fault("normalization", "metrics", "loss is")
def other_loss(case):
    """The model is compiled with another loss."""
    case.loaded.compile("sgd", loss="sparse_categorical_crossentropy")
    weights = np.ones(len(case.y), "float32")
    return {"metrics": {"loss": 0.0001}, "data": (case.x, case.y, weights)}


@fault("spectral", "never moved", "0 and 1")
def never_moved(case):
    """The statistics were at 0 and 1 when the model was saved."""
    statistics_of_one_layer(case)
    return case.recorded_again()


@fault("spectral", "unconverged", "3% of the way")
def too_few_steps(case):
    """The model was saved after three steps."""
    for norm in case.norms:
        norm.moving_mean.assign(0 * norm.moving_mean)
        norm.moving_variance.assign(0 * norm.moving_variance + 1)
    for _ in range(3):
        case.loaded(case.x, training=True)
    return case.recorded_again()


@fault("two_inputs", "unconverged", "times the variance of the data")
def statistics_of_other_data(case):
    """The statistics were those of other data when the model was saved."""
    case.norms[0].moving_variance.assign(100 * case.norms[0].moving_variance)
    return case.recorded_again()


@fault("spectral", "momentum", "momentum is 0.5, not 0.99")
def momentum(case):
    """One layer has another momentum, which no output shows."""
    case.norms[0].momentum = 0.5


@fault("two_inputs", "trainable", "trainable is False")
def flag_lost(case):
    """A layer is frozen that was not."""
    for weight in case.norms[0].trainable_weights:
        weight.trainable = False

    def undo():
        for weight in case.norms[0].weights[:2]:
            weight.trainable = True

    return {"undo": undo}


@fault("normalization", "optimizer", "at step 0, not SGD at step 5")
def optimizer_starts_over(case):
    """The optimizer has forgotten its step."""
    case.loaded.compile("sgd", loss="sparse_categorical_crossentropy")
    case.loaded.optimizer.build(case.loaded.trainable_variables)
    case.loaded.optimizer.iterations.assign(5)
    given = case.recorded_again()
    case.loaded.optimizer.iterations.assign(0)
    return given


def facts(model):
    """Return the arrays and the public settings of all layers of a model, by key."""
    kinds, layers = (str, int, float, bool, tuple), bn_tools.layers_in(model, {})
    found = {v.path: v.numpy().tobytes() for v in model.variables}
    for key, layer in layers.items():
        found |= {(key, name): v for name, v in vars(layer).items() if name[0] != "_"}
        found[key, "trainable"] = layer.trainable
    return {k: v for k, v in found.items() if isinstance(v, (bytes, *kinds))}


def put(case, data=None, record=None, undo=None, **given):
    """Return what ``diagnose`` says of a case, and whether the model stayed."""
    before = facts(case.loaded)
    with contextlib.redirect_stdout(io.StringIO()):
        data = (case.x, case.y) if data is None else data
        said = diagnose.diagnose(record or case.record, case.loaded, data, **given)
    after = facts(case.loaded)
    said["moved"] = [str(key) for key in before if before[key] != after.get(key)]
    if undo:
        undo()
    return said


def main(*names):
    """Print a line of JSON for each sound model and each fault."""
    for name in names or dict.fromkeys(name for name, *_ in FAULTS):
        if name not in MEMBERS:
            continue
        case = Case(name)
        first = {"model": name, "fault": "", "cause": "nothing", "words": []}
        print(json.dumps([first, put(case)]))
        for own, seed, cause, words in FAULTS:
            if own == name:
                with undone(case):
                    said = put(case, **(seed(case) or {}))
                wanted = {"cause": cause, "words": words}
                print(
                    json.dumps([{"model": name, "fault": seed.__name__} | wanted, said])
                )
