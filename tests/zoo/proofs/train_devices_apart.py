"""The statistics of two devices, made one."""

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "train/devices_apart.py": "make_model copies report replica_step train_step train",
    "train/several_devices.py": "make_model copies report",
}


@proof("train/devices_apart.py:pool_replicas")
def pool_replicas(recipe, member):
    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        model = compare.compiled(member)
    x, _ = member.data()

    def part():
        here = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = tf.range(6) + 4 * here
        model(tf.nest.map_structure(lambda a: tf.gather(a, rows), x), training=True)

    tf.function(lambda: strategy.run(part))()

    def copies(variable):
        values = strategy.experimental_local_results(variable.value)
        return np.array([value.numpy() for value in values])

    norms = compare.norms_of(model)
    pairs = [(copies(n.moving_mean), copies(n.moving_variance)) for n in norms]
    apart = [not np.array_equal(*means) for means, _ in pairs]
    assert apart == [layer.trainable for layer in norms]
    before = compare.state(model)
    recipe["pool_replicas"](model, strategy)
    for layer, (means, variances) in zip(norms, pairs, strict=True):
        for copy in copies(layer.moving_mean):
            np.testing.assert_allclose(copy, means.mean(0), 1e-5, 1e-6)
        squares = (variances + means**2).mean(0)  # of all rows
        for copy in copies(layer.moving_variance):
            expected = squares - means.mean(0) ** 2
            np.testing.assert_allclose(copy, expected, 1e-3, 1e-5)
    changed = compare.changed(before, compare.state(model))
    assert all("moving_" in key for key in changed), changed
    outputs = strategy.run(lambda: model(x, training=False))
    first, second = (
        np.concatenate([np.ravel(value) for value in values])
        for values in zip(
            *map(strategy.experimental_local_results, tf.nest.flatten(outputs)),
            strict=True,
        )
    )
    np.testing.assert_allclose(first, second, 1e-4, 1e-4)

    with pytest.raises(ValueError, match="not a model of this strategy"):
        recipe["pool_replicas"](compare.compiled(member), strategy)
    norms[-1].moving_mean.assign(np.full(norms[-1].moving_mean.shape, np.nan))
    before = compare.state(model)
    with pytest.raises(ValueError, match="a device has NaN"):
        recipe["pool_replicas"](model, strategy)
    assert not compare.changed(before, compare.state(model))
