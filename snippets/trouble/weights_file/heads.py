# --8<-- [start:setup]
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.normal(5, 3, size=(64, 8)).astype("float32")


def build(arrange):
    inputs = keras.Input(shape=(8,))
    hidden = layers.BatchNormalization(momentum=0.5, name="bn")(inputs)
    age = layers.Dense(1, name="age")(hidden)
    score = layers.Dense(1, name="score")(hidden)
    return keras.Model(inputs, arrange(age, score))


def as_saved(age, score):
    return {"age": age, "score": score}


model = build(as_saved)
for _ in range(20):
    model(x, training=True)
model.save_weights("model.weights.h5")
predictions = model(x, training=False)
# --8<-- [end:setup]

# --8<-- [start:see]
cases = {
    "keys age and score": as_saved,
    "keys years and score": lambda age, score: {"years": age, "score": score},
    "a list, age first": lambda age, score: [age, score],
    "a list, score first": lambda age, score: [score, age],
}
saved = model.get_layer("age").kernel
for case, arrange in cases.items():
    rebuilt = build(arrange)
    rebuilt.load_weights("model.weights.h5")
    found = rebuilt.get_layer("age").kernel
    print(f"{case:20}  age as saved: {np.array_equal(saved, found)}")
# --8<-- [end:see]

# --8<-- [start:fix]
loaded = build(as_saved)
loaded.load_weights("model.weights.h5")
outputs = {"years": loaded.output["age"], "score": loaded.output["score"]}
renamed = keras.Model(loaded.input, outputs)
# --8<-- [end:fix]

# --8<-- [start:sure]
for key, saved_as in {"years": "age", "score": "score"}.items():
    found = renamed(x, training=False)[key]
    print(f"{key:6}", np.allclose(found, predictions[saved_as]))
# --8<-- [end:sure]
