"""These tests run once with Keras 3 and once with tf_keras: see tests/__main__.py."""

from collections.abc import Iterator

import numpy as np
import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    """Gives each test a graph of its own, with the same weights each time."""
    np.random.seed(0)
    with tf.Graph().as_default() as graph:
        tf.compat.v1.set_random_seed(0)
        yield graph
