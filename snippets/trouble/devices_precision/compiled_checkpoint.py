# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")


def make_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )


keras.mixed_precision.set_global_policy("mixed_float16")
model = make_model()
model.compile("adam", "mse")
model.fit(x, x[:, :1], verbose=0)
path = tf.train.Checkpoint(model=model).save("compiled/net")
keras.mixed_precision.set_global_policy("float32")
# --8<-- [end:setup]

# --8<-- [start:see]
net = make_model()
net.compile("adam", "mse")
net.optimizer.build(net.trainable_variables)
try:
    tf.train.Checkpoint(model=net).restore(path)
    print("restored")
except tf.errors.InvalidArgumentError as error:
    reason = error.message.partition("VARIABLE_VALUE; ")[-1]
    print("InvalidArgumentError: ...", reason.partition(" [")[0])
# --8<-- [end:see]

# --8<-- [start:fix]
net = make_model()
untrained = net(x, training=False)
status = tf.train.Checkpoint(model=net).restore(path)
status.assert_existing_objects_matched()
net.compile("adam", "mse")
# --8<-- [end:fix]

# --8<-- [start:sure]
for saved, restored in zip(model.weights, net.weights, strict=True):
    np.testing.assert_array_equal(saved, restored)
print(len(net.weights), "arrays equal")

expected = model.predict(x, verbose=0)
answers = {"untrained": untrained, "restored": net(x, training=False)}
for name, found in answers.items():
    print(f"{name}: within 0.02: {np.abs(found - expected).max() < 0.02}")
print("optimizer at step", int(net.optimizer.iterations.numpy()))
# --8<-- [end:sure]
