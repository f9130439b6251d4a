# --8<-- [start:measure]
import keras
import numpy as np


def state_of_training(model, x, y, loss):
    """Return what decides how the next step goes. All variables stay.

    Args:
        model: The compiled model: first before saving, then after loading.
        x: Some training rows.
        y: Their targets.
        loss: The loss that the model is compiled with.
    """
    before = [(variable, variable.numpy()) for variable in model.variables]
    for variable, _ in before:
        if variable.name == "seed_generator_state":
            variable.assign([0, 0])  # so that Dropout drops the same ones
    losses = [loss(y, model(x, training=mode)) for mode in (False, True)]
    for variable, array in before:
        variable.assign(array)
    return {
        "inference": float(losses[0]),
        "training": float(losses[1]),
        "trainable": len(model.trainable_variables),
        "step": int(model.optimizer.iterations),
        "rate": float(model.optimizer.learning_rate),
    }


def compared(saved, loaded):
    equal = [np.isclose(saved[name], loaded[name], rtol=1e-4) for name in saved]
    return ["equal" if each else "differs" for each in equal]


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")
y = x[:, :1] - x[:, 1:2]
loss = keras.losses.MeanSquaredError()


def build(frozen=True):
    base = keras.layers.BatchNormalization(name="base", trainable=not frozen)
    layers = [base, keras.layers.Dense(8), keras.layers.BatchNormalization()]
    layers = [keras.Input(shape=(8,)), *layers, keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), loss)
    return model


def into(model, built=False):
    if built:
        model.optimizer.build(model.trainable_variables)
    model.load_weights("model.weights.h5")
    return model


model = build()
model.get_layer("base").moving_mean.assign(np.full(8, 2.0))
model.fit(x, y, epochs=2, verbose=0)
model.optimizer.learning_rate = 0.001  # as ReduceLROnPlateau does
model.save("model.keras")
model.save_weights("model.weights.h5")
saved = state_of_training(model, x, y, loss)

whole = keras.saving.load_model("model.keras")
again = keras.saving.load_model("model.keras")
again.compile(keras.optimizers.SGD(0.001, momentum=0.9), loss)
other = into(build(), built=True)
other.get_layer("base").epsilon = 10.0

cases = {
    "the whole model": whole,
    "compiled again": again,
    "optimizer not built": into(build()),
    "optimizer built": into(build(), built=True),
    "frozen layer thawed": into(build(frozen=False)),
    "another epsilon": other,
}
print(f"{'':20}inference  training  trainable  step     rate")
for name, loaded in cases.items():
    found = compared(saved, state_of_training(loaded, x, y, loss))
    print("{:20}{:11}{:10}{:11}{:9}{}".format(name, *found))
# --8<-- [end:cases]
