# --8<-- [start:setup]
import hashlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

Path("words.txt").write_text("a\nb\nc\nd\n")
lookup = keras.layers.StringLookup(
    vocabulary="words.txt", output_mode="one_hot"
)
model = keras.Sequential([keras.Input(shape=(1,), dtype="string"), lookup])
model.export("exported", verbose=False)


def columns():
    served = tf.saved_model.load("exported")
    return np.argmax(served.serve(tf.constant([["b"], ["d"]])), axis=1)


def checksum(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


# --8<-- [end:setup]

# --8<-- [start:see]
words = Path("exported/assets/words.txt")
data, right = words.read_bytes(), checksum(words)
for share in [1, 0.5]:
    words.write_bytes(data[: int(share * len(data))])
    print(f"share {share}: columns of b and d {columns()}")
# --8<-- [end:see]

# --8<-- [start:fix]
print("words.txt is sound:", checksum(words) == right)
words.write_bytes(Path("words.txt").read_bytes())
print("words.txt is sound:", checksum(words) == right)
print("columns of b and d", columns())
# --8<-- [end:fix]

# --8<-- [start:sure]
for text in ["a\nb\nc\nd\n", "a\nb\n"]:
    words.write_text(text)
    print("d is known:", columns()[1] > 0, "lines:", len(text.split()))
# --8<-- [end:sure]
