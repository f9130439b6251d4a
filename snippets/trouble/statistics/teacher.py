# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32")
x, x_test, y, y_test = train_test_split(
    x, y, train_size=1344, stratify=y, random_state=0
)


def build():
    model = keras.Sequential([keras.Input(shape=(64,))])
    for _ in range(3):
        model.add(keras.layers.Dense(128, use_bias=False))
        model.add(keras.layers.BatchNormalization(momentum=0.9))
        model.add(keras.layers.ReLU())
    model.add(keras.layers.Dense(10))
    return model


def good(net):
    answers = np.argmax(net(x_test, training=False), axis=1)
    return np.mean(answers == y_test) > 0.85


loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
start = build().get_weights()
# --8<-- [end:setup]


# --8<-- [start:loop]
def train(teachers, ways):
    """Train a student, and let each teacher follow it in its way."""
    student = build()
    for network in [student, *teachers.values()]:
        network.set_weights(start)
    optimizer = keras.optimizers.SGD(1.0)
    optimizer.build(student.trainable_variables)

    @tf.function
    def step(x, y):
        with tf.GradientTape() as tape:
            value = loss(y, student(x, training=True))
        gradients = tape.gradient(value, student.trainable_variables)
        optimizer.apply(gradients, student.trainable_variables)
        for (momentum, way), teacher in teachers.items():
            ways[way](teacher, student, momentum)
            if "training mode" in way:
                teacher(x, training=True)

    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(1344, seed=0)
    for x_batch, y_batch in dataset.repeat(3).batch(32):
        step(x_batch, y_batch)
    return student


def follow_trainable(teacher, student, momentum):
    variables = teacher.trainable_variables, student.trainable_variables
    for t, s in zip(*variables):
        t.assign(t + (1 - momentum) * (s - t))


# --8<-- [end:loop]

# --8<-- [start:see]
teachers = {(0.95, "trainable_variables"): build()}
student = train(teachers, {"trainable_variables": follow_trainable})
(teacher,) = teachers.values()
print("student above 0.85:", good(student))
print("teacher above 0.85:", good(teacher))
means = [w for w in teacher.weights if w.name == "moving_mean"]
print("its moving means are all 0:", not any(map(np.any, means)))
# --8<-- [end:see]


# --8<-- [start:fix]
def follow(teacher, student, momentum):
    """Move the teacher's arrays toward the student's, statistics included."""
    for t, s in zip(teacher.weights, student.weights, strict=True):
        if "float" in t.dtype:
            t.assign(t + (1 - momentum) * (s - t))


# --8<-- [end:fix]


# --8<-- [start:ways]
from bn_tools import batch_norms, estimate_again

ways = {
    "trainable_variables": follow_trainable,
    "follow": follow,
    "in training mode": follow_trainable,
    "frozen, training mode": follow,
}
teachers = {(m, way): build() for m in [0.95, 0.995] for way in ways}
for (_, way), teacher in teachers.items():
    teacher.trainable = way != "frozen, training mode"
train(teachers, ways)
print("teacher above 0.85           after training")
for (momentum, way), teacher in teachers.items():
    print(f"{momentum:5}  {way:22}", good(teacher))
# --8<-- [end:ways]

# --8<-- [start:sure]
print("estimated, above 0.85:")
batches = np.array_split(x, 2)
for (momentum, way), teacher in teachers.items():
    estimate_again(teacher, batches, batch_norms(teacher))
    print(f"{momentum:5}  {way:22}", good(teacher))
# --8<-- [end:sure]
