# --8<-- [start:setup]
import coremltools as ct
import keras
import numpy as np
import tensorflow as tf

keras.utils.set_random_seed(0)
image = keras.Input(shape=(8, 8, 3), name="image")
y = keras.layers.Conv2D(4, 3, use_bias=False, name="conv")(image)
bn = keras.layers.BatchNormalization(name="bn")
model = keras.Model(image, bn(y, training=True))  # the culprit
bn.set_weights([np.random.uniform(0.5, 3, 4) for _ in range(4)])
# --8<-- [end:setup]


# --8<-- [start:see]
def function(training):
    @tf.function(input_signature=[tf.TensorSpec((1, 8, 8, 3), name="image")])
    def infer(image):
        return model(image, training=training)

    return infer.get_concrete_function()


for training in [None, False]:
    try:
        converted = ct.convert([function(training)], source="tensorflow")
        print(f"training={training}: converted")
    except ValueError as error:
        node, said = str(error).split()[4], str(error)[-36:]
        print(f"training={training}: ValueError: ... {said}")
        print("node:", node)
# --8<-- [end:see]

# --8<-- [start:export]
model.export("as_built", verbose=False)

archive = keras.export.ExportArchive()
archive.track(model)
archive.add_endpoint(
    "serve",
    lambda image: model(image, training=False),
    input_signature=[tf.TensorSpec((None, 8, 8, 3), name="image")],
)
archive.write_out("inference", verbose=False)
# --8<-- [end:export]

# --8<-- [start:convert]
from tensorflowjs import converters

for folder in ["as_built", "inference"]:
    try:
        converters.convert_tf_saved_model(folder, f"web_{folder}")
        print(f"{folder}: converted")
    except AssertionError as error:
        print(f"{folder}: AssertionError: {error}")
# --8<-- [end:convert]


# --8<-- [start:why]
def assigned(folder):
    """Return the ops of a SavedModel's signature that write to a variable."""
    loaded = tf.saved_model.load(folder)
    graph = loaded.signatures["serving_default"].graph.as_graph_def()
    nodes = [*graph.node]
    for inner in graph.library.function:
        nodes += inner.node_def
    return sorted(node.op for node in nodes if node.op.startswith("Assign"))


print("as_built", assigned("as_built"))
print("inference", assigned("inference"))
# --8<-- [end:why]

# --8<-- [start:freeze]
from tensorflow.python.framework import convert_to_constants

for training in [None, False]:
    try:
        frozen = convert_to_constants.convert_variables_to_constants_v2(
            function(training)
        )
        tf.io.write_graph(frozen.graph, ".", "net.pb", as_text=False)
        print(f"training={training}: frozen")
    except ValueError as error:
        print(f"training={training}: ValueError: ... {str(error)[-36:]}")


def run(path, image):
    with open(path, "rb") as file:
        graph = tf.compat.v1.GraphDef.FromString(file.read())
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.graph_util.import_graph_def(graph, name="")
        return session.run("Identity:0", {"image:0": image})


x = np.random.normal(3, 2, (1, 8, 8, 3)).astype("float32")
for training in [False, True]:
    expected = model(x, training=training)
    equal = np.allclose(run("net.pb", x), expected, atol=1e-4)
    print(f"as Keras with training={training}: {equal}")
# --8<-- [end:freeze]

# --8<-- [start:sure]
from coremltools.optimize.coreml import get_weights_metadata

converted = ct.convert(
    [function(False)],
    source="tensorflow",
    compute_precision=ct.precision.FLOAT32,
)
converted.save("net.mlpackage")
package = ct.models.MLModel("net.mlpackage", skip_model_load=True)
told = get_weights_metadata(package, weight_threshold=2)
gamma, beta, mean, variance = bn.get_weights()
offset = beta - mean * gamma / np.sqrt(variance + bn.epsilon)
arrays = [each.val for each in told.values() if each.val.shape == (4,)]
print("offset:", any(np.allclose(each, offset, atol=1e-5) for each in arrays))
# --8<-- [end:sure]
