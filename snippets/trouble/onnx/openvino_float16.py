# --8<-- [start:model]
import keras
import numpy as np
import openvino as ov

rng = np.random.default_rng(0)
bn = keras.layers.BatchNormalization()
model = keras.Sequential([keras.Input(shape=(3,)), bn])
x = rng.normal([5000, 1, 0], [1, 1, 0.001], (256, 3)).astype("float32")
bn.epsilon = 1e-9
bn.moving_mean.assign(x.mean(axis=0))
bn.moving_variance.assign(x.var(axis=0))
expected = model(x, training=False)
model.export("exported", verbose=False)
# --8<-- [end:model]


# --8<-- [start:see]
def off(net):
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    outputs = ov.Core().compile_model(net, "CPU", settings)(x)[0]
    return np.abs(outputs - expected).max(axis=0)


def show(what, net):
    print(f"{what:26}", *(f"{o > 0.01!s:5}" for o in off(net)))


net = ov.convert_model("exported")
ov.save_model(net, "default.xml")
ov.save_model(net, "exact.xml", compress_to_fp16=False)
print("off by more than 0.01:")
show("converted", net)
show("saved", "default.xml")
show("compress_to_fp16=False", "exact.xml")
# --8<-- [end:see]

# --8<-- [start:fix]
ov.save_model(ov.convert_model("exported"), "net.xml", compress_to_fp16=False)
# --8<-- [end:fix]


# --8<-- [start:sure]
def stored(file):
    nodes = ov.Core().read_model(file).get_ops()
    constants = [n for n in nodes if n.get_type_name() == "Constant"]
    types = {n.get_element_type().get_type_name() for n in constants}
    return sorted(types & {"f16", "f32"})


model.export("keras.xml", format="openvino", verbose=False)
for file in ["default.xml", "net.xml", "keras.xml"]:
    print(f"{file:12} {stored(file)}")
# --8<-- [end:sure]
