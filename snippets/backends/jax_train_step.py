# --8<-- [start:train_step]
import os

os.environ["KERAS_BACKEND"] = "jax"  # before Keras is imported

import jax
import keras
import numpy as np


@keras.saving.register_keras_serializable()
class Custom(keras.Model):
    def train_step(self, state, data):
        trainable, non_trainable, slots, metrics = state
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        gradients = jax.value_and_grad(
            self.compute_loss_and_updates, has_aux=True
        )
        (_, results), grads = gradients(
            trainable,
            non_trainable,
            metrics,
            x,
            y,
            weight,
            training=True,
            optimizer_variables=slots,
        )
        loss, outputs, non_trainable, metrics = results
        # Here the gradients can be changed, scaled ones under mixed_float16.
        trainable, slots = self.optimizer.stateless_apply(
            slots, grads, trainable
        )
        values = list(zip(self.metrics_variables, metrics))
        with keras.StatelessScope(values) as scope:
            self.metrics[0].update_state(loss, len(jax.tree.leaves(x)[0]))
            logs = self.compute_metrics(x, y, outputs, weight)
        metrics = [scope.get_current_value(v) for v in self.metrics_variables]
        return logs, (trainable, non_trainable, slots, metrics)


# --8<-- [end:train_step]

# --8<-- [start:model]
x = np.random.default_rng(0).normal(5, 3, (1000, 8)).astype("float32")
y = (x[:, 0] + x[:, 1] > 10).astype("int32")
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def build(kind):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape=(8,))
    outputs = keras.layers.BatchNormalization(momentum=0.9, name="bn")(inputs)
    outputs = keras.layers.Dense(16, "relu", kernel_regularizer="l2")(outputs)
    outputs = keras.layers.Dropout(0.2)(outputs)
    return kind(inputs, keras.layers.Dense(2)(outputs))


# --8<-- [end:model]


# --8<-- [start:fit_both]
def fit_both(kind):
    net = build(kind)
    adam = keras.optimizers.Adam(0.01)
    net.compile(adam, loss_fn, weighted_metrics=["accuracy"])
    weight = np.where(y == 1, 2.0, 1.0)
    settings = {"batch_size": 64, "sample_weight": weight, "verbose": 0}
    return net, net.fit(x, y, epochs=3, **settings).history


custom, own = fit_both(Custom)
_, usual = fit_both(keras.Model)
for name in usual:
    print(f"{name} as in fit:", np.allclose(own[name], usual[name], rtol=1e-4))
# --8<-- [end:fit_both]

# --8<-- [start:save]
custom.save("custom.keras")
np.savez("expected.npz", *custom.get_weights(), x=x, y=y)
# --8<-- [end:save]

# --8<-- [start:reload]
loaded = keras.saving.load_model("custom.keras")
expected = np.load("expected.npz")
for i, array in enumerate(loaded.get_weights()):
    np.testing.assert_array_equal(array, expected[f"arr_{i}"])
print(i + 1, "arrays equal")
print(
    "moving_mean still 0:", not loaded.get_layer("bn").moving_mean.numpy().any()
)

loaded.fit(expected["x"], expected["y"], batch_size=64, verbose=0)
steps = int(loaded.optimizer.iterations)
print(f"{type(loaded).__name__} trained on to step {steps}")
# --8<-- [end:reload]
