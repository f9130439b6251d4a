# --8<-- [start:model]
import keras
import numpy as np
import torch
from torch import nn

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(16, 8, 8, 3)).astype("float32")
model = keras.Sequential(
    [
        keras.Input(shape=(8, 8, 3)),
        keras.layers.Conv2D(8, 3, name="conv"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(5, name="head"),
    ]
)
[gamma, beta] = model.get_layer("bn").trainable_weights
gamma.assign(np.random.uniform(0.5, 1.5, 8))  # as if it were trained
beta.assign(np.random.uniform(0.5, 1.5, 8))
model(x, training=True)
# --8<-- [end:model]

# --8<-- [start:batchnorm]
bn = model.get_layer("bn")
names = ["weight", "bias", "running_mean", "running_var"]
arrays = dict(zip(names, map(torch.tensor, bn.get_weights()), strict=True))
arrays["num_batches_tracked"] = torch.tensor(0)

back = nn.BatchNorm2d(8, eps=bn.epsilon, momentum=1 - bn.momentum)
back.load_state_dict(arrays, strict=True)
# --8<-- [end:batchnorm]

# --8<-- [start:kernels]
kernel, bias = map(torch.tensor, model.get_layer("conv").get_weights())
convolution = nn.Conv2d(3, 8, 3)
convolution.load_state_dict(
    {"weight": kernel.permute(3, 2, 0, 1), "bias": bias}, strict=True
)

kernel, bias = map(torch.tensor, model.get_layer("head").get_weights())
linear = nn.Linear(8, 5)
linear.load_state_dict({"weight": kernel.T, "bias": bias}, strict=True)
# --8<-- [end:kernels]

# --8<-- [start:prove]
pooling = nn.AdaptiveAvgPool2d(1)
net = nn.Sequential(convolution, back, pooling, nn.Flatten(), linear).eval()
with torch.no_grad():
    outputs = net(torch.tensor(x).permute(0, 3, 1, 2)).numpy()
expected = model.predict(x, verbose=0)
np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
torch.save(net.state_dict(), "back.pt")
np.savez("expected.npz", x=x, outputs=expected)
print("outputs within 1e-4")
# --8<-- [end:prove]

# --8<-- [start:reload]
import numpy as np
import torch
from torch import nn

saved = np.load("expected.npz")
x = torch.tensor(saved["x"]).permute(0, 3, 1, 2)
for name, eps in {"eps of Keras": 1e-3, "default eps ": 1e-5}.items():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8, eps=eps),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 5),
    ).eval()
    state = torch.load("back.pt", weights_only=True)
    net.load_state_dict(state, strict=True)
    with torch.no_grad():
        outputs = net(x).numpy()
    same = np.allclose(outputs, saved["outputs"], rtol=1e-4, atol=1e-4)
    print(f"{name} within 1e-4: {same}")
# --8<-- [end:reload]
