# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 4)).astype("float32")


def sound():
    layers = [
        keras.layers.BatchNormalization(name="base_bn", momentum=0.5),
        keras.layers.Dense(4),
        keras.layers.BatchNormalization(name="bn", momentum=0.5),
    ]
    model = keras.Sequential([keras.Input(shape=(4,)), *layers])
    for _ in range(30):
        model(x, training=True)  # moves the statistics, as training does
    model.get_layer("base_bn").trainable = False
    return model


model = sound()
for name in ["moving_mean", "moving_variance"]:
    getattr(model.get_layer("bn"), name).assign(np.full(4, np.nan))
model.save("broken.keras")
# --8<-- [end:setup]

# --8<-- [start:see]
from bn_tools import batch_norms, broken, estimate_again, repair

start = model.get_layer("base_bn").get_weights()


def report(way, model):
    kept = model.get_layer("base_bn").get_weights()
    equal = all(map(np.array_equal, kept, start))
    print(f"{way:21} broken: {len(broken(model))}  base kept: {equal}")


def reset(layers):
    for layer in layers:
        layer.moving_mean.assign(np.zeros(4))
        layer.moving_variance.assign(np.ones(4))


for way in ["momentum 0", "reset bn, momentum 0", "reset all, repair bn"]:
    net = keras.saving.load_model("broken.keras")
    bn = net.get_layer("bn")
    if way == "reset bn, momentum 0":
        reset([bn])
    if way == "reset all, repair bn":
        reset(batch_norms(net))
        estimate_again(net, [x], layers=[bn])
    else:
        bn.momentum = 0.0
        net(x, training=True)
    report(way, net)
# --8<-- [end:see]

# --8<-- [start:fix]
print("repaired:", *repair(model, [x]))
report("repair", model)
# --8<-- [end:fix]

# --8<-- [start:sure]
base_bn, dense, bn = model.layers
features = dense(base_bn(x, training=False)).numpy()
close = {"rtol": 1e-3, "atol": 1e-3}  # NumPy adds in another order
np.testing.assert_allclose(bn.moving_mean, features.mean(axis=0), **close)
np.testing.assert_allclose(bn.moving_variance, features.var(axis=0), **close)
print("bn holds mean and variance of what it receives")
print("momentum as it was:", bn.momentum)
# --8<-- [end:sure]
