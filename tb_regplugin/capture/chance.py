"""What a loss is for a model that knows nothing: known of cross-entropies. For either Keras."""

from __future__ import annotations

import math
from typing import Any

from tb_regplugin.capture.internals import settings_of

_KERAS = ("keras", "tf_keras")
# Reductions that make the losses of examples their mean.
_MEANS = ("auto", "mean", "mean_with_sample_weight", "sum_over_batch_size")
_OF_CLASSES = ("categorical_crossentropy", "sparse_categorical_crossentropy")


def chance_level(loss: Any, y_pred: Any, sample_weight: Any, loss_weight: Any) -> float | None:
    """Returns what a compiled loss of one output is where all classes are equally likely.

    That is ln k for k classes, times the loss' weight, whatever the labels are, also smoothed ones.
    None where it is not known exactly: of other losses, of the user's own, and where examples or
    classes have weights.
    """
    weight = 1.0 if loss_weight is None else loss_weight
    is_mean = type(loss).__module__.partition(".")[0] in _KERAS and loss.reduction in _MEANS
    is_weighted = isinstance(weight, (int, float)) and math.isfinite(weight)
    if not is_mean or not is_weighted or sample_weight is not None:
        return None
    classes = _classes_of(loss, y_pred)
    return weight * math.log(classes) if classes is not None and classes > 1 else None


def _classes_of(loss: Any, y_pred: Any) -> int | None:
    """Returns among how many classes a loss of Keras' own lets a model choose."""
    try:
        function = loss.fn
        name, settings = function.__name__, settings_of(loss)
        if function.__module__.partition(".")[0] not in _KERAS:
            return None
        if name == "binary_crossentropy":
            return 2
        if name not in _OF_CLASSES or settings.get("ignore_class") is not None:
            return None
        return int(y_pred.shape[settings.get("axis", -1)])
    except (AttributeError, IndexError, TypeError, ValueError):
        # Another loss, or predictions of unknown shape.
        return None
