# --8<-- [start:measure]
import keras
import numpy as np


def right(outputs, y, threshold):
    """Return which rows are right, counted without a metric.

    Args:
        outputs: What `predict` returned; of several outputs, one.
        y: Class numbers, or one row per sample of zeros and a one.
        threshold: For a single output: 0 for logits, 0.5 for a sigmoid.
    """
    outputs, y = np.asarray(outputs), np.asarray(y)
    if outputs.ndim < 2:
        raise ValueError("pass the array of one output, and its targets")
    if outputs.shape[-1] == 1:
        classes = outputs[..., 0] > threshold
    else:
        classes = outputs.argmax(axis=-1)
        y = y.argmax(axis=-1) if y.shape == outputs.shape else y
    return classes == y.reshape(classes.shape)


def metrics_of(model):
    """Return the classes of the compiled metrics, once `evaluate` has run."""
    found = [getattr(each, "metrics", []) for each in model.metrics]
    return [type(each).__name__ for metrics in found for each in metrics]


# --8<-- [end:measure]

# --8<-- [start:cases]
keras.utils.set_random_seed(0)
classes = np.arange(300) % 3
x = (
    np.eye(3, dtype="float32")[classes] - 0.7
)  # 0.3 for its class, -0.7 for others
norm = keras.layers.BatchNormalization()
model = keras.Sequential([keras.Input(shape=(3,)), norm])
first = keras.Sequential(
    [keras.Input(shape=(1,)), keras.layers.BatchNormalization()]
)

three = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
rows = keras.losses.CategoricalCrossentropy(from_logits=True)
two = keras.losses.BinaryCrossentropy(from_logits=True)
one_hot, is_first = np.eye(3)[classes], (classes == 0).astype(int)
exact = keras.metrics.Accuracy()
at_0 = keras.metrics.BinaryAccuracy(threshold=0)

cases = {
    "accuracy": (model, x, classes, three, "accuracy"),
    "one-hot, Accuracy()": (model, x, one_hot, rows, exact),
    "one-hot, accuracy": (model, x, one_hot, rows, "accuracy"),
    "one-hot, binary_accuracy": (model, x, one_hot, rows, "binary_accuracy"),
    "logits, accuracy": (first, x[:, :1], is_first, two, "accuracy"),
    "logits, threshold 0": (first, x[:, :1], is_first, two, at_0),
}
print(f"{'compiled with':26}reported  counted  metric")
for name, (net, inputs, targets, loss, metric) in cases.items():
    net.compile(loss=loss, metrics=[metric])
    _, reported = net.evaluate(inputs, targets, verbose=0)
    outputs = net.predict(inputs, verbose=0)
    counted = right(outputs, targets, threshold=0).mean()
    print(f"{name:26}{reported:<10.2f}{counted:<9.2f}{metrics_of(net)[0]}")
# --8<-- [end:cases]

# --8<-- [start:shapes]
predicted = first.predict(x[:, :1], verbose=0) > 0
print(predicted.shape, is_first.shape, (predicted == is_first).shape)
for y in [is_first, is_first[:, None]]:
    print(f"{np.mean(predicted == y):.2f}")
# --8<-- [end:shapes]
