"""Changes to a model that was trained or loaded, on all of the zoo."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "trouble/changed_model/insert_norms.py": "net compiled report loss_falls",
    "trouble/changed_model/momentum.py": "norm_and_model step",
    "trouble/changed_model/next_fold.py": (
        "build cross_validate compiled new_model from_file around_base"
    ),
    "trouble/changed_model/one_channel.py": "net report",
    "trouble/changed_model/other_size.py": (
        "images resized in_frame net load_at score change"
    ),
    "trouble/changed_model/replace_norms.py": "synchronized report clone group Grouped",
    "trouble/changed_model/pop.py": "new_head_moves ends_like",
}


@proof("trouble/changed_model/insert_norms.py:insert_batch_norms")
def insert_batch_norms(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    x, y = member.data()
    insert, before = recipe["insert_batch_norms"], compare.state(model)
    rows = keras.tree.map_structure(lambda array: array[:24], x)
    batches = [(rows, None), (x, None)]

    def refuses(error, *arguments, **settings):
        with pytest.raises(error) as found:
            insert(model, *arguments, **settings)
        assert not compare.changed(before, compare.state(model)), "not left"
        return str(found.value).splitlines()[0]

    # In models and in models in them, but not the layers that put out.
    kinds = (keras.layers.Dense, keras.layers.Conv2D, keras.layers.Wrapper)
    kinds += (keras.layers.Embedding, keras.layers.Bidirectional)
    top = getattr(model, "layers", [])
    last = {id(layer) for layer in top[-2:]}
    nested = "nested" in member.traits or not top
    found = compare.layers_of(model) if nested else top
    found = [each for each in found if id(each) not in last]
    names = [each.name for each in found if isinstance(each, kinds)][:5]
    if member.name.startswith("custom"):
        refuses(ValueError, [found[-1].norm.name], batches)
        names = [each.name for each in found if hasattr(each, "norm")]
    if "mixed" not in member.traits:
        refuses(ValueError, ["no such layer"], batches)
    refuses(ValueError, names, iter(batches))
    try:
        copy = insert(model, names, batches, momentum=0.5)
    except ValueError as refusal:
        assert not compare.changed(before, compare.state(model)), "not left"
        return str(refusal).splitlines()[0]
    assert not compare.changed(before, compare.state(model)), "not left as it was"
    refuses(ValueError, names, batches, scale=False)

    precise = 3e-2 if "mixed" in member.traits else 1e-4
    compare.assert_same_predictions(model, copy, x, precise)
    norms = {layer.name: layer for layer in compare.norms_of(copy)}
    assert len(norms) == len(compare.norms_of(model)) + len(names)
    new = [norms[f"{name}_inserted"] for name in names]
    for layer in new:
        assert layer.momentum == 0.5 and layer.trainable
        assert np.any(layer.moving_mean) and np.all(np.isfinite(layer.moving_variance))
        np.testing.assert_array_equal(layer.beta, layer.moving_mean)
        root = np.sqrt(layer.moving_variance + layer.epsilon)
        np.testing.assert_array_equal(layer.gamma, root)
    # All else is there, with its flags.
    added = {id(v) for layer in new for v in layer.variables}
    for kind in ("trainable_variables", "non_trainable_variables"):
        kept = [v for v in getattr(copy, kind) if id(v) not in added]
        assert len(kept) == len(getattr(model, kind)), kind

    copy.compile(member.optimizer(), member.loss)
    start = [layer.moving_mean.numpy() for layer in new]
    copy.fit(x, y, batch_size=member.batch_size, verbose=0)
    assert all(np.any(n.moving_mean != a) for n, a in zip(new, start, strict=True))
    copy.save("inserted.keras")
    loaded = keras.saving.load_model("inserted.keras")
    compare.assert_same_predictions(copy, loaded, x)


@proof("trouble/changed_model/momentum.py:set_momentum")
def set_momentum(recipe, member):
    model, _ = compare.trained(member)
    x, y = member.data()
    norms = [layer for layer in compare.norms_of(model) if layer.trainable]
    fit = {"batch_size": member.batch_size, "shuffle": False, "verbose": 0}
    start = [v.numpy() for v in model.variables]
    steps = []

    def means_after(momentum):
        """Return the means after an epoch from the same start."""
        keras.utils.set_random_seed(3)
        for variable, array in zip(model.variables, start, strict=True):
            variable.assign(array)
        if momentum is not None:
            before = compare.state(model)
            recipe["set_momentum"](model, momentum)
            changed = compare.changed(before, compare.state(model))
            assert all("momentum" in key for key in changed), changed
        step = int(model.optimizer.iterations.numpy())
        model.fit(x, y, **fit)
        steps.append(int(model.optimizer.iterations.numpy()) - step)
        return [layer.moving_mean.numpy() for layer in norms]

    kept = means_after(None)
    optimizer = model.optimizer
    # A momentum of 1 moves nothing, one of 0.99 (or the member's own) does.
    still = means_after(1.0)
    assert model.optimizer is optimizer and steps[0] == steps[1] > 0
    for layer, mean in zip(norms, still, strict=True):
        i = next(i for i, v in enumerate(model.variables) if v is layer.moving_mean)
        np.testing.assert_array_equal(mean, start[i])
    assert not norms or any((a != b).any() for a, b in zip(kept, still, strict=True))


@proof("trouble/changed_model/next_fold.py:leftovers")
def leftovers(recipe, member):
    # From code: nothing, but for layers that the code itself gives statistics.
    new = compare.compiled(member)
    before = compare.state(new)
    given = [
        layer.moving_mean.path.rpartition("/")[0]
        for layer in recipe["batch_norms"](new)
        if np.any(layer.moving_mean) or np.any(layer.moving_variance.numpy() != 1)
    ]
    lines = [f"{path}: its statistics are not 0 and 1" for path in given]
    assert recipe["leftovers"](new) == lines
    assert not compare.changed(before, compare.state(new))

    # Trained: each layer that moved, and the step.
    model, _ = compare.trained(member)
    found = recipe["leftovers"](model)
    moving = [layer for layer in compare.norms_of(model) if layer.trainable]
    assert len(found) >= len(moving) + 1
    step = int(model.optimizer.iterations)
    assert found[-1] == f"the optimizer is at step {step}" and step > 0

    # Compiled again, the statistics are still there; not compiled, as well.
    model.compile(member.optimizer(), member.loss)
    assert recipe["leftovers"](model) == found[:-1]
    # One array of the two is enough.
    layer = recipe["batch_norms"](new)[-1]
    layer.moving_mean.assign(np.zeros(layer.moving_mean.shape))
    layer.moving_variance.assign(np.full(layer.moving_variance.shape, 2.0))
    path = layer.moving_mean.path.rpartition("/")[0]
    assert f"{path}: its statistics are not 0 and 1" in recipe["leftovers"](new)


IMAGES = (
    "functional CNN",
    "CNN, one thread",
    "frozen MobileNetV2 inside",
    "U-Net",
    "mixed_float16",
    "mixed_bfloat16",
)


def with_channels(source, channels):
    """Return a model from the same code, for images with other channels."""

    def of_images(config):
        if isinstance(config, dict):
            config.pop("build_config", None)  # it names the old shape
            for key, value in config.items():
                shape = value if isinstance(value, (list, tuple)) else ()
                if key in ("batch_shape", "batch_input_shape") and len(shape) == 4:
                    config[key] = (*shape[:-1], channels)
                else:
                    of_images(value)
        elif isinstance(config, (list, tuple)):
            for each in config:
                of_images(each)
        return config

    config = keras.saving.serialize_keras_object(source)
    config["config"] = of_images(config["config"])
    config.pop("compile_config", None)
    return keras.saving.deserialize_keras_object(config)


@proof("trouble/changed_model/one_channel.py:copy_for_channels")
def copy_for_channels(recipe, member):
    x, _ = member.data()
    model, _ = compare.trained(member)
    copy = recipe["copy_for_channels"]
    if member.name not in IMAGES:
        # No images, or a class of the reader's: the same model has no other kernel.
        if not isinstance(x, np.ndarray):
            raise NotFor("several inputs")
        try:
            twin = member.build()
            before = compare.state(twin)
            copy(model, twin)
        except (ValueError, AttributeError) as error:
            assert not compare.changed(before, compare.state(twin))
            return str(error)
        raise AssertionError("it did not refuse")
    channels = x.shape[-1]
    before = compare.state(model)

    # More channels: what the new ones hold is not looked at.
    more = with_channels(model, channels + 1)
    state = compare.state(more)
    try:
        copy(model, more)
    except ValueError as error:  # two layers read the images
        assert str(error).count("/kernel") == 2, error
        assert not compare.changed(state, compare.state(more))
        return "other shapes than those of one kernel"
    assert not compare.changed(before, compare.state(model))
    noise = np.random.normal(size=(*x.shape[:-1], 1)).astype(x.dtype)
    expected = model.predict(x, verbose=0)
    found = more.predict(np.concatenate([x, noise], -1), verbose=0)
    precise = 2e-2 if "mixed" in member.traits else 1e-3
    np.testing.assert_allclose(found, expected, 0, precise)

    # Less than those of the source, but more than one, is refused.
    state = compare.state(model)
    with pytest.raises(ValueError):
        copy(more, model) if channels > 1 else copy(model, model)
    assert not compare.changed(state, compare.state(model))

    # One channel, as if it were repeated.
    one = with_channels(more, 1)
    copy(more, one)
    repeated = np.repeat(noise, channels + 1, axis=-1)
    expected = more.predict(repeated, verbose=0)
    found = one.predict(noise, verbose=0)
    np.testing.assert_allclose(found, expected, 0, precise)
    for first, second in zip(
        compare.norms_of(one), compare.norms_of(more), strict=True
    ):
        for name in ("moving_mean", "moving_variance"):
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@proof("trouble/changed_model/replace_norms.py:replace_batch_norms")
def replace_batch_norms(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    x, _ = member.data()
    before = compare.state(model)

    def synchronized(layer):
        return layer.__class__.from_config({**layer.get_config(), "synchronized": True})

    def grouped(layer):
        return recipe["Grouped"](groups=1, name=layer.name)

    try:
        copy = recipe["replace_batch_norms"](model, synchronized)
    except ValueError as refusal:
        assert not compare.changed(before, compare.state(model)), "not left"
        return str(refusal).splitlines()[0]
    assert not compare.changed(before, compare.state(model)), "not left as it was"
    norms = compare.norms_of(copy)
    assert len(norms) == len({id(layer) for layer in compare.norms_of(model)})
    assert all(layer.synchronized for layer in norms)
    compare.assert_same_predictions(model, copy, x)
    flags = [[v.trainable for v in each.variables] for each in (model, copy)]
    assert flags[0] == flags[1]

    copy = recipe["replace_batch_norms"](model, grouped)
    assert not compare.norms_of(copy)
    arrays = {id(bn.gamma) for bn in compare.norms_of(model) if bn.scale}
    arrays |= {id(bn.beta) for bn in compare.norms_of(model)}
    pairs = zip(compare.layers_of(model), compare.layers_of(copy), strict=True)
    for old, new in pairs:
        for variable in new._trainable_variables:
            found = getattr(old, variable.name, None)
            if found is not None:
                np.testing.assert_array_equal(found, variable)
    copy.save("grouped.keras")
    loaded = keras.saving.load_model("grouped.keras")
    compare.assert_same_predictions(copy, loaded, x)
