# --8<-- [start:see]
import keras
import numpy as np


class Classifier(keras.Model):
    def __init__(self, base, **arguments):
        super().__init__()
        self.base, self.arguments = base, arguments
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, x, training=False):
        return self.dropout(self.base(x, **self.arguments))


x = np.random.default_rng(0).normal(5, 3, (100, 4)).astype("float32")
bn = keras.layers.BatchNormalization()
base = keras.Sequential([keras.Input(shape=(4,)), bn])


def report(name, model):
    before = bn.moving_mean.numpy()
    first, second = (model(x, training=True) for _ in range(2))
    kept = np.array_equal(before, bn.moving_mean)
    on = not np.allclose(first, second, atol=0.1)
    print(f"{name:28} kept: {kept!s:5}  Dropout of the head on: {on}")


report("self.base(x)", Classifier(base))
report("self.base(x, training=False)", Classifier(base, training=False))
# --8<-- [end:see]


# --8<-- [start:fix]
class Named(Classifier):
    def call(self, x, training=False):
        x = self.base(x, **self.arguments)
        return self.dropout(x, training=training)


# --8<-- [end:fix]

# --8<-- [start:sure]
model = Named(base, training=False)
report("the head is told its mode", model)
same = np.array_equal(model(x, training=False), base(x, training=False))
print("off in inference mode:", same)
# --8<-- [end:sure]
