# --8<-- [start:see]
import keras
import numpy as np

x = np.random.default_rng(0).normal(5, 3, (4, 3, 6, 6)).astype("float32")
for default in ["channels_last", "channels_first"]:
    keras.config.set_image_data_format(default)
    norm = keras.layers.BatchNormalization()
    norm.build(x.shape)
    print(default)
    print("  Conv2D:            ", keras.layers.Conv2D(4, 3).data_format)
    print("  BatchNormalization:", norm.axis, norm.moving_mean.shape)
# --8<-- [end:see]

# --8<-- [start:fix]
axis = 1 if keras.config.image_data_format() == "channels_first" else -1
right = keras.layers.BatchNormalization(axis=axis)
# --8<-- [end:fix]

# --8<-- [start:sure]
last = keras.layers.BatchNormalization()
wanted = np.moveaxis(last(np.moveaxis(x, 1, -1), training=True), -1, 1)
for name, layer in {"default axis": norm, "axis=1": right}.items():
    outputs = layer(x, training=True)
    print(f"{name:13}", np.allclose(outputs, wanted, atol=1e-5))
keras.config.set_image_data_format("channels_last")
# --8<-- [end:sure]
