# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

x = np.ones((64, 10, 2), dtype="float32")
mask = np.ones((64, 10), dtype=bool)
mask[32:, 5:] = False  # half of the rows end after five steps
mask[:, 9:] = False  # and no row has a tenth
x[~mask] = 0


class Cell(keras.layers.Layer):
    def __init__(self, bn):
        super().__init__()
        self.state_size = self.output_size = 2
        self.bn = bn

    def build(self, shape):
        self.bn.build((None, 2))

    def call(self, x, states, training=False):
        h = self.bn(x, training=training) + states[0]
        return h, [h]


def mean_of_ones(layer, bn, data, mask):
    call = tf.function(layer)
    for _ in range(50):
        call(data, training=True, mask=mask)
    return bn.moving_mean.numpy().round(1)


# --8<-- [end:setup]

# --8<-- [start:see]
for name, given in {"mask": mask, "no mask": None}.items():
    bn = keras.layers.BatchNormalization(momentum=0.9)
    rnn = keras.layers.RNN(Cell(bn))
    print(f"RNN, {name}:".ljust(16), mean_of_ones(rnn, bn, x, given))
alone = keras.layers.BatchNormalization(momentum=0.9)
print("not in a cell:  ", mean_of_ones(alone, alone, x, mask))
# --8<-- [end:see]


# --8<-- [start:fix]
class MaskedCell(Cell):
    """A cell whose last input feature is the mask of the step."""

    def call(self, x, states, training=False):
        x, mask = x[..., :-1], x[..., -1] > 0
        statistics = [self.bn.moving_mean, self.bn.moving_variance]
        before = [keras.ops.copy(array) for array in statistics]
        h = self.bn(x, training=training, mask=mask) + states[0]
        if training:  # a step of nothing but padding moves nothing
            some = keras.ops.any(mask)
            for array, old in zip(statistics, before, strict=True):
                array.assign(keras.ops.where(some, array, old))
        return h, [h]


def with_mask(x, mask):
    mask = keras.ops.cast(mask[..., None], x.dtype)
    return keras.ops.concatenate([x, mask], axis=-1)


# --8<-- [end:fix]

# --8<-- [start:sure]
bn = keras.layers.BatchNormalization(momentum=0.9)
rnn = keras.layers.RNN(MaskedCell(bn))
print("MaskedCell:", mean_of_ones(rnn, bn, with_mask(x, mask), mask))

other = np.where(mask[..., None], x, 9).astype("float32")
print("what the padding holds matters:")
plain = keras.layers.RNN(Cell(keras.layers.BatchNormalization()))
for name, layer, one, two in [
    ("Cell", plain, x, other),
    ("MaskedCell", rnn, with_mask(x, mask), with_mask(other, mask)),
]:
    one, two = (layer(data, training=True, mask=mask) for data in (one, two))
    print(f"  {name:10}", not np.allclose(one, two, atol=1e-4))
# --8<-- [end:sure]
