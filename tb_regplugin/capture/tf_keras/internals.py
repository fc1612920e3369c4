"""Every private name of tf_keras that is touched, here and nowhere else.

tf_keras is Keras 2, which only gets corrections: its names are unlikely to go. Where one is gone
all the same, its function raises ``AttributeError``, which becomes one warning; recording stops,
and training goes on. ``tests/test_tf_keras.py`` calls each function.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.chance import chance_level
from tb_regplugin.capture.internals import observing_outputs
from tb_regplugin.capture.row import Output

# Reductions after which Keras divides a loss by the number of replicas, which are added up.
_MEANS = ("auto", "sum_over_batch_size")


def take_tensor_logs(callback: Any) -> None:
    """Lets a callback be given logs as tensors; for others, Keras waits for each step's logs."""
    callback._supports_tf_logs = True


def steps_per_execution(model: Any) -> int:
    """Returns how many steps a call of ``train_function`` runs, which ``compile`` was told."""
    steps = model._steps_per_execution
    return 1 if steps is None else int(steps.numpy())


def new_train_function(model: Any) -> Any:
    """Makes a ``train_function`` of the model as it is now, and leaves the model its own.

    ``make_train_function`` is public, but sets two attributes besides.
    """
    names = ("train_function", "train_tf_function")
    before = {name: model.__dict__.get(name) for name in names}
    made = model.make_train_function(force=True)
    for name in names:
        # Not in __dict__: the model tracks what is set.
        if name in model.__dict__:
            setattr(model, name, before[name])
    return made


def own_losses(layer: Any) -> list[Any]:
    """Returns the losses that a layer has added in this step, activity terms among them."""
    return list(layer._eager_losses or layer._losses)


def weight_losses(layer: Any) -> list[Callable[[], Any]]:
    """Returns the functions that compute the penalties of a layer's weights."""
    return list(layer._callable_losses)


def activity_regularizer(layer: Any) -> Any:
    """Returns a layer's activity regulariser; None without. Not every layer has the public name."""
    return getattr(layer, "_activity_regularizer", None)


def regularized_by(loss: Callable[[], Any]) -> tuple[Any, Any] | None:
    """Returns variable and regulariser of a function of ``weight_losses``.

    Keras makes it a partial of a partial of a function that closes over the regulariser; None
    where it is another one, such as a loss that ``add_loss`` was given.
    """
    try:
        of_variable = loss.args[0]  # type: ignore[attr-defined]  # A partial has it.
        (variable,) = of_variable.args
        code, cells = of_variable.func.__code__, of_variable.func.__closure__
        return variable, dict(zip(code.co_freevars, cells, strict=True))[
            "regularizer"
        ].cell_contents
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


class Observed:
    """Stands in for a callable object: another function is called with it and what it is given."""

    def __init__(self, original: Any, call: Callable[..., Any]) -> None:
        self._original = original
        self._call = call

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Passes the call on."""
        return self._call(self._original, *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def reporting_outputs(
    container: Any, report: Callable[[Output], None]
) -> AbstractContextManager[None]:
    """Reports what each output's loss adds to a ``compiled_loss``, for the length of a block."""

    def observe(losses: list[Any]) -> list[Any]:
        is_one = sum(loss is not None for loss in losses) == 1
        names = ["data"] * len(losses) if is_one else container._output_names
        return [
            loss and Observed(loss, _reporting(name, weight, report))
            for loss, name, weight in zip(losses, names, container._loss_weights, strict=True)
        ]

    return observing_outputs(container, "_losses", observe)


def _reporting(name: str, weight: Any, report: Callable[[Output], None]) -> Callable[..., Any]:
    def call(loss: Any, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        value = loss(y_true, y_pred, sample_weight=sample_weight)
        # As Keras does it, so that the one is found in the graph of the other.
        added = value if weight is None else value * weight
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if loss.reduction in _MEANS and replicas > 1:
            added = added * (1.0 / replicas)
        report(Output(name, added, chance_level(loss, y_pred, sample_weight, weight)))
        return value

    return call
