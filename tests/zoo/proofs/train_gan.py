"""Two networks that are trained against each other, under each policy."""

import keras
import numpy as np
import pytest

from tests.zoo import compare
from tests.zoo.core import NotFor, proof

SHOWS = {
    "train/gan.py": "make_generator make_discriminator distance checkpoint_of all_of",
    "trouble/training_mode/joined_batch.py": "networks step_of distance train joined "
    "separate",
    "trouble/training_mode/critic_frozen.py": "compiled networks moved",
    "trouble/training_mode/generator_lags.py": "spread",
}


def networks(recipe):
    return recipe["make_generator"](), recipe["make_discriminator"]()


def one_step(recipe, x, rates, factor):
    """Return the kernels before and after a step, and the losses that it reports.

    Args:
        recipe: The names of the page.
        x: One batch of images.
        rates: The learning rates of generator and discriminator.
        factor: Of the squares of each network's first kernel, in its loss.
    """
    keras.utils.set_random_seed(0)
    model = recipe["Gan"](*networks(recipe))
    kernels = [
        next(v for v in network.variables if v.name == "kernel")
        for network in (model.generator, model.discriminator)
    ]
    for kernel in kernels:
        kernel.regularizer = keras.regularizers.L2(factor)
    before = [kernel.numpy() for kernel in kernels]
    model.compile(*map(keras.optimizers.SGD, rates))
    keras.utils.set_random_seed(1)  # the same noise
    history = model.fit(x, batch_size=len(x), verbose=0).history
    return before, [kernel.numpy() for kernel in kernels], history


def regularizers_count(recipe, member, x):
    """Assert that the penalty of each network is in its loss and in its gradient."""
    names = "generator", "discriminator"
    tolerance = 5e-2 if "mixed" in member.traits else 1e-3
    for i, rates in enumerate([(0.05, 0.0), (0.0, 0.05)]):
        before, plain, losses = one_step(recipe, x, rates, 0.0)
        same, penalized, more = one_step(recipe, x, rates, 0.5)
        np.testing.assert_array_equal(before[i], same[i])
        np.testing.assert_allclose(
            penalized[i] - plain[i], -0.05 * before[i], tolerance, tolerance / 100
        )
        # The other network has a rate of 0, so the penalties are those of the start.
        found = [more[f"{name}_loss"][0] - losses[f"{name}_loss"][0] for name in names]
        penalties = [0.5 * np.sum(np.square(kernel)) for kernel in before]
        other = 1 - i
        np.testing.assert_allclose(found[other], penalties[other], tolerance)


@proof("train/gan.py:Gan")
def gan(recipe, member):
    if member.build.__name__ not in ("functional", "float16", "bfloat16"):
        raise NotFor("a classifier; run with the networks of the page, per policy")
    x = np.random.default_rng(0).uniform(-1, 1, (150, 8, 8, 1)).astype("float32")
    regularizers_count(recipe, member, x[:64])
    models = []
    for jit in [False, True]:
        keras.utils.set_random_seed(0)
        model = recipe["Gan"](*networks(recipe))
        before = [np.asarray(v) for v in model.variables]
        optimizers = keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05)
        if jit and member.policy == "mixed_float16":  # wrapped by hand already
            optimizers = map(keras.optimizers.LossScaleOptimizer, optimizers)
        model.compile(*optimizers, jit_compile=jit)
        scaled = isinstance(
            model.generator_optimizer, keras.optimizers.LossScaleOptimizer
        )
        assert scaled == (member.policy == "mixed_float16")
        history = model.fit(x, batch_size=64, epochs=2, verbose=0).history
        assert set(history) == {"generator_loss", "discriminator_loss"}
        assert all(0.1 < value < 5 for value in np.ravel(list(history.values())))
        for variable, old in zip(model.variables, before, strict=True):
            if variable.name != "seed_generator_state":
                # Scaled once more or once less, by 32,768, it would hardly move.
                step = np.abs(np.asarray(variable) - old).max()
                assert step > 1e-4, f"{variable.path} stayed"
        assert int(model.generator_optimizer.iterations) == 6
        assert int(model.discriminator_optimizer.iterations) == 6
        models.append(model)
    model.compile("adam", "adam")  # optimizers by name, as for other models
    with pytest.raises(ValueError, match="use_ema"):
        model.compile("adam", keras.optimizers.Adam(use_ema=True))
    generator = models[0].generator
    generator.save("generator.keras")
    noise = np.random.default_rng(1).normal(size=(5, 16)).astype("float32")
    np.savez("images.npz", noise=noise, images=compare.predictions(generator, noise)[0])

    # The loss that is reported is that of the steps, by rows.
    keras.utils.set_random_seed(0)
    eager = recipe["Gan"](*networks(recipe))
    eager.compile(
        keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0), run_eagerly=True
    )
    seen = []
    loss_of = eager.loss_of

    def watched(y, outputs):
        loss = loss_of(y, outputs)
        seen.append((len(outputs), float(loss)))
        return loss

    eager.loss_of = watched
    history = eager.fit(x, batch_size=64, epochs=1, verbose=0).history
    rows = np.array([count for count, _ in seen]).reshape(-1, 3)[:, 0]
    losses = np.array([loss for _, loss in seen]).reshape(-1, 3)
    by_rows = np.average(losses, axis=0, weights=rows)
    np.testing.assert_allclose(
        history["discriminator_loss"][0], by_rows[0] + by_rows[1], 1e-4
    )
    np.testing.assert_allclose(history["generator_loss"][0], by_rows[2], 1e-4)


@gan.in_a_new_process
def gan_elsewhere(recipe, member):
    expected = np.load("images.npz")
    generator = keras.saving.load_model("generator.keras")
    images = compare.predictions(generator, expected["noise"])[0]
    np.testing.assert_allclose(images, expected["images"], 1e-3, 1e-3)
