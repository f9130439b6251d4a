# --8<-- [start:model]
import json

import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input(shape=(4,)),
        keras.layers.Dense(8, name="dense"),
        keras.layers.BatchNormalization(name="bn"),
        keras.layers.Dense(1, name="head"),
    ]
)
bn = model.get_layer("bn")  # random arrays stand in for training
bn.set_weights([np.random.uniform(0.5, 3, 8) for _ in range(4)])
x = np.random.normal(size=(32, 4)).astype("float32")
# --8<-- [end:model]

# --8<-- [start:export]
rows = [tf.TensorSpec((None, 4), "float32", name="rows")]
archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve", lambda rows: {"score": model(rows, training=False)}, rows
)
archive.add_endpoint(
    "learn", lambda rows: {"score": model(rows, training=True)}, rows
)
archive.write_out("models/score/1", verbose=False)
# --8<-- [end:export]


# --8<-- [start:answer]
def answer(loaded, body):
    """Answer a request in JSON as the REST interface is documented."""
    request = json.loads(body)
    name = request.get("signature_name", "serving_default")
    signature = loaded.signatures[name]
    wanted = signature.structured_input_signature[1]
    given = request["instances"]
    if len(wanted) == 1 and not isinstance(given[0], dict):  # no name
        given = [{key: row for key in wanted} for row in given]
    for row in given:
        if not isinstance(row, dict) or row.keys() != wanted.keys():
            raise ValueError(f"each instance has to name {sorted(wanted)}")
    inputs = {
        key: tf.constant([row[key] for row in given], spec.dtype)
        for key, spec in wanted.items()
    }
    outputs = {k: v.numpy().tolist() for k, v in signature(**inputs).items()}
    if len(outputs) == 1:  # one output, its name left out
        return json.dumps({"predictions": next(iter(outputs.values()))})
    names, columns = outputs.keys(), zip(*outputs.values(), strict=True)
    return json.dumps({"predictions": [dict(zip(names, c)) for c in columns]})


# --8<-- [end:answer]

# --8<-- [start:ask]
server = tf.saved_model.load("models/score/1")
print(sorted(server.signatures))

expected = model(x, training=False).numpy()
for count in [1, 32]:
    body = json.dumps({"instances": x[:count].tolist()})
    found = json.loads(answer(server, body))["predictions"]
    np.testing.assert_allclose(found, expected[:count], atol=1e-5)
    print(count, "row(s): predictions equal within 1e-5")

named = [{"rows": row} for row in x.tolist()]
reply = answer(server, json.dumps({"instances": named}))
print("the same with names:", json.loads(reply)["predictions"] == found)
# --8<-- [end:ask]


# --8<-- [start:learn]
def score(loaded):
    body = json.dumps({"instances": x[:1].tolist()})
    return json.loads(answer(loaded, body))["predictions"]


before = score(server)
others = (x + 5).tolist()
body = json.dumps({"signature_name": "learn", "instances": others})
for _ in range(20):
    answer(server, body)
print("the answer is as before:", score(server) == before)

restarted = tf.saved_model.load("models/score/1")
print("after a restart:", score(restarted) == before)
# --8<-- [end:learn]


# --8<-- [start:assigned]
def assigned(signature):
    """Return the ops of a signature that write to a variable."""
    graph = signature.graph.as_graph_def()
    nodes = [*graph.node]
    for inner in graph.library.function:
        nodes += inner.node_def
    return sorted({node.op for node in nodes if "Assign" in node.op})


for name in ["serving_default", "learn"]:
    print(f"{name:15}", assigned(restarted.signatures[name]))
# --8<-- [end:assigned]

# --8<-- [start:write]
import numpy as np
import tensorflow as tf

rows = np.random.RandomState(0).normal(5, 2, size=(64, 3)).astype("float32")
for folder in ["inference", "training", "updating"]:
    tf.reset_default_graph()
    x = tf.placeholder(tf.float32, (None, 3))
    out = tf.layers.batch_normalization(x, training=folder != "inference")
    updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
    if folder == "updating":
        with tf.control_dependencies(updates):
            out = tf.identity(out)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.saved_model.simple_save(session, folder, {"x": x}, {"out": out})
np.save("rows.npy", rows)
# --8<-- [end:write]


# --8<-- [start:old]
rows = tf.constant(np.load("rows.npy"))
for folder in ["inference", "training", "updating"]:
    loaded = tf.saved_model.load(folder)
    signature = loaded.signatures["serving_default"]
    alone = signature(rows[:1])["out"].numpy()
    among = signature(rows)["out"].numpy()[:1]
    by_batch = not np.allclose(alone, among, atol=1e-4)
    print(f"{folder:9} by the batch: {by_batch!s:5}", assigned(signature))
# --8<-- [end:old]

# --8<-- [start:gone]
print("tf.estimator:", hasattr(tf, "estimator"))
try:
    tf.experimental.tensorrt.Converter("models/score/1")
except RuntimeError as error:
    print("RuntimeError:", error)
print("TensorFlow", tf.__version__)
# --8<-- [end:gone]
