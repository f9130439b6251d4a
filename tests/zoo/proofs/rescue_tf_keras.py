"""Models of tf_keras, moved into Keras 3 in a process that has both.

That process runs in an environment with tf_keras, which the first call installs
(`tests/versions`): this module runs there as a script. Both build the members from the
same code.
"""

import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tests.versions import environments
from tests.zoo import compare, core, members
from tests.zoo.core import NotFor, proof

# The first four are parts of it.
SHOWS = {
    "rescue/tf_keras_to_keras_3.py": "inside by_name pairs finalize "
    "functional nested subclassed"
}
if importlib.util.find_spec("tf_keras") is None:
    # The recipe's page imports it; here, nothing of it is used.
    sys.modules["tf_keras"] = types.ModuleType("tf_keras")

ROOT = Path(__file__).parents[3]
RECIPE = "rescue/tf_keras_to_keras_3.py:move_arrays"


@proof("rescue/tf_keras_to_keras_3.py:move_arrays")
def move_arrays(recipe, member):
    if "noise" in member.traits:
        raise NotFor("tf_keras builds no SpectralNormalization of a Conv2D")
    done = subprocess.run(
        [
            environments.install(environments.TF_KERAS),
            *("-m", __name__, in_one_process.__name__, member.build.__name__),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr[-1000:]
    return Path("said.txt").read_text("utf-8")


def in_one_process(name):
    """Move a member; to be run where tf_keras is. Writes down how it was refused."""
    recipe = core.load(RECIPE)
    member, old_member = members.MEMBERS[name], members_of_tf_keras()[name]
    keras.config.set_dtype_policy(member.policy)
    old = old_member.build()
    for array in old.weights:
        if array.shape.rank == 1:
            array.assign_add(np.random.uniform(0.01, 0.1, array.shape))
    for layer in old._flatten_layers():
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    x = member.data()[0]
    outputs = tf.nest.flatten(old(x, training=False))

    new = compare.other(member)
    before = compare.state(new)
    first = next(layer for layer in new.layers if layer.weights)
    kept, first.name = first.name, "of_another_name"
    try:
        recipe["move_arrays"](old, new)
    except ValueError as error:
        assert "layers in one model only" in str(error), error
    else:
        raise AssertionError("it did not refuse")
    first.name = kept
    try:
        recipe["move_arrays"](new, old)
    except TypeError as error:
        assert "pass the old one, then the new one" in str(error), error
    else:
        raise AssertionError("it copied into the old model")
    assert not compare.changed(before, compare.state(new))
    if name == "sequential":
        same_names(recipe)

    recipe["move_arrays"](old, new)
    norms = {layer.name: layer for layer in compare.norms_of(new)}
    for layer in old._flatten_layers():
        if "moving_mean" in vars(layer):
            for array in ("gamma", "beta", "moving_mean", "moving_variance"):
                if getattr(layer, array) is not None:
                    copied = getattr(norms[layer.name], array)
                    np.testing.assert_array_equal(copied, getattr(layer, array))
            norms.pop(layer.name)
    assert not norms, [*norms]
    one, other = (
        sorted(np.asarray(w, "float32").tobytes() for w in model.weights)
        for model in (old, new)
    )
    assert one == other, "other arrays"
    # Half precision has three digits.
    tolerance = 2e-2 if "mixed" in member.traits else 1e-4
    for a, b in zip(compare.predictions(new, x), outputs, strict=True):
        np.testing.assert_allclose(a, tf.cast(b, "float32"), tolerance, tolerance)
    Path("said.txt").write_text("", "utf-8")


def same_names(recipe):
    """Assert that two layers of one name are refused: their order is no sign."""
    import tf_keras

    def build(kind):
        class Twice(kind.Model):
            def __init__(self):
                super().__init__()
                self.blocks = []
                self.head = kind.layers.Dense(2, name="twice")
                self.blocks.append(kind.layers.Dense(2, name="twice"))

            def call(self, x):
                return self.head(self.blocks[0](x))

        model = Twice()
        model(np.ones((1, 2), "float32"))
        return model

    try:
        recipe["move_arrays"](build(tf_keras), build(keras))
    except ValueError as error:
        assert "two layers named twice" in str(error), error
    else:
        raise AssertionError("it took one for the other")


def members_of_tf_keras():
    """Return the members, built by tf_keras."""
    import tf_keras

    # All that the members use of what came with Keras 3.
    tf_keras.ops = types.SimpleNamespace(relu=tf.nn.relu, mean=tf.reduce_mean)
    today, sys.modules["keras"] = sys.modules["keras"], tf_keras
    spec = importlib.util.spec_from_file_location("old_members", members.__file__)
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["keras"] = today
    for member in module.MEMBERS.values():
        if member.policy != "float32":
            build = member.build

            def with_policy(build=build, policy=member.policy):
                tf_keras.mixed_precision.set_global_policy(policy)
                return build()

            object.__setattr__(member, "build", with_policy)
    tf_keras.utils.set_random_seed(0)
    return module.MEMBERS


if __name__ == "__main__":
    {in_one_process.__name__: in_one_process}[sys.argv[1]](*sys.argv[2:])
