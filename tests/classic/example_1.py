import tensorflow as tf
import numpy as np

# Define a simple sequential model
model = tf.keras.models.Sequential([
  tf.keras.layers.Dense(10, activation='relu', input_shape=(20,)),
  tf.keras.layers.BatchNormalization(),
  tf.keras.layers.Dense(5, activation='softmax')
])

# Generate some dummy data for training
x_train = np.random.rand(100, 20)
y_train = np.random.randint(0, 5, size=(100,))
y_train = tf.keras.utils.to_categorical(y_train, num_classes=5)


# Compile and train the model
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])
model.fit(x_train, y_train, epochs=5, verbose=0)

# Save the entire model
model.save('my_model_with_bn')

# Load the model
loaded_model = tf.keras.models.load_model('my_model_with_bn')

# Verify that the loaded model produces the same results as the original model
predictions_original = model(x_train[:5])
predictions_loaded = loaded_model(x_train[:5])

# Using allclose for numerical comparisons due to floating-point calculations
print("Predictions identical:", np.allclose(predictions_original, predictions_loaded))
