"""The look at new images through a base; flags that a file does not keep."""

import keras
import numpy as np

from tests.zoo import compare
from tests.zoo.core import proof
from tests.zoo.proofs import train_fine_tune

SHOWS = {
    "trouble/frozen/dropout_on.py": "calls_equal frozen small_base row",
    "trouble/frozen/other_images.py": "features trained_head score",
    "trouble/frozen/only_batchnorm.py": "base_and_model moved_by_fit",
    "trouble/frozen/flags_lost.py": "small_base functional sequential through_files",
    "trouble/frozen/dropout_off.py": "Classifier report Named",
}

# The class is that of the page on fine-tuning, and is proven in the same way.
fine_tune = train_fine_tune.inference_mode
dropout_on = proof("trouble/frozen/dropout_on.py:InferenceMode")(fine_tune.prove)
dropout_on.in_a_new_process(fine_tune.elsewhere)


def around(layer, member):
    """Return a functional model that calls a layer on the member's inputs."""
    x, _ = member.data()
    tokens = "masks" in member.traits

    def of_rows(array):
        return keras.Input(array.shape[1:], dtype="int32" if tokens else "float32")

    inputs = keras.tree.map_structure(of_rows, x)
    return keras.Model(inputs, layer(inputs))


@proof("trouble/frozen/other_images.py:shift")
def shift(recipe, member):
    x, y = member.data()
    model, _ = compare.trained(member)
    norms = compare.norms_of(model)
    before = compare.state(model)
    found = recipe["shift"](model, [x])
    assert len(found) == len({id(layer) for layer in norms})
    assert all(np.isfinite(pair).all() for pair in found.values())
    assert not compare.changed(before, compare.state(model)), "not left as it was"

    # Stopped with Ctrl-C, when all has been estimated.
    def stopped(*arguments):
        raise KeyboardInterrupt

    median, np.median = np.median, stopped
    try:
        recipe["shift"](model, [x])
    except KeyboardInterrupt:
        pass
    finally:
        np.median = median
    assert not compare.changed(before, compare.state(model)), "left by Ctrl-C"

    # Of the images that the statistics were estimated from, it finds none.
    norms = recipe["batch_norms"](model)
    recipe["estimate_again"](model, [x], norms)
    for distance, ratio in recipe["shift"](model, [(x, y)]).values():
        assert distance < 1e-3 and abs(ratio - 1) < 1e-3

    if member.name == "flat Sequential":  # two towers, whose layers have one name
        towers = [keras.models.clone_model(model) for _ in range(2)]
        for i, tower in enumerate(towers):
            tower.name = f"tower_{i}"
        both = around(lambda inputs: [tower(inputs) for tower in towers], member)
        assert len(recipe["shift"](both, [x])) == 2 * len(norms)

    # Two deviations off, twice as wide.
    layer = norms[0]
    deviation = np.sqrt(layer.moving_variance.numpy() + layer.epsilon)
    layer.moving_mean.assign(layer.moving_mean.numpy() - 2 * deviation)
    layer.moving_variance.assign(deviation**2 / 4 - layer.epsilon)
    path = layer.moving_mean.path.rpartition("/")[0]
    distance, ratio = recipe["shift"](model, [x])[path]
    np.testing.assert_allclose((distance, ratio), (4, 2), rtol=1e-2)


@proof("trouble/frozen/flags_lost.py:flags_that_differ")
def flags_that_differ(recipe, member):
    x, _ = member.data()
    model = compare.compiled(member)
    model.trainable = False
    model.save_weights("frozen.weights.h5")
    recipe["write_record"]("frozen.npz", model, x)
    before = compare.state(model)
    assert recipe["flags_that_differ"](model) == []
    assert not compare.changed(before, compare.state(model))

    # From code, with the flags of the code: each array that was frozen, and each layer.
    loaded = member.build()
    loaded.load_weights("frozen.weights.h5")
    found = recipe["flags_that_differ"](loaded)
    thawed = [weight for weight in loaded.weights if weight.trainable]
    norms = [layer for layer in compare.norms_of(loaded) if layer.trainable]
    assert len(found) == len(thawed) + len(norms), found
    assert all("trainable is True" in line for line in found)
    loaded.trainable = False
    assert recipe["flags_that_differ"](loaded) == []
    norm = compare.norms_of(loaded)[-1]
    norm.trainable = True
    lines = recipe["flags_that_differ"](loaded)
    assert len(lines) == 1 + len(norm._trainable_variables), lines
    norm.trainable = False

    # Other arrays are not its business, whatever they are called; another model is.
    for weight in loaded.weights:
        weight.assign(keras.ops.ones_like(weight))
    assert recipe["flags_that_differ"](loaded) == []
    inputs = keras.Input((2,), name="rows")
    other = keras.Model(inputs, keras.layers.BatchNormalization()(inputs))
    other.trainable = False
    said = [f"4 arrays instead of {len(model.weights)}"]
    assert recipe["flags_that_differ"](other) == said


@proof("trouble/frozen/only_batchnorm.py:train_only_batch_norms")
def train_only_batch_norms(recipe, member):
    x, y = member.data()
    base = member.build()
    model = around(base, member)
    base.trainable = False  # as a base is before, or with some layers opened
    trained = recipe["train_only_batch_norms"](base, model)
    affine = [v for bn in compare.norms_of(base) for v in bn._trainable_variables]
    assert {id(v) for v in trained} == {id(v) for v in affine}

    model.compile(member.optimizer(), member.loss)
    before = compare.state(base)
    model.fit(x, y, batch_size=member.batch_size, verbose=0)
    moved = {key.split()[0] for key in compare.changed(before, compare.state(base))}
    allowed = {id(v) for bn in compare.norms_of(base) for v in bn.variables}
    # Moving in training mode, whatever the flags are, as the page says.
    spectral = "spectral_normalization"
    allowed |= {
        id(v)
        for v in base.variables
        if v.name == "seed_generator_state" or v.path.startswith(spectral)
    }
    others = [
        v.path
        for i, v in enumerate(base.variables)
        if str(i) in moved and id(v) not in allowed
    ]
    assert not others, others
    still = [
        v.path
        for i, v in enumerate(base.variables)
        if str(i) not in moved and v.name in ("beta", "moving_mean")
    ]
    assert not still, still

    # The model itself as the base, or frozen with it: nothing would be trained.
    for whole in (True, False):
        model.trainable = whole
        before = compare.state(model)
        try:
            recipe["train_only_batch_norms"](model if whole else base, model)
        except ValueError as error:
            assert "call the base in another" in str(error)
        else:
            raise AssertionError("trains nothing, and says nothing")
        assert not compare.changed(before, compare.state(model))
