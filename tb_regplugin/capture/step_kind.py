"""The two steps of a Keras model that compute a loss."""

from __future__ import annotations

from typing import NamedTuple


class StepKind(NamedTuple):
    """What the methods and attributes around a step are called.

    Attributes:
      step: The method that processes a batch.
      function: The attribute that holds the compiled step.
      make_function: The method that makes it.
    """

    step: str
    function: str
    make_function: str


TRAIN = StepKind("train_step", "train_function", "make_train_function")
TEST = StepKind("test_step", "test_function", "make_test_function")
