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
# --8<-- [end:setup]

# --8<-- [start:see]
interpreter = Interpreter("model.tflite")
interpreter.allocate_tensors()
[data] = interpreter.get_input_details()
print("shape:", data["shape"], "signature:", data["shape_signature"])
for rows in [1, 64]:
    try:
        interpreter.set_tensor(data["index"], x[:rows])
        print(rows, "set")
    except ValueError as error:
        print(rows, "ValueError:", str(error)[:63])
# --8<-- [end:see]

# --8<-- [start:fix]
interpreter.resize_tensor_input(data["index"], x.shape)
interpreter.allocate_tensors()
interpreter.set_tensor(data["index"], x)
interpreter.invoke()
[result] = interpreter.get_output_details()
outputs = interpreter.get_tensor(result["index"])
# --8<-- [end:fix]

# --8<-- [start:sure]
expected = model(x, training=False)
np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-4)
run = Interpreter("model.tflite").get_signature_runner()
for rows in [1, 64]:
    np.testing.assert_allclose(
        run(row=x[:rows])["output_0"], outputs[:rows], rtol=1e-4, atol=1e-4
    )
print(len(outputs), "outputs as those of the model, resized or by the runner")
# --8<-- [end:sure]
