# --8<-- [start:setup]
import keras
import numpy as np
from bn_tools import batch_norms, estimate_again

keras.utils.set_random_seed(0)
x = np.random.normal(5, 0.1, size=(120, 5)).astype("float32")
in_order = x[np.argsort(x[:, 0])]
model = keras.Sequential([keras.Input(shape=(5,))])
for i in range(3):
    model.add(keras.layers.BatchNormalization(name=f"bn{i + 1}"))
    model.add(keras.layers.Dense(64, activation="relu"))


def variances(rows, size):
    estimate_again(model, np.split(rows, len(rows) // size))
    return [np.mean(layer.moving_variance) for layer in batch_norms(model)]


def show(case, rows, size):
    shares = np.divide(variances(rows, size), whole)
    within = np.mean(rows.reshape(-1, size, 5).var(axis=1))
    shares = [*shares, within / np.mean(rows.var(axis=0))]
    print(f"{case:15}", "  ".join(f"{share:.2f}" for share in shares))


whole = variances(x, 120)
# --8<-- [end:setup]

# --8<-- [start:see]
print("rows per batch  bn1   bn2   bn3   within the batches")
show("2", x, 2)
show("4", x, 4)
show("10", x, 10)
show("10, in order", in_order, 10)
# --8<-- [end:see]

# --8<-- [start:fix]
show("120", x, 120)
# --8<-- [end:fix]

# --8<-- [start:sure]
part = x[:60]
for size in [2, 30]:
    change = np.divide(variances(part, 2 * size), variances(part, size))
    print(f"{size:2} rows, doubled: by more than 10%: {change.max() > 1.1}")
# --8<-- [end:sure]
