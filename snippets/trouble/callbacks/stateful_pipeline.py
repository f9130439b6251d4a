# --8<-- [start:see]
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(80, 4)).astype("float32")
rows = tf.data.Dataset.from_tensor_slices(x).shuffle(80, seed=0).repeat()


def noisy(row):
    return row + tf.random.normal(tf.shape(row))


def in_python(row):
    return tf.numpy_function(np.sort, [row], tf.float32)


def generated():
    yield from x


generator = tf.data.Dataset.from_generator(
    generated, output_signature=tf.TensorSpec((4,))
)
for name, pipeline in {
    "plain": rows,
    "tf.random": rows.map(noisy),
    "numpy_function": rows.map(in_python),
    "from_generator": generator,
}.items():
    iterator = iter(pipeline)
    next(iterator)
    try:
        tf.train.Checkpoint(rows=iterator).save("position/net")
        print(f"{name:14} saved")
    except tf.errors.FailedPreconditionError as error:
        said = str(error).partition("}} ")[2].partition(" [")[0]
        print(f"{name:14} FailedPreconditionError: {said}")
# --8<-- [end:see]


# --8<-- [start:fix]
def noisy_by_number(number, row):
    seed = tf.stack([0, number])
    return row + tf.random.stateless_normal(tf.shape(row), seed)


def start_run():
    iterator = iter(rows.enumerate().map(noisy_by_number).batch(32))
    return iterator, tf.train.Checkpoint(rows=iterator)


# --8<-- [end:fix]

# --8<-- [start:sure]
iterator, checkpoint = start_run()
first = next(iterator)
path = checkpoint.save("position/net")
expected = next(iterator)

iterator, checkpoint = start_run()
checkpoint.restore(path).assert_consumed()
resumed = next(iterator)
print("goes on with the next batch:", np.array_equal(resumed, expected))
print("as the first batch:", np.array_equal(resumed, first))
# --8<-- [end:sure]
