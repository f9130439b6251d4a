# --8<-- [start:setup]
import keras
import numpy as np
from ai_edge_litert.interpreter import Interpreter

random = np.random.default_rng(0)
images = random.normal(3, 2, (32, 8, 8, 3)).astype("float32")
series = random.normal(3, 2, (32, 9, 3)).astype("float32")


def cnn():
    return [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(4, 3),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.GlobalAveragePooling2D(),
    ]


def lstm():
    return [
        keras.Input((9, 3)),
        keras.layers.LSTM(4),
        keras.layers.BatchNormalization(momentum=0.9),
    ]


def trained(layers, x, policy="float32"):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential(
        [*layers(), keras.layers.Dense(1, dtype="float32")]
    )
    keras.config.set_dtype_policy("float32")
    model.compile("adam", "mse")
    model.fit(x, x.reshape(32, -1)[:, :1], epochs=10, verbose=0)
    return model


# --8<-- [end:setup]


# --8<-- [start:see]
def report(what, model, x, **settings):
    model.export("model.tflite", format="litert", verbose=False, **settings)
    run = None
    try:
        run = Interpreter("model.tflite").get_signature_runner()
        [name] = run.get_input_details()
        rows = [list(run(**{name: x[i : i + 1]}).values())[0] for i in range(4)]
        expected = model(x[:4], training=False)
        near = np.allclose(np.concatenate(rows), expected, atol=1e-4)
        print(f"{what:14} as the model: {near}")
    except RuntimeError as error:
        print(f"{what:14} RuntimeError: {str(error)[:47]}")


report("float32", trained(cnn, images), images)
half = trained(cnn, images, "mixed_float16")
report("mixed_float16", half, images)
sequence = trained(lstm, series)
report("LSTM", sequence, series)
# --8<-- [end:see]

# --8<-- [start:fix]
whole = keras.Sequential([*cnn(), keras.layers.Dense(1)])
whole.set_weights(half.get_weights())
one_row = [keras.InputSpec("float32", (1, 9, 3))]
# --8<-- [end:fix]

# --8<-- [start:sure]
report("in float32", whole, images)
report("LSTM, one row", sequence, series, input_signature=one_row)
# --8<-- [end:sure]
