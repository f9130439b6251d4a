# --8<-- [start:see]
import keras
import numpy as np

random = np.random.default_rng(0)
row = random.normal(5, 3, size=(1, 4)).astype("float32")
image = random.normal(5, 3, size=(1, 8, 8, 4)).astype("float32")
pooled = keras.layers.GlobalAveragePooling2D()(image)
for name, x in {"row": row, "image": image, "pooled image": pooled}.items():
    layer = keras.layers.BatchNormalization(beta_initializer="ones")
    outputs = layer(x, training=True).numpy()
    print(f"one {name:12}  all outputs are beta: {np.all(outputs == 1)}")
# --8<-- [end:see]


# --8<-- [start:trained]
def train(batch_size, norm):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.Dense(4, name="below"),
            norm,
            keras.layers.Dense(1),
        ]
    )
    model.compile(optimizer="sgd", loss="mse")
    below = model.get_layer("below")
    before = below.kernel.numpy()
    model.fit(x, x[:, 0], batch_size=batch_size, epochs=2, verbose=0)

    width = np.std(norm(below(x), training=False))
    moved = not np.array_equal(before, below.kernel)
    print(f"{type(norm).__name__}, rows in a batch: {batch_size}")
    print("    kernel below the layer moved:", moved)
    print("    outputs more than 10 times too wide:", width > 10)


x = random.normal(5, 3, size=(100, 4)).astype("float32")
bn = keras.layers.BatchNormalization(momentum=0.9)
train(1, bn)
print("    moving variance below 0.001:", np.max(bn.moving_variance) < 1e-3)
# --8<-- [end:trained]

# --8<-- [start:two]
pair = np.array([[2, 5.0, 3], [8, 5.5, -40]], dtype="float32")
outputs = keras.layers.BatchNormalization()(pair, training=True)
print(np.round(outputs, 1))
# --8<-- [end:two]

# --8<-- [start:fix]
bn = keras.layers.BatchNormalization(momentum=0.9)
train(10, bn)
print("    moving variance below 0.001:", np.max(bn.moving_variance) < 1e-3)
train(1, keras.layers.GroupNormalization(groups=1))
# --8<-- [end:fix]

# --8<-- [start:sure]
for batch in [x[:1], x[:10]]:
    outputs = keras.layers.BatchNormalization()(batch, training=True)
    print(f"{len(batch)} rows, outputs differ: {np.ptp(outputs) > 0}")
# --8<-- [end:sure]
