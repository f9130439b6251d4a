# --8<-- [start:model]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x_train = np.random.rand(100, 20).astype("float32")
y_train = keras.utils.to_categorical(np.random.randint(0, 5, size=100), 5)

model = keras.Sequential(
    [
        keras.Input(shape=(20,)),
        keras.layers.Dense(10, activation="relu"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(5, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(x_train, y_train, epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:not_trainable]
layer = model.get_layer("bn")
print("trainable:    ", [v.name for v in layer.trainable_variables])
print("not trainable:", [v.name for v in layer.non_trainable_variables])
# --8<-- [end:not_trainable]

# --8<-- [start:folder]
try:
    model.save("my_model_with_bn")
except ValueError as error:
    print("ValueError:", error)
# --8<-- [end:folder]

# --8<-- [start:archive]
model.save("my_model_with_bn.keras")
loaded_model = keras.saving.load_model("my_model_with_bn.keras")

predictions_original = model(x_train[:5], training=False)
predictions_loaded = loaded_model(x_train[:5], training=False)
print("identical:", np.array_equal(predictions_original, predictions_loaded))
# --8<-- [end:archive]

# --8<-- [start:omitted]
moving_mean = layer.moving_mean.numpy()
inference = model(x_train, training=False)


def same_as_inference(outputs):
    equal = np.allclose(outputs, inference, atol=1e-6)
    unchanged = np.array_equal(layer.moving_mean.numpy(), moving_mean)
    return f"inference mode: {equal}  statistics unchanged: {unchanged}"


print("model(x)               ", same_as_inference(model(x_train)))
predicted = model.predict(x_train, verbose=0)
print("predict(x)             ", same_as_inference(predicted))
print("tf.function            ", same_as_inference(tf.function(model)(x_train)))
with tf.GradientTape():
    print("under a tape           ", same_as_inference(model(x_train)))
trained = model(x_train, training=True)
print("model(x, training=True)", same_as_inference(trained))
# --8<-- [end:omitted]


# --8<-- [start:classic_model]
class MyModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = keras.layers.Dense(10, activation="relu")
        self.bn = keras.layers.BatchNormalization()
        self.dense2 = keras.layers.Dense(5, activation="softmax")

    def call(self, x, training=False):
        x = self.dense1(x)
        x = self.bn(x, training=training)
        return self.dense2(x)


model = MyModel()
model.compile(optimizer="adam", loss="categorical_crossentropy")
model.fit(x_train, y_train, epochs=5, verbose=0)


def identical(loaded):
    return np.array_equal(
        model(x_train[:5], training=False), loaded(x_train[:5], training=False)
    )


# --8<-- [end:classic_model]

# --8<-- [start:as_written]
checkpoint = tf.train.Checkpoint(model=model)
checkpoint.save("./my_checkpoint")

restored = MyModel()
restored_checkpoint = tf.train.Checkpoint(model=restored)
restored_checkpoint.restore(tf.train.latest_checkpoint("./my_checkpoint"))
print("identical:", identical(restored))
# --8<-- [end:as_written]

# --8<-- [start:path]
print(tf.train.latest_checkpoint("./my_checkpoint"))
print(tf.train.latest_checkpoint("."))
# --8<-- [end:path]

# --8<-- [start:path_fixed]
restored = MyModel()
restored_checkpoint = tf.train.Checkpoint(model=restored)
restored_checkpoint.restore(tf.train.latest_checkpoint("."))
print("identical:", identical(restored))
print(
    "moving_mean restored:",
    np.array_equal(model.bn.moving_mean, restored.bn.moving_mean),
)
print(
    "first kernel restored:",
    np.array_equal(model.dense1.kernel, restored.dense1.kernel),
)
# --8<-- [end:path_fixed]

# --8<-- [start:built]
restored = MyModel()
restored(x_train[:1])
restored_checkpoint = tf.train.Checkpoint(model=restored)
status = restored_checkpoint.restore(tf.train.latest_checkpoint("."))
status.assert_existing_objects_matched()
print("identical:", identical(restored))
# --8<-- [end:built]

# --8<-- [start:more_than_weights]
keys = [key for key, shape in tf.train.list_variables(".")]
print("arrays of the optimizer:", sum("/optimizer/" in key for key in keys))
# --8<-- [end:more_than_weights]

# --8<-- [start:few_steps]
steps = int(model.optimizer.iterations.numpy())
print("steps:", steps)
print(f"share of the statistics learned: {1 - 0.99**steps:.0%}")

model.save_weights("few.weights.h5")
reloaded = MyModel()
reloaded(x_train[:1])
reloaded.load_weights("few.weights.h5")


def tell(name, net):
    batch_mean = np.mean(net.dense1(x_train), axis=0)
    far = np.abs(net.bn.moving_mean - batch_mean).max() > batch_mean.max() / 2
    print(f"{name:11} moving_mean is far from the data's mean: {far}")


tell("saved", model)
tell("loaded", reloaded)
print("identical:", identical(reloaded))

rows = tf.data.Dataset.from_tensor_slices((x_train, y_train))
model.fit(rows.repeat(100).batch(25), verbose=0)  # 400 steps
tell("trained on", model)
# --8<-- [end:few_steps]
