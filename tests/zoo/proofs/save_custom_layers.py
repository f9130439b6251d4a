"""What the class decorator keeps: flags, policies, optimizer, in a new process."""

import copy
import json

import keras
import numpy as np
import pytest

from tests.zoo import compare, members
from tests.zoo.core import NotFor, proof

SHOWS = {
    "save/custom_layers.py": "inner_settings set_inner_settings inner_layers frozen "
    "Block Net show Encoder"
}
OWN = (members.Unit, members.BuiltUnit, members.ResidualBlock, members.ResNet)
POLICIES = ("float32", "mixed_float16")


@proof("save/custom_layers.py:keeps_inner_settings")
def keeps_inner_settings(recipe, member):
    _decorate(recipe, member)
    for policy in POLICIES:
        keras.config.set_dtype_policy(policy)
        model = member.build()
        _train(model, member, policy)
        # Whole layers and models of the reader's, and single layers inside others.
        own = [layer for layer in compare.layers_of(model) if isinstance(layer, OWN)]
        [layer for layer in own if layer is not model][0].trainable = False
        compare.norms_of(own[-1])[-1].trainable = False
        _train(model, member, policy)
        model.save(f"{policy}.keras")
        model.save_weights(f"{policy}.weights.h5")
        _write(model, member, policy)
        # With other layers inside, the flags would go to the wrong ones.
        config = own[-1].get_config()
        settings = json.loads(config["inner_settings"])
        settings[-1][0][0] = "Dropout"
        config["inner_settings"] = json.dumps(settings)
        with pytest.raises(ValueError, match="was a Dropout"):
            type(own[-1]).from_config(config)
        copies = [copy.deepcopy(model)]
        copies += [keras.models.clone_model(model)] if model is not own[0] else []
        for each in copies:
            for kept in ("flags", "policies"):
                assert _facts(each)[kept] == _facts(model)[kept], kept
        if "subclassed" not in member.traits:
            _made_of_a_graph(recipe, model)


@keeps_inner_settings.in_a_new_process
def keeps_inner_settings_elsewhere(recipe, member):
    _decorate(recipe, member)
    for policy in POLICIES:
        loaded = keras.saving.load_model(f"{policy}.keras")
        with open(f"{policy}.json", encoding="utf-8") as file:
            expected = json.load(file)
        assert _facts(loaded) == expected["facts"], policy
        saved = np.load(f"{policy}.npz")
        for i, array in enumerate(loaded.get_weights()):
            np.testing.assert_array_equal(array, saved[f"arr_{i}"])
        x, y = member.data()
        for i, output in enumerate(compare.predictions(loaded, x)):
            np.testing.assert_array_equal(output, saved[f"output_{i}"])
        # What was frozen stays so in `fit`, without compiling again.
        frozen = [layer for layer in compare.norms_of(loaded) if not layer.trainable]
        before = [array for layer in frozen for array in layer.get_weights()]
        loaded.fit(x, y, batch_size=member.batch_size, verbose=0)
        after = [array for layer in frozen for array in layer.get_weights()]
        assert frozen and all(map(np.array_equal, before, after)), policy


def _made_of_a_graph(recipe, model):
    """A class with a step of its own, say, that is made of inputs and outputs."""

    class Own(keras.Model):
        pass

    recipe["keeps_inner_settings"](members.register(Own))
    own = Own(model.inputs, model.outputs)
    own.save("own.keras")
    loaded = keras.saving.load_model("own.keras")
    assert type(loaded) is Own
    for copied in (loaded, copy.deepcopy(own)):
        for kept in ("flags", "policies"):
            assert _facts(copied)[kept] == _facts(own)[kept], kept
        assert all(map(np.array_equal, own.get_weights(), copied.get_weights()))


def _decorate(recipe, member):
    if not {"custom", "subclassed"} & member.traits:
        raise NotFor("no class of the reader's inside")
    for cls in OWN:
        recipe["keeps_inner_settings"](cls)


def _train(model, member, policy):
    optimizer = keras.optimizers.Adam()
    if policy == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=8.0)
    model.compile(optimizer=optimizer, loss=member.loss)
    x, y = member.data()
    model.fit(x, y, batch_size=member.batch_size, verbose=0)


def _facts(model):
    """Return flags and policies of the layers with arrays, and what compiles them."""
    layers = [layer for layer in compare.layers_of(model) if layer.weights]
    own = [layer for layer in layers if layer is not model]
    optimizer = getattr(model, "optimizer", None)
    return {
        "flags": [layer.trainable for layer in own],
        "variables": [bool(variable.trainable) for variable in model.weights],
        "policies": [layer.dtype_policy.name for layer in own],
        "optimizer": optimizer and type(optimizer).__name__,
        "step": optimizer and int(optimizer.iterations),
        "state": optimizer
        and float(sum(np.abs(np.asarray(v)).sum() for v in optimizer.variables)),
    }


def _write(model, member, policy):
    facts = _facts(model)
    assert facts["step"] > 0
    with open(f"{policy}.json", "w", encoding="utf-8") as file:
        json.dump({"facts": facts}, file)
    x, _ = member.data()
    outputs = {
        f"output_{i}": output for i, output in enumerate(compare.predictions(model, x))
    }
    np.savez(f"{policy}.npz", *model.get_weights(), **outputs)
