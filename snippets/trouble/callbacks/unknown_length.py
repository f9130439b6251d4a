# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.default_rng(0).normal(5, 3, size=(64, 4)).astype("float32")
y = x[:, :1]
batches = tf.data.Dataset.from_tensor_slices((x, y)).batch(32)


def generator():
    for start in (0, 32):
        yield x[start : start + 32], y[start : start + 32]


def from_generator():
    shapes = tf.TensorSpec((None, 4)), tf.TensorSpec((None, 1))
    return tf.data.Dataset.from_generator(generator, output_signature=shapes)


keras.utils.set_random_seed(0)
layers = [keras.layers.Dense(8), keras.layers.BatchNormalization()]
model = keras.Sequential([keras.Input(shape=(4,)), *layers])
model.add(keras.layers.Dropout(0.5))
model.add(keras.layers.Dense(1))
model.compile(keras.optimizers.Adam(0.01), "mse")
model.optimizer.build(model.trainable_variables)
variables = [*model.variables, *model.optimizer.variables]
start = [variable.numpy() for variable in variables]


def trained(data, **options):
    """Train from the same start, Dropout's too, and return the arrays."""
    for variable, array in zip(variables, start, strict=True):
        variable.assign(array)
    model.fit(data, epochs=3, shuffle=False, verbose=0, **options)
    return model.get_weights()


def report(case, arrays):
    pairs = zip(arrays, right, strict=True)
    same = all(np.allclose(*pair, atol=1e-6) for pair in pairs)
    steps = model.optimizer.iterations.numpy()
    print(f"{case:17} steps: {steps}  arrays as of known length: {same}")


# --8<-- [end:setup]

# --8<-- [start:see]
right = trained(batches)
report("batch(32)", right)
report("filter", trained(batches.filter(lambda x, y: True)))
report("from_generator", trained(from_generator()))
# --8<-- [end:see]

# --8<-- [start:why]
for data in [batches, batches.filter(lambda x, y: True), from_generator()]:
    print(int(data.cardinality()))
# --8<-- [end:why]

# --8<-- [start:fix]
count = tf.data.experimental.assert_cardinality(2)  # batches per epoch
report("from_generator", trained(from_generator().apply(count)))
# --8<-- [end:fix]

# --8<-- [start:steps]
repeated = from_generator().repeat()
report("steps_per_epoch", trained(repeated, steps_per_epoch=2))
# --8<-- [end:steps]

# --8<-- [start:sure]
number = sum(1 for _ in generator())
for stated in [1, 2, 3]:
    count = tf.data.experimental.assert_cardinality(stated)
    try:
        trained(from_generator().apply(count))
        steps = model.optimizer.iterations.numpy()
        print(f"{stated} stated: {steps} steps, right: {steps == 3 * number}")
    except tf.errors.FailedPreconditionError as error:
        told = str(error)[str(error).index("Input dataset") :]
        print("FailedPreconditionError:", told[:45], "...")
# --8<-- [end:sure]
