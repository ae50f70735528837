"""What a person writes who has no cnnpipe: the digits recipe as a plain Keras script. See digits_cpu.py."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed(0)
digits = load_digits()
images = tf.image.resize(digits.images[..., None] * (255 / 16), (16, 16)).numpy()
x, x_rest, y, y_rest = train_test_split(images, digits.target, test_size=0.3, random_state=0)
x_val, x_test, y_val, y_test = train_test_split(x_rest, y_rest, test_size=0.5, random_state=0)
augment = layers.RandomTranslation(0.1, 0.1)
data = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x)).batch(64)
data = data.map(lambda a, b: (augment(a, training=True), b), num_parallel_calls=2).prefetch(4)
model = keras.Sequential([
    keras.Input((16, 16, 1)), layers.Rescaling(1 / 255),
    layers.Conv2D(16, 3, padding="same", activation="relu"), layers.MaxPooling2D(),
    layers.Conv2D(32, 3, padding="same", activation="relu"), layers.Conv2D(32, 3, padding="same", activation="relu"),
    layers.MaxPooling2D(), layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.5),
    layers.Dense(10, activation="softmax"),
])  # fmt: skip
model.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
best = keras.callbacks.ModelCheckpoint("best.keras", monitor="val_accuracy", save_best_only=True)
model.fit(data, epochs=40, validation_data=(x_val, y_val), callbacks=[best], verbose=0)
model = keras.models.load_model("best.keras")
print("accuracy", model.evaluate(x_test, y_test, verbose=0)[1])
