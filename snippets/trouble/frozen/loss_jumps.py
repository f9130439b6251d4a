# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(100, 4)).astype("float32")
y = x[:, :1]


def base_and_model():
    bn = keras.layers.BatchNormalization()  # statistics of other data: 0, 1
    base = keras.Sequential([keras.Input(shape=(4,)), bn])
    inputs = keras.Input(shape=(4,))
    model = keras.Model(inputs, keras.layers.Dense(1)(base(inputs)))
    return base, model


base, model = base_and_model()
base.trainable = False
model.compile(keras.optimizers.SGD(0.01), loss="mse")
last_loss = model.fit(x, y, epochs=20, verbose=0).history["loss"][-1]
model.save_weights("resume.weights.h5")
outputs = model(x, training=False)
# --8<-- [end:setup]


# --8<-- [start:see]
def resumed(trainable):
    base, model = base_and_model()
    base.trainable = trainable
    model.compile(keras.optimizers.SGD(0.01), loss="mse")
    model.load_weights("resume.weights.h5")
    return model


def first_loss(model):
    equal = np.array_equal(model(x, training=False), outputs)
    loss = model.fit(x, y, verbose=0).history["loss"][0]
    return f"predictions equal: {equal}, loss doubled: {loss > 2 * last_loss}"


print("unfrozen:", first_loss(resumed(trainable=True)))
# --8<-- [end:see]

# --8<-- [start:fix]
print("frozen:  ", first_loss(resumed(trainable=False)))
# --8<-- [end:fix]

# --8<-- [start:sure]
for trainable in [True, False]:
    model = resumed(trainable)
    step = model(x, training=True)
    same = np.allclose(step, outputs, atol=0.01)
    print(f"base.trainable = {trainable}: a step computes the same: {same}")
# --8<-- [end:sure]
