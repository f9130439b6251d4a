# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 4)).astype("float32")


def build(**settings):
    return keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(
                momentum=0.5, name="bn", **settings
            ),
            keras.layers.Dense(3),
        ]
    )


model = build()
for _ in range(20):
    model(x, training=True)
# As training would:
model.get_layer("bn").gamma.assign([0.5, 2, 3, 4])
predictions = model(x, training=False)
tf.train.Checkpoint(model=model).write("checkpoint")
# --8<-- [end:setup]

# --8<-- [start:see]
for scale in [True, False]:
    net = build(scale=scale)
    status = tf.train.Checkpoint(model=net).read("checkpoint")
    status.assert_existing_objects_matched()
    off = np.max(np.abs(net(x, training=False) - predictions)) > 0.1
    print(f"scale={scale} in code: matched, off by more than 0.1: {off}")
# --8<-- [end:see]

# --8<-- [start:fix]
for scale in [True, False]:
    status = tf.train.Checkpoint(model=build(scale=scale)).read("checkpoint")
    try:
        status.assert_consumed()
        print(f"scale={scale} in code: passes")
    except AssertionError as error:
        print(f"scale={scale} in code, left over:")
        print("   ", str(error).partition(": attr")[0].split()[-1])
# --8<-- [end:fix]

# --8<-- [start:sure]
net = build(epsilon=10.0)
status = tf.train.Checkpoint(model=net).read("checkpoint")
status.assert_consumed()
off = np.max(np.abs(net(x, training=False) - predictions)) > 0.1
print("another epsilon: consumed, off by more than 0.1:", off)
# --8<-- [end:sure]

# --8<-- [start:reverse]
no_scale = build(scale=False)
no_scale.set_weights(model.get_weights()[1:])
tf.train.Checkpoint(model=no_scale).write("no-scale")
net = build()
status = tf.train.Checkpoint(model=net).read("no-scale")
for assertion in ["assert_existing_objects_matched", "assert_consumed"]:
    try:
        getattr(status, assertion)()
    except AssertionError:
        print(assertion, "raises")
outputs = [each(x, training=False) for each in (no_scale, net)]
print("predictions equal:", np.array_equal(*outputs))
# --8<-- [end:reverse]
