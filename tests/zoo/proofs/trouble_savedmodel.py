"""Ask an exported folder whether an answer depends on the batch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import compare
from tests.zoo.core import proof

SHOWS = {
    "save/savedmodel.py": "is_in moves",
    "save/tfsmlayer.py": "trainable_layer changed fine_tune",
    "trouble/savedmodel/adam.py": "fine_tune",
    "trouble/savedmodel/call_default.py": "equal_to_predict Net Mended Unset",
    "trouble/savedmodel/frozen_layer.py": "changed",
    "trouble/savedmodel/not_a_folder.py": "saved_models_in",  # of no model
    "trouble/savedmodel/one_expression.py": "Server",
    "trouble/savedmodel/predict_step.py": "Odds equal",
    "trouble/savedmodel/request_refused.py": "ask",
    "trouble/savedmodel/training_mode.py": "moves export_in report",
}


@proof("trouble/savedmodel/training_mode.py:depends_on_the_batch")
def depends_on_the_batch(recipe, member):
    model, _ = compare.trained(member)
    x = member.data()[0]
    rows = keras.tree.map_structure(lambda array: np.concatenate([array, array]), x)
    model.export("inference", verbose=False)
    before = compare.state(model)
    assert recipe["depends_on_the_batch"]("inference", rows) is False

    specs = keras.tree.map_structure(
        lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), x
    )
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve", lambda inputs: model(inputs, training=True), input_signature=[specs]
    )
    archive.write_out("training", verbose=False)
    served = tf.saved_model.load("training")
    names = served.signatures["serving_default"].structured_input_signature[1]
    asked = rows
    if isinstance(rows, dict):  # the signature has names of its own for them
        asked = dict(
            zip(sorted(names), [rows[key] for key in sorted(rows)], strict=True)
        )
    assert recipe["depends_on_the_batch"]("training", asked) is True
    few = keras.tree.map_structure(lambda array: array[:15], rows)
    with pytest.raises(ValueError, match="16 rows"):
        recipe["depends_on_the_batch"]("training", few)
    assert not compare.changed(before, compare.state(model))


@depends_on_the_batch.in_a_new_process
def depends_elsewhere(recipe, member):
    x = member.data()[0]
    rows = keras.tree.map_structure(lambda array: np.concatenate([array, array]), x)
    assert recipe["depends_on_the_batch"]("inference", rows) is False
