# --8<-- [start:layer]
from tfjs_browser import in_browser

NORMALIZE = """async (rows) => {
  await tf.setBackend("cpu");
  const mean = tf.tensor([5]);
  const variance = tf.tensor([4]);
  const y = tf.batchNorm(tf.tensor(rows), mean, variance, null, null, 0);
  return [tf.version.tfjs, await y.array()];
}"""
version, y = in_browser(NORMALIZE, [[3], [5], [9]])
print("TensorFlow.js", version, "gives", y)
# --8<-- [end:layer]
