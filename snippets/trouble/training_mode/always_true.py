# --8<-- [start:setup]
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(100, 4)).astype("float32")


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(3)

    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


def new(kind):
    """Return a model that knows a mean of 5 and a variance of 9."""
    model = kind()
    model(x[:1], training=False)
    model.bn.moving_mean.assign([5.0] * 4)
    model.bn.moving_variance.assign([9.0] * 4)
    return model


def yes(model):
    return "yes" if np.any(model.bn.moving_mean != 5.0) else "no"


def same(one, other):
    return str(np.allclose(one, other, atol=1e-5))


def row(kind):
    model = new(kind)
    alone = model.predict(x[:4], batch_size=1, verbose=0)
    in_batch = model.predict(x[:4], batch_size=4, verbose=0)
    by_predict = yes(model)
    model = new(kind)
    model(x)
    by_call = yes(model)
    model.export("exported", verbose=False)
    exported = tf.saved_model.load("exported")
    served = same(exported.serve(x[:1]), exported.serve(x)[:1])
    print(
        f"{kind.__name__:11}  {same(alone, in_batch):9}  {served:9}  "
        f"{by_predict:9}  {by_call}"
    )


# --8<-- [end:setup]


# --8<-- [start:see]
class HardCoded(Net):
    def call(self, x, training=False):
        return self.out(self.bn(x, training=True))


class DefaultTrue(Net):
    def call(self, x, training=True):
        return self.out(self.bn(x, training=training))


print("             alone as in a batch   statistics changed by")
print("             predict    export     predict    model(x)")
for kind in [HardCoded, DefaultTrue]:
    row(kind)
# --8<-- [end:see]


# --8<-- [start:fix]
class Right(Net):
    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


# --8<-- [end:fix]

# --8<-- [start:sure]
row(Right)
# --8<-- [end:sure]
