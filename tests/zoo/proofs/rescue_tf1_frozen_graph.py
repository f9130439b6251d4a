"""Graphs of today's members, frozen; those of TensorFlow 1.15.5 are on the page."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2,
)

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "rescue/tf1_frozen_graph.py": "net run",
    # Run on graphs that TensorFlow 1 code makes for the page.
    "trouble/tf1/float_ref.py": "read without_updates without_reads",
    "trouble/tf1/estimator.py": "rows compare",
    "trouble/tf1/other_session.py": "answer in_a_thread report",
    "trouble/tf1/placeholder.py": (
        "freeze run read onnx ir function litert in_inference_mode"
    ),
    "trouble/tf1/uninitialized.py": "net read run",
    # Run on what TensorFlow 1.15.5 and 1.13.2 import.
    "trouble/runtimes/unknown_op.py": "write call without_defaults without_v3",
    "trouble/tf1/is_training_true.py": (
        "net run alone_as_in_a_batch make_constant with_statistics"
    ),
}


def graph_of(model, x, training):
    """Return a model's function in either mode, which has its graph."""
    specs = tf.nest.map_structure(lambda a: tf.TensorSpec(a.shape, a.dtype), x)
    call = tf.function(lambda x: model(x, training=training))
    return call.get_concrete_function(specs)


def two_in_a_scope():
    """Return a graph with two layers whose nodes share a scope; gamma is 1, and 5."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.name_scope("scope"):
        for value in (1.0, 5.0):
            gamma, beta, mean, variance = (
                tf.constant(np.full(3, value + i, "float32")) for i in range(4)
            )
            x = v1.placeholder("float32", (None, 4, 4, 3))
            v1.nn.fused_batch_norm(
                x, gamma, beta, mean, variance, epsilon=1e-4, is_training=False
            )
    return graph.as_graph_def()


def by_hand():
    """Return a graph of one layer in an order that is not TensorFlow's."""
    with tf.Graph().as_default() as graph:
        gamma, beta, mean, variance = (
            tf.constant(np.full(3, 1.0 + i, "float32")) for i in range(4)
        )
        x = tf.compat.v1.placeholder("float32", (None, 3))
        (x - mean) * tf.math.rsqrt(variance + 1e-3) * gamma + beta
    return graph.as_graph_def()


@proof("rescue/tf1_frozen_graph.py:batch_norms")
def batch_norms(recipe, member):
    model, _ = compare.trained(member, epochs=1)
    norms = {layer.name: layer for layer in compare.norms_of(model)}
    x = member.data()[0]
    call = graph_of(model, x, training=False)
    frozen = convert_variables_to_constants_v2(call, lower_control_flow=False)
    found = recipe["batch_norms"](frozen.graph.as_graph_def())
    names = {}
    for scope in found:
        name = scope.split("/")[-1].rpartition("_")[0]  # each call counts
        names.setdefault(name, []).append(scope)
    assert names.keys() == norms.keys(), f"{sorted(found)} of {sorted(norms)}"
    for name, scopes in names.items():
        layer = norms[name]
        count = layer.moving_mean.shape[0]
        gamma = layer.gamma if layer.scale else np.ones(count)
        beta = layer.beta if layer.center else np.zeros(count)
        for scope in scopes:
            arrays = found[scope]
            np.testing.assert_array_equal(arrays["gamma"], gamma)
            np.testing.assert_array_equal(arrays["beta"], beta)
            np.testing.assert_array_equal(arrays["moving_mean"], layer.moving_mean)
            np.testing.assert_array_equal(
                arrays["moving_variance"], layer.moving_variance
            )
            np.testing.assert_allclose(arrays["epsilon"], layer.epsilon, 1e-6)

    # Statistics of the batch, and of a graph that is not frozen, are not in it.
    try:
        recipe["batch_norms"](graph_of(model, x, training=True).graph.as_graph_def())
    except ValueError as error:
        assert str(error).startswith("in training mode: ["), error
    else:
        raise AssertionError("it did not refuse")

    # What the members do not have: two in a scope, defaults left out, other orders.
    graph = two_in_a_scope()
    for left_out in [(), ("epsilon",)]:
        fused = [node for node in graph.node if node.op.startswith("Fused")]
        for node in fused:
            for name in left_out:
                del node.attr[name]
        layers = recipe["batch_norms"](graph).values()
        assert sorted(float(layer["gamma"][0]) for layer in layers) == [1, 5]
        assert all(round(layer["epsilon"], 7) == 1e-4 for layer in layers)
    del fused[0].attr["is_training"]
    with pytest.raises(ValueError, match="in training mode"):
        recipe["batch_norms"](graph)
    with pytest.raises(ValueError, match="of another arithmetic"):
        recipe["batch_norms"](by_hand())
