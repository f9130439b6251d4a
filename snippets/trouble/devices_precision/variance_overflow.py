# --8<-- [start:see]
import keras
import numpy as np
import tensorflow as tf

wide = tf.constant([[-1000.0], [1000.0]])  # variance 1,000,000
arrays = [np.array([number]) for number in [1.0, 0.0, 0.0, 1e6]]


def report(policy):
    layer = keras.layers.BatchNormalization(dtype=policy)
    for _ in range(20):
        layer(wide, training=True)
    trained = np.isfinite(layer.moving_variance.numpy()).all()
    outputs = layer(wide, training=False).numpy().ravel()
    layer.set_weights(arrays)
    loaded = np.isfinite(layer.moving_variance.numpy()).all()
    print(f"{policy:13} variance finite: trained {trained}, loaded {loaded}")
    print(f"{'':13} outputs all 0: {not outputs.any()}")


report("float16")
# --8<-- [end:see]

# --8<-- [start:fix]
report("float32")
report("mixed_float16")
# --8<-- [end:fix]

# --8<-- [start:sure]
largest = np.finfo("float16").max
print("largest float16:", largest)
for name, values in {"wide": wide, "wide / 1000": wide / 1000}.items():
    print(f"{name}: fits into float16: {np.var(values) < largest}")
# --8<-- [end:sure]
