# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again

keras.utils.set_random_seed(0)


def images(count):
    """Return noisy disks, squares and diamonds of 32 x 32, and which it is."""
    y = np.random.randint(3, size=count)
    places = np.random.uniform([-0.3, -0.3, 0.3], [0.3, 0.3, 0.6], (count, 3))
    left, top, radius = places.T[..., None, None]
    grid = np.linspace(-1, 1, 32)
    u, v = abs(grid - left), abs(grid[:, None] - top)
    shapes = [np.hypot(u, v), 1.13 * np.maximum(u, v), 0.8 * (u + v)]
    inside = np.choose(y[:, None, None], shapes) < radius
    x = inside + np.random.normal(0, 0.3, inside.shape)
    return x[..., None].astype("float32"), y


def resized(x, size):
    return keras.ops.image.resize(x, (size, size)).numpy()


def in_frame(x, size):
    """Return larger images with objects as large as before."""
    frame = np.random.normal(0, 0.3, (len(x), size, size, 1)).astype("float32")
    edge = (size - 32) // 2
    frame[:, edge : edge + 32, edge : edge + 32] = x
    return frame


def net(size, pool=keras.layers.GlobalAveragePooling2D):
    inputs = h = keras.Input(shape=(size, size, 1))
    for filters in (8, 16, 32):
        h = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(h)
        h = keras.layers.BatchNormalization(momentum=0.9)(h)
        h = keras.layers.MaxPooling2D()(keras.layers.ReLU()(h))
    model = keras.Model(inputs, keras.layers.Dense(3)(pool()(h)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    return model


x, y = images(512)
x_test, y_test = images(512)
model = net(32)
model.fit(x, y, epochs=20, verbose=0)
estimate_again(model, [x])
model.save_weights("at_32.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:flatten]
net(32, keras.layers.Flatten).save_weights("flatten.weights.h5")
for size in (32, 64):
    try:
        net(size, keras.layers.Flatten).load_weights("flatten.weights.h5")
        print(f"at {size}: loaded")
    except ValueError as error:
        print("ValueError:", str(error).partition(" Target variable")[0])
# --8<-- [end:flatten]


# --8<-- [start:see]
def load_at(size):
    new = net(size)
    new.load_weights("at_32.weights.h5")
    equal = map(np.array_equal, new.get_weights(), model.get_weights())
    assert all(equal)
    return new


def score(new, x):
    return np.mean(new.predict(x, verbose=0).argmax(1) == y_test)


for size in (32, 48, 64):
    accuracy = score(load_at(size), resized(x_test, size))
    print(f"at {size}, above 0.75: {accuracy > 0.75}")
# --8<-- [end:see]


# --8<-- [start:why]
def change(new, x):
    """Return by how much the variance of each layer changes with the images."""
    layers = batch_norms(new)
    old = [bn.moving_variance.numpy() for bn in layers]
    estimate_again(new, [x])
    pairs = zip(layers, old, strict=True)
    return [np.median(bn.moving_variance.numpy() / was) for bn, was in pairs]


for size in (32, 64):
    ratios = change(load_at(size), resized(x, size))
    print(f"at {size}, below 0.9 of it:", [bool(r < 0.9) for r in ratios])
# --8<-- [end:why]

# --8<-- [start:fix]
for size in (32, 48, 64, 96):
    new = load_at(size)
    estimate_again(new, [resized(x, size)])
    accuracy = score(new, resized(x_test, size))
    print(f"at {size}, above 0.75: {accuracy > 0.75}")
# --8<-- [end:fix]

# --8<-- [start:tune]
new = load_at(96)
estimate_again(new, [resized(x, 96)])
new.fit(resized(x, 96), y, epochs=4, verbose=0)
estimate_again(new, [resized(x, 96)])
accuracy = score(new, resized(x_test, 96))
print(f"at 96, trained there, above 0.75: {accuracy > 0.75}")
# --8<-- [end:tune]

# --8<-- [start:sure]
for size in (32, 64):
    new, test = load_at(size), in_frame(x_test, size)
    before = score(new, test)
    estimate_again(new, [in_frame(x, size)])
    better = score(new, test) > before + 0.02
    print(f"in a frame of {size}, better by an estimate: {better}")
# --8<-- [end:sure]
