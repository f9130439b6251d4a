# --8<-- [start:setup]
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(100, 4)).astype("float32")


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.bn = keras.layers.BatchNormalization()
        self.out = keras.layers.Dense(1)

    def call(self, x, training=False):
        return self.out(self.bn(x, training=training))


def validate(model):
    """Evaluate on data of another kind, and say what it has changed."""
    before = model.predict(x, verbose=0)
    arrays = model.get_weights()
    model.compile(loss="mse")
    model.evaluate(x - 5, x[:, :1], verbose=0)
    same = all(map(np.array_equal, arrays, model.get_weights()))
    close = np.allclose(model.predict(x, verbose=0), before, atol=0.02)
    print("arrays changed:", not same, " predictions changed:", not close)


# --8<-- [end:setup]


# --8<-- [start:see]
class LeakyTest(Net):
    def test_step(self, data):
        x, y = data
        outputs = self(x, training=True)
        loss = self.compute_loss(x, y, outputs)
        return {"own_loss": loss}


validate(LeakyTest())
# --8<-- [end:see]


# --8<-- [start:fix]
class RightTest(Net):
    def test_step(self, data):
        x, y = data
        outputs = self(x, training=False)
        loss = self.compute_loss(x, y, outputs, training=False)
        return {"own_loss": loss}


# --8<-- [end:fix]

# --8<-- [start:sure]
validate(RightTest())
validate(Net())
# --8<-- [end:sure]
