"""What copies sound statistics, and what stops before a broken model is saved."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof
from tests.zoo.proofs.trouble_callbacks import At

SHOWS = {
    "trouble/nan/frozen_base.py": "with_broken_base",
    "trouble/nan/terminate_on_nan.py": "run",
    "trouble/nan/variance.py": "show new fused layered",
}


@proof("trouble/nan/frozen_base.py:statistics_from")
def statistics_from(recipe, member):
    original, _ = compare.trained(member, epochs=1)
    original.save_weights("original.weights.h5")
    model = compare.compiled(member)
    model.load_weights("original.weights.h5")
    sound = compare.state(model)
    assert recipe["statistics_from"](original, model) == []
    assert not compare.changed(sound, compare.state(model))

    # The statistics of two layers break; those of another have only moved.
    norms = compare.norms_of(model)
    hurt = [norms[0], norms[-1]][: len(norms)]
    for layer, name, value in zip(
        hurt, ["moving_mean", "moving_variance"], [np.nan, -1.0], strict=False
    ):
        variable = getattr(layer, name)
        array = variable.numpy()
        array[0] = value
        variable.assign(array)
    moved = norms[1] if len(norms) > 2 else None
    if moved is not None:
        moved.moving_mean.assign(moved.moving_mean + 1)
    before = compare.state(model), compare.state(original)
    copied = recipe["statistics_from"](original, model)
    assert set(copied) == {layer.name for layer in hurt}, copied
    assert len(copied) == len({id(layer) for layer in hurt}), copied
    assert not compare.changed(before[1], compare.state(original))
    left = compare.changed(sound, compare.state(model))
    assert len(left) == (moved is not None), left
    if moved is not None:
        moved.moving_mean.assign(moved.moving_mean - 1)
    else:
        compare.assert_same_predictions(model, original, member.data()[0])

    # It refuses where a weight was trained, or broken, since; and a broken original.
    hurt[0].moving_mean.assign(np.full(hurt[0].moving_mean.shape, np.inf))
    weight = next(w for w in model.weights if "moving_" not in w.name)
    value = weight.numpy()
    for wrong in [value + 1, np.full(value.shape, np.nan)]:
        weight.assign(wrong)
        refuses(recipe, original, model, "was trained since: use repair")
        weight.assign(value)
    whole = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    refuses(recipe, whole, model, "not the original's arrays: pass the base alone")
    layer = compare.norms_of(original)[0]
    layer.moving_mean.assign(hurt[0].moving_mean)
    refuses(recipe, original, model, "the original is broken, too")


def refuses(recipe, original, model, words):
    """Assert that copying raises, and that the model is as before."""
    before = compare.state(model)
    with pytest.raises(ValueError, match=words):
        recipe["statistics_from"](original, model)
    assert not compare.changed(before, compare.state(model))


@proof("trouble/nan/terminate_on_nan.py:Guard")
def guard(recipe, member):
    tf.config.experimental.enable_op_determinism()
    x, y = member.data()
    settings = {"batch_size": member.batch_size, "shuffle": False, "verbose": 0}
    plain, history = compare.trained(member)
    model = compare.compiled(member)
    keras.utils.set_random_seed(1)
    save = keras.callbacks.ModelCheckpoint("net.keras")
    found = model.fit(x, y, epochs=2, callbacks=[recipe["Guard"](), save], **settings)
    assert found.history == history
    before, after = (list(compare.state(each).values()) for each in (plain, model))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    loaded = keras.saving.load_model("net.keras")
    compare.assert_same_predictions(loaded, model, x, 1e-5)

    # Whatever breaks, the file stays that of the last sound epoch.
    sound = [(v, v.numpy()) for v in [*model.variables, *model.optimizer.variables]]
    norm = compare.norms_of(model)[0]
    moment = [v for v in model.optimizer.variables if len(v.shape)][-1]
    for variable, value in [
        (norm.moving_mean, np.nan),
        (norm.moving_variance, np.inf),
        (norm.moving_variance, -1e6),
        (model.trainable_variables[-1], np.nan),
        (moment, np.nan),
    ]:

        def spoil(model, variable=variable, value=value):
            variable.assign(np.full(variable.shape, value))

        callbacks = [At(3, spoil), recipe["Guard"](), save]
        Path("net.keras").write_bytes(b"")
        with pytest.raises(RuntimeError) as error:
            model.fit(x, y, initial_epoch=3, epochs=5, callbacks=callbacks, **settings)
        wrong = [
            v.path
            for v in [*model.variables, *model.optimizer.variables]
            if not np.isfinite(compare._array(v)).all()
            or (v.name == "moving_variance" and v.numpy().min() < 0)
        ]
        assert str(error.value) == wrong[0]
        assert Path("net.keras").read_bytes() == b"", "was saved"
        for each, array in sound:
            each.assign(array)
