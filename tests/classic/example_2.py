import tensorflow as tf
import numpy as np

# Define a simple model with a custom training loop
class MyModel(tf.keras.Model):
  def __init__(self):
    super(MyModel, self).__init__()
    self.dense1 = tf.keras.layers.Dense(10, activation='relu', input_shape=(20,))
    self.bn = tf.keras.layers.BatchNormalization()
    self.dense2 = tf.keras.layers.Dense(5, activation='softmax')

  def call(self, x, training=False):
    x = self.dense1(x)
    x = self.bn(x, training=training)  #Explicit training flag
    x = self.dense2(x)
    return x

# Initialize and compile
model = MyModel()
optimizer = tf.keras.optimizers.Adam()
loss_fn = tf.keras.losses.CategoricalCrossentropy()

# Generate dummy data
x_train = np.random.rand(100, 20).astype(np.float32)
y_train = np.random.randint(0, 5, size=(100,)).astype(np.int64)
y_train = tf.keras.utils.to_categorical(y_train, num_classes=5).astype(np.float32)

# Train step with explicit training=True
@tf.function
def train_step(x, y):
  with tf.GradientTape() as tape:
    y_pred = model(x, training=True)
    loss = loss_fn(y, y_pred)
  grads = tape.gradient(loss, model.trainable_variables)
  optimizer.apply_gradients(zip(grads, model.trainable_variables))
  return loss

# Training loop with explicit training mode
for epoch in range(5):
  for i in range(10):
    loss = train_step(x_train[i*10:(i+1)*10], y_train[i*10:(i+1)*10])
  print(f"Epoch {epoch}, loss {loss}")

# Save using checkpoint approach
checkpoint = tf.train.Checkpoint(model=model)
checkpoint.save('./custom_model_checkpoint')

# Load model and its parameters
loaded_checkpoint = tf.train.Checkpoint(model=MyModel())
loaded_checkpoint.restore(tf.train.latest_checkpoint('./custom_model_checkpoint'))

# Verify that inference mode works with proper Batchnorm behavior
predictions_original = model(x_train[:5], training=False)
predictions_loaded = loaded_checkpoint.model(x_train[:5], training=False)
print("Inference predictions identical:", np.allclose(predictions_original, predictions_loaded))
