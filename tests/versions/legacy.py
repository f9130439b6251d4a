"""Give pages tf_keras, Keras 2's last home, wherever they say keras.

It is what a reader does who sets TF_USE_LEGACY_KERAS=1 and writes ``import tf_keras as
keras``. Imported by the server that pages are forked from.
"""

import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import tensorflow  # noqa: E402, F401
import tf_keras  # noqa: E402, F401

for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "tf_keras":
        sys.modules["keras" + name.removeprefix("tf_keras")] = module
