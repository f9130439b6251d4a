# --8<-- [start:setup]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(8, 4) * 2 + 5
there = nn.BatchNorm1d(4)
here = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
here.build((None, 4))
# --8<-- [end:setup]

# --8<-- [start:see]
wanted = there(rows).detach().numpy()
outputs = here(rows.numpy(), training=True)
np.testing.assert_allclose(outputs, wanted, atol=1e-5)
np.testing.assert_allclose(here.moving_mean, there.running_mean, rtol=1e-5)
print("outputs in training mode and means within 1e-5")

# Both keep 0.9 of the starting value 1, so the rest is what the step added.
added = here.moving_variance.numpy() - 0.9
ratio = (there.running_var.numpy() - 0.9) / added
print("PyTorch added more by 8/7:", np.allclose(ratio, 8 / 7, rtol=1e-3))
# --8<-- [end:see]

# --8<-- [start:fix]
names = ["weight", "bias", "running_mean", "running_var"]
here.set_weights([getattr(there, name).detach().numpy() for name in names])
# --8<-- [end:fix]

# --8<-- [start:sure]
wanted = there.eval()(rows).detach().numpy()
for name, factor in {"times 7/8": 7 / 8, "as it is ": 1}.items():
    here.moving_variance.assign(there.running_var.numpy() * factor)
    outputs = here(rows.numpy(), training=False)
    same = np.allclose(outputs, wanted, atol=1e-5)
    print(f"{name}: outputs in inference mode equal: {same}")
# --8<-- [end:sure]
