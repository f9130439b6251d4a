# --8<-- [start:data]
import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)

images, labels = load_digits(return_X_y=True)
images = images.reshape(-1, 8, 8, 1).astype("float32") / 16
x_train, x_test, y_train, y_test = train_test_split(
    images, labels, test_size=0.25, stratify=labels, random_state=0
)
print(x_train.shape, x_test.shape)
# --8<-- [end:data]

# --8<-- [start:train]
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 1)),
        keras.layers.Conv2D(16, 3, use_bias=False),
        keras.layers.BatchNormalization(epsilon=1e-5, name="bn1"),
        keras.layers.ReLU(),
        keras.layers.Conv2D(32, 3, 2, use_bias=False),
        keras.layers.BatchNormalization(name="bn2"),
        keras.layers.ReLU(),
        keras.layers.Flatten(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
sgd = keras.optimizers.SGD(0.3)
model.compile(optimizer=sgd, loss="sparse_categorical_crossentropy")
model.fit(x_train, y_train, batch_size=32, epochs=6, verbose=0)


def accuracy_of(net, training=False):
    return np.mean(np.argmax(net(x_test, training=training), axis=1) == y_test)


print("test accuracy is at least 0.95:", accuracy_of(model) >= 0.95)
# --8<-- [end:train]

# --8<-- [start:save]
model.save("digits.keras")
# --8<-- [end:save]

# --8<-- [start:load]
reloaded = keras.saving.load_model("digits.keras")
# --8<-- [end:load]

# --8<-- [start:prove]
untrained = keras.models.clone_model(model)  # the same layers, as they start
for name in ["bn1", "bn2"]:
    for array in ["gamma", "beta", "moving_mean", "moving_variance"]:
        start, saved, loaded = (
            getattr(net.get_layer(name), array).numpy()
            for net in [untrained, model, reloaded]
        )
        learned = not np.array_equal(saved, start)
        equal = np.array_equal(saved, loaded)
        print(f"{name} {array:16} learned: {learned}  equal: {equal}")

predictions = model(x_test, training=False).numpy()
np.testing.assert_array_equal(predictions, reloaded(x_test, training=False))
np.testing.assert_array_equal(
    model(x_test[:1], training=False), reloaded(x_test[:1], training=False)
)
print("predictions equal, for one image and for all")
# --8<-- [end:prove]

# --8<-- [start:expect]
np.savez(
    "expected.npz", *model.get_weights(), x=x_test, predictions=predictions
)
# --8<-- [end:expect]

# --8<-- [start:reload]
import keras
import numpy as np

loaded = keras.saving.load_model("digits.keras")
expected = np.load("expected.npz")

weights = loaded.get_weights()
for i, array in enumerate(weights):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
np.testing.assert_array_equal(
    loaded(expected["x"], training=False), expected["predictions"]
)
print(len(weights), "arrays and", len(expected["x"]), "predictions equal")
# --8<-- [end:reload]

# --8<-- [start:settings]
layer = reloaded.get_layer("bn1")
print("epsilon:", layer.epsilon)
print("momentum:", layer.momentum)
print("axis:", layer.axis)
print("optimizer:", reloaded.optimizer.name)
print("steps taken:", int(reloaded.optimizer.iterations.numpy()))
# --8<-- [end:settings]

# --8<-- [start:policy]
for policy in ["float32", "mixed_float16"]:
    mixed = keras.Sequential(
        [
            keras.Input(shape=(4,)),
            keras.layers.BatchNormalization(name="bn", dtype=policy),
        ]
    )
    mixed.save("mixed.keras")
    bn = keras.saving.load_model("mixed.keras").get_layer("bn")
    print(f"{bn.dtype_policy.name:13} with arrays of {bn.moving_mean.dtype}")
# --8<-- [end:policy]

# --8<-- [start:frozen]
partly = keras.saving.load_model("digits.keras")
partly.get_layer("bn1").trainable = False
wholly = keras.saving.load_model("digits.keras")
wholly.trainable = False

for frozen in [partly, wholly]:
    frozen.save("frozen.keras")
    again = keras.saving.load_model("frozen.keras")
    for word, net in [("saved ", frozen), ("loaded", again)]:
        arrays = len(net.trainable_variables)
        print(f"{word} model: {net.trainable}, trainable arrays: {arrays}")
# --8<-- [end:frozen]

# --8<-- [start:train_on]
reloaded.fit(x_train, y_train, batch_size=32, epochs=1, verbose=0)
print("steps taken:", int(reloaded.optimizer.iterations.numpy()))
# --8<-- [end:train_on]
