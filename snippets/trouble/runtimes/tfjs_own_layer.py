# --8<-- [start:model]
import numpy as np
import tf_keras


class Block(tf_keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = tf_keras.layers.Dense(units, name="dense")
        self.bn = tf_keras.layers.BatchNormalization(name="bn")

    def call(self, inputs, training=False):
        return self.bn(self.dense(inputs), training=training)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


tf_keras.utils.disable_interactive_logging()  # export prints a page
tf_keras.utils.set_random_seed(0)
inputs = tf_keras.Input(shape=(4,), name="rows")
outputs = tf_keras.layers.Dense(3, name="head")(Block(8)(inputs))
model = tf_keras.Model(inputs, outputs)
x = np.random.normal(5, 3, size=(16, 4)).astype("float32")
model.compile("sgd", "mse")
model.fit(x, x[:, :3], epochs=5, verbose=0)
# --8<-- [end:model]

# --8<-- [start:save]
model.save("model.h5")
model.export("exported")

bn = tf_keras.layers.BatchNormalization(name="bn")
plain = tf_keras.Model(inputs, bn(inputs))
plain.compile("sgd", "mse")
plain.fit(x, x, epochs=5, verbose=0)
plain.save("plain.h5")
# --8<-- [end:save]

# --8<-- [start:convert]
from tensorflowjs import converters

converters.convert(["--input_format=keras", "model.h5", "layers_model"])
converters.convert(["--input_format=keras", "plain.h5", "plain"])
converters.convert_tf_saved_model("exported", "graph_model")
# --8<-- [end:convert]

# --8<-- [start:see]
from tfjs_browser import predict

message = predict("layers_model", x)
print(message.partition(" This")[0])
# --8<-- [end:see]

# --8<-- [start:renamed]
import re
from pathlib import Path

path = Path("plain/model.json")
for name in ["BatchNormalizationV1", "BatchNormalization"]:
    text = re.sub('"BatchNormalization(V1)?"', f'"{name}"', path.read_text())
    path.write_text(text)
    answer = predict("plain", x)
    if isinstance(answer, str):
        print(answer.partition(" This")[0])
    else:
        equal = np.allclose(answer, plain(x, training=False), atol=1e-5)
        print(f"{name}: predictions equal: {equal}")
# --8<-- [end:renamed]

# --8<-- [start:fix]
batch = predict("graph_model", x)
one = predict("graph_model", x[:1])
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=False).numpy()
np.testing.assert_allclose(batch, expected, atol=1e-5)
np.testing.assert_allclose(one, expected[:1], atol=1e-5)
print(len(batch), "predictions within 1e-5, and one alone")
weights = model.get_weights()
training = model(x, training=True).numpy()
model.set_weights(weights)  # that call moved the statistics
print("training mode is that near:", np.allclose(batch, training, atol=1e-5))
# --8<-- [end:sure]
