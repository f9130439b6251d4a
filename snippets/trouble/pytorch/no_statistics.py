# --8<-- [start:see]
import keras
import numpy as np
import torch
from torch import nn

torch.manual_seed(0)
rows = torch.randn(256, 4) * 2 + 3
for track in [True, False]:
    there = nn.BatchNorm1d(4, track_running_stats=track, momentum=1.0)
    there(rows)
    there.requires_grad_(False).eval()
    alone, among_others = there(rows[:8]), there(rows)[:8]
    same = torch.allclose(alone, among_others, atol=0.1)
    print(f"track_running_stats={track!s:5} 8 rows alone, same outputs: {same}")
print("running_mean:", there.running_mean)
# --8<-- [end:see]

# --8<-- [start:fix]
from bn_tools import estimate_again

here = keras.layers.BatchNormalization(epsilon=there.eps)
model = keras.Sequential([keras.Input(shape=(4,)), here])
start = [np.zeros(4), np.ones(4)]
here.set_weights([there.weight.numpy(), there.bias.numpy(), *start])
before = model.predict(rows.numpy(), verbose=0)
estimate_again(model, [rows.numpy()])
# --8<-- [end:fix]

# --8<-- [start:sure]
after = model.predict(rows.numpy(), verbose=0)
wanted = there(rows).numpy()
print("with 0 and 1, outputs equal:", np.allclose(before, wanted, atol=1e-3))
print("estimated, outputs equal:   ", np.allclose(after, wanted, atol=1e-3))
# --8<-- [end:sure]
