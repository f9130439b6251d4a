# --8<-- [start:setup]
import json
import os
import socket
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from bn_tools import batch_norms

rows = np.random.default_rng(0).normal(size=(256, 2)).astype("float32")
rows[:128] += 5  # the rows of worker 0


def train(strategy, half, synchronized):
    with strategy.scope():
        keras.utils.set_random_seed(0)
        norm = keras.layers.BatchNormalization(
            momentum=0.5, synchronized=synchronized
        )
        layers = [keras.Input(shape=(2,)), norm, keras.layers.Dense(1)]
        model = keras.Sequential(layers)
        optimizer = keras.optimizers.SGD(0.01)
        optimizer.build(model.trainable_variables)

    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(x, training=True) - x[:, :1]) ** 2)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)

    train_step = tf.function(lambda: strategy.run(step, args=(half,)))
    for _ in range(20):
        train_step()
    return model


def work(addresses, rank):
    task = {"type": "worker", "index": rank}
    config = {"cluster": {"worker": addresses}, "task": task}
    os.environ["TF_CONFIG"] = json.dumps(config)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    half = tf.constant(np.split(rows, 2)[rank])
    for synchronized in [True, False]:
        model = train(strategy, half, synchronized)
        model.save(f"{synchronized}-{rank}.keras")
    model.compile("sgd", "mse")
    try:
        model.fit(rows, rows[:, :1], verbose=0)
    except ValueError as error:
        said = f"fit: ValueError: {str(error).partition(':{')[0]}"
        Path(f"{rank}.txt").write_text(said)


# --8<-- [end:setup]

# --8<-- [start:workers]
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
addresses = ["{}:{}".format(*each.getsockname()) for each in sockets]
for each in sockets:
    each.close()

workers = []
for rank in range(2):
    worker = os.fork()  # possible as long as TensorFlow has computed nothing
    if worker == 0:
        try:
            work(addresses, rank)
        finally:
            os._exit(0)
    workers.append(worker)
for worker in workers:
    os.waitpid(worker, 0)
# --8<-- [end:workers]


# --8<-- [start:see]
def equal(models, arrays):
    pairs = zip(*map(arrays, models), strict=True)
    return all(np.array_equal(one, other) for one, other in pairs)


for synchronized in [False, True]:
    models = [
        keras.saving.load_model(f"{synchronized}-{rank}.keras")
        for rank in range(2)
    ]
    print(f"synchronized={synchronized}")
    learned = equal(models, lambda model: model.trainable_variables)
    print("    what gradients train is equal:", learned)
    moved = equal(models, lambda model: model.non_trainable_variables)
    print("    moving statistics are equal:", moved)
    one, other = (model(rows, training=False) for model in models)
    print("    answers are equal:", np.allclose(one, other, atol=0.001))
# --8<-- [end:see]

# --8<-- [start:perreplica]
for rank in range(2):
    print(f"worker {rank}, {Path(f'{rank}.txt').read_text()}")
# --8<-- [end:perreplica]

# --8<-- [start:fix]
models = [keras.saving.load_model(f"False-{rank}.keras") for rank in range(2)]
for layers in zip(*map(batch_norms, models), strict=True):
    means, variances = (
        np.array([getattr(layer, name) for layer in layers])
        for name in ["moving_mean", "moving_variance"]
    )
    layers[0].moving_mean.assign(means.mean(axis=0))
    # The variance within the halves, and between their means.
    layers[0].moving_variance.assign(variances.mean(axis=0) + means.var(axis=0))
models[0].save("pooled.keras")
# --8<-- [end:fix]

# --8<-- [start:sure]
alone = keras.layers.BatchNormalization(momentum=0.5)
for _ in range(20):
    alone(rows, training=True)

for file in ["False-0", "False-1", "pooled", "True-0"]:
    (layer,) = batch_norms(keras.saving.load_model(f"{file}.keras"))
    close = [
        np.allclose(getattr(layer, name), getattr(alone, name), atol=0.01)
        for name in ["moving_mean", "moving_variance"]
    ]
    print(f"{file:8} mean and variance as in one process:", *close)
# --8<-- [end:sure]
