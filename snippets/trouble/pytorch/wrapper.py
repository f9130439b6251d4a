# --8<-- [start:setup]
import os

os.environ["KERAS_BACKEND"] = "torch"
import keras
import numpy as np
import torch

x = np.random.default_rng(0).normal(5, 3, (64, 4)).astype("float32")
y = np.zeros((64, 1), "float32")


def pytorch_net():
    return torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3))


def with_head(net):
    """Return a compiled Keras model around a PyTorch module, and the module."""
    wrapped = keras.layers.TorchModuleWrapper(net, output_shape=(None, 3))
    head = keras.layers.Dense(1)
    model = keras.Sequential([keras.Input((4,)), wrapped, head])
    model.compile("sgd", "mse")
    return model, net


# --8<-- [end:setup]

# --8<-- [start:see]
model, net = with_head(pytorch_net())
model.fit(x, y, verbose=0)
print("arrays:", [weight.shape for weight in model.layers[0].weights])
print("buffers:", [name for name, _ in net.named_buffers()])

expected = model.predict(x, verbose=0)
other, _ = with_head(pytorch_net())
other.set_weights(model.get_weights())
outputs = other.predict(x, verbose=0)
print(
    "set_weights: same predictions:", np.allclose(outputs, expected, atol=1e-4)
)

model.save_weights("model.weights.h5")
other.load_weights("model.weights.h5")
outputs = other.predict(x, verbose=0)
print(
    ".weights.h5: same predictions:", np.allclose(outputs, expected, atol=1e-4)
)
# --8<-- [end:see]

# --8<-- [start:safe]
model.save("model.keras")
try:
    keras.saving.load_model("model.keras")
except ValueError as error:
    print("ValueError:", str(error).partition(" This carries")[0])
loaded = keras.saving.load_model("model.keras", safe_mode=False)
outputs = loaded.predict(x, verbose=0)
print("same predictions:", np.allclose(outputs, expected, atol=1e-4))
# --8<-- [end:safe]


# --8<-- [start:frozen]
def moved_in_fit(net):
    """Freeze the module, train the head, and say what moved in the module."""
    model, net = with_head(net)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = {name: array.clone() for name, array in net.state_dict().items()}
    model.fit(x, y, verbose=0)
    after = net.state_dict()
    return [
        name for name in before if not torch.equal(before[name], after[name])
    ]


print("moved:", moved_in_fit(pytorch_net()))
# --8<-- [end:frozen]


# --8<-- [start:fix]
class InInferenceMode(torch.nn.Module):
    """Runs a module in inference mode, whatever mode it is put into."""

    def __init__(self, module):
        super().__init__()
        self.module = module
        self.train(False)

    def train(self, mode=True):
        return super().train(False)

    def forward(self, *inputs):
        return self.module(*inputs)


print("moved:", moved_in_fit(InInferenceMode(pytorch_net())))
# --8<-- [end:fix]

# --8<-- [start:copy]
other, other_net = with_head(pytorch_net())
other.set_weights(model.get_weights())
other_net.load_state_dict(net.state_dict())
outputs = other.predict(x, verbose=0)
print("same predictions:", np.allclose(outputs, expected, atol=1e-4))
# --8<-- [end:copy]
