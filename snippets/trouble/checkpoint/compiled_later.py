# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.random.normal(5, 3, size=(128, 4)).astype("float32")


def build():
    return keras.Sequential(
        [keras.Input(shape=(4,)), keras.layers.BatchNormalization()]
    )


model = build()
model.compile(keras.optimizers.SGD(0.05), "mse")
model.fit(x, x, verbose=0)
both = tf.train.Checkpoint(model=model, arrays=model.variables)
path = both.save("checkpoints/net")
# --8<-- [end:setup]


# --8<-- [start:see]
def compile_now(net):
    net.compile(keras.optimizers.SGD(0.01), "mse")
    rate = round(float(net.optimizer.learning_rate.numpy()), 3)
    print(f"step {int(net.optimizer.iterations.numpy())}, learning rate {rate}")


loaded = build()
tf.train.Checkpoint(model=loaded).restore(path).expect_partial()
compile_now(loaded)
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build()
if not loaded.variables:
    raise ValueError("no arrays yet: call the model once")
status = tf.train.Checkpoint(arrays=loaded.variables).restore(path)
status.expect_partial().assert_existing_objects_matched()
compile_now(loaded)
# --8<-- [end:fix]

# --8<-- [start:without]
waiting = build()
status = tf.train.Checkpoint(model=waiting).restore(path)
status.expect_partial().assert_existing_objects_matched()
copied = build()
copied.set_weights(waiting.get_weights())
compile_now(copied)
# --8<-- [end:without]

# --8<-- [start:sure]
for net in [build(), loaded, copied]:
    equal = np.array_equal(net(x, training=False), model(x, training=False))
    print("predictions equal:", equal)

unbuilt = keras.Sequential([keras.layers.BatchNormalization()])
status = tf.train.Checkpoint(arrays=unbuilt.variables).restore(path)
status.expect_partial().assert_existing_objects_matched()
equal = np.array_equal(unbuilt(x, training=False), model(x, training=False))
print("had no arrays yet, predictions equal:", equal)
# --8<-- [end:sure]
