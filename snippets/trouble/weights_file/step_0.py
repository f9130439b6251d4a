# --8<-- [start:setup]
import keras
import numpy as np


def build_model():
    return keras.Sequential(
        [
            keras.Input(shape=(8,)),
            keras.layers.Dense(4),
            keras.layers.BatchNormalization(),
        ]
    )


keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(256, 8)).astype("float32")
model = build_model()
model.compile(optimizer="adam", loss="mse")
model.fit(x, x[:, :4], verbose=0)
model.save_weights("model.weights.h5")
# --8<-- [end:setup]

# --8<-- [start:see]
import warnings

restarted = build_model()
restarted.compile(optimizer="adam", loss="mse")
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    restarted.load_weights("model.weights.h5")
print(*{f"{w.category.__name__}: {w.message}" for w in caught})
print("saved at step:", int(model.optimizer.iterations.numpy()))
print("loaded at step:", int(restarted.optimizer.iterations.numpy()))
# --8<-- [end:see]

# --8<-- [start:late]
late = build_model()
with warnings.catch_warnings(
    record=True, action="always", category=UserWarning
) as caught:
    late.load_weights("model.weights.h5")
    late.compile(optimizer="adam", loss="mse")
print("warnings:", len(caught))
equal = all(map(np.array_equal, model.weights, late.weights))
print(f"arrays equal: {equal}, step: {int(late.optimizer.iterations.numpy())}")
# --8<-- [end:late]

# --8<-- [start:fix]
restarted.optimizer.build(restarted.trainable_variables)
restarted.load_weights("model.weights.h5")
print("loaded at step:", int(restarted.optimizer.iterations.numpy()))
# --8<-- [end:fix]

# --8<-- [start:sure]
for net in [model, restarted, late]:
    net.fit(x, x[:, :4], shuffle=False, verbose=0)
for name, net in {"built": restarted, "compiled late": late}.items():
    equal = all(map(np.array_equal, model.weights, net.weights))
    print(f"{name}: trained on as if nothing was saved: {equal}")
# --8<-- [end:sure]
