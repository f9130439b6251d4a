# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(1000, 6)).astype("float32")
y = np.argmax(x[:, :3], axis=1)
batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(50)
loss_of = keras.losses.SparseCategoricalCrossentropy()


def build():
    keras.utils.set_random_seed(1)
    return keras.Sequential(
        [
            keras.Input(shape=(6,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9, name="bn"),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )


def train(model, step, epochs=5):
    for _ in range(epochs):
        for x_batch, y_batch in batches:
            step(x_batch, y_batch)
    return float(loss_of(y, model(x, training=False)))


# --8<-- [end:setup]

# --8<-- [start:see]
model = build()
optimizer = keras.optimizers.SGD(0.5)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x))
    arrays = model.trainable_variables
    optimizer.apply(tape.gradient(loss, arrays), arrays)


forgotten = train(model, step)
print("moving_mean still 0:", not np.any(model.get_layer("bn").moving_mean))
# --8<-- [end:see]

# --8<-- [start:fix]
model = build()
optimizer = keras.optimizers.SGD(0.5)


@tf.function
def step(x, y):
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    arrays = model.trainable_variables
    optimizer.apply(tape.gradient(loss, arrays), arrays)


right = train(model, step)
print("moving_mean still 0:", not np.any(model.get_layer("bn").moving_mean))
print("the loss is less than half:", right < forgotten / 2)
# --8<-- [end:fix]


# --8<-- [start:sure]
def statistics(model):
    layer = model.get_layer("bn")
    return np.stack([layer.moving_mean, layer.moving_variance])


for training in [False, True]:
    before = statistics(model)
    model(x, training=training)
    moved = not np.array_equal(before, statistics(model))
    print(f"training={training}: moved: {moved}")
# --8<-- [end:sure]
