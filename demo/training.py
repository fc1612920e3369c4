"""One training of the sweep, as a user of Keras writes it."""

from pathlib import Path

import keras
import tensorflow as tf
from tqdm import tqdm

from demo.digits import Digits
from demo.easynet import easynet
from tb_regplugin import RegularizationCallback

BATCH_SIZE = 50
# What lies between two validations is an epoch, and runs at once.
EPOCHS = 10


class Progress(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types.
    """Moves a progress bar on by each epoch's steps."""

    def __init__(self, bar: "tqdm[None]", steps: int) -> None:
        super().__init__()
        self._bar = bar
        self._steps = steps

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        """Moves the bar."""
        self._bar.update(self._steps)


def train(
    run: Path, strength: float, seed: int, digits: Digits, steps: int, bar: "tqdm[None]"
) -> None:
    """Trains one network, and records its losses and accuracies.

    Args:
      run: The directory for its logs.
      strength: The λ of its penalties.
      seed: Of its initial weights and batches.
      digits: What it learns.
      steps: How many an epoch has.
      bar: Shows how far it is.
    """
    easynet(strength, seed, steps_per_execution=steps).fit(
        training_batches(digits, seed),
        steps_per_epoch=steps,
        epochs=EPOCHS,
        shuffle=False,  # The batches are.
        validation_data=test_batches(digits),
        verbose=0,
        callbacks=[
            RegularizationCallback(run),
            # For epoch_accuracy, by which a sweep can be compared as well.
            keras.callbacks.TensorBoard(run, write_graph=False),
            Progress(bar, steps),
        ],
    )


def training_batches(digits: Digits, seed: int) -> tf.data.Dataset:
    """Returns endless batches, all images in another order each time.

    Keras' own shuffling, under a fixed seed, repeats one order, which shows in the data loss.
    """
    return (
        tf.data.Dataset.from_tensor_slices((digits.train_images, digits.train_labels))
        .shuffle(len(digits.train_images), seed=seed)
        .repeat()
        .batch(BATCH_SIZE, drop_remainder=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def test_batches(digits: Digits) -> tf.data.Dataset:
    """Returns all images that are held out for testing, as one batch."""
    images = tf.data.Dataset.from_tensor_slices((digits.test_images, digits.test_labels))
    return images.batch(len(digits.test_images))
