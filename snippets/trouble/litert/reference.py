# --8<-- [start:setup]
import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)
x = random.normal(5, 3, (64, 6)).astype("float32")

model = keras.Sequential(
    [
        keras.Input((6,), name="row"),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(1),
    ]
)
model.compile("adam", "mse")
model.fit(x, x[:, :1], epochs=5, verbose=0)
model.export("model.tflite", format="litert", verbose=False)

interpreter = Interpreter("model.tflite")
interpreter.allocate_tensors()
number = interpreter.get_input_details()[0]["index"]
result = interpreter.get_output_details()[0]["index"]
# --8<-- [end:setup]


# --8<-- [start:see]
def next_row(row):
    try:
        interpreter.set_tensor(number, x[row : row + 1])
        interpreter.invoke()
        return "runs"
    except RuntimeError as error:
        return "RuntimeError: " + " ".join(str(error).split())[:44]


print(next_row(0))
outputs = interpreter.tensor(result)()
print(next_row(1))
del outputs
print(next_row(1))
# --8<-- [end:see]

# --8<-- [start:fix]
outputs = [next_row(0) and interpreter.get_tensor(result)]
outputs += [next_row(1) and interpreter.get_tensor(result)]
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x[:2], training=False)
np.testing.assert_allclose(np.concatenate(outputs), expected, rtol=1e-4)
print("rows are equal:", np.array_equal(*outputs))
# --8<-- [end:sure]
