"""Every private name of Keras 3 that is touched, here and nowhere else.

Each function says why the public ways don't do. Where a later Keras lacks a name, its function
raises ``AttributeError`` unless it says otherwise: that becomes one warning, recording stops, and
training goes on. ``tests/keras_backend/test_internals.py`` calls each one.

What Keras 2 has as well is in ``capture/internals.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

OLDEST_KERAS = (3, 8)


def require_version(version: str) -> None:
    """Refuses a Keras that lacks what is used here.

    Raises:
      ImportError: It is too old; the message says which is needed.
    """
    major, minor = (int(number) for number in version.split(".")[:2])
    if (major, minor) < OLDEST_KERAS:
        oldest = ".".join(map(str, OLDEST_KERAS))
        raise ImportError(
            f"RegularizationCallback needs Keras {oldest} or later, and this is Keras {version}: "
            f'pip install --upgrade "keras>={oldest}". '
            "With TF_USE_LEGACY_KERAS=1 it records models of tf_keras (Keras 2)."
        )


# What a step adds up.


def compile_loss_of(model: Any) -> Any:
    """Returns the object that computes what ``compile(loss=...)`` asked for; None without.

    No public name leads to it. (``model.loss`` is what the user wrote.)
    """
    return model._compile_loss


# Where a compile_loss lists named tuples of loss, loss_weights and name.
LOSSES = "_flat_losses"


def with_loss(entry: Any, wrap: Callable[[Any], Callable[..., Any]]) -> Any:
    """Returns an entry of that list with another ``loss``, which ``wrap`` makes of the entry.

    Where another Keras keeps them in another form, it is left alone.
    """
    return entry._replace(loss=wrap(entry)) if hasattr(entry, "_replace") else entry


AGGREGATE = "_aggregate_additional_loss"


def aggregate_of(model: Any) -> Callable[[Any], Any]:
    """Returns the method that makes an entry of ``model.losses`` the number that is added.

    The public way, ``model.losses`` after ``compute_loss``, would compute all penalties twice in
    eager steps and in PyTorch's.
    """
    method: Callable[[Any], Any] = getattr(model, AGGREGATE)
    return method


# Which layer an entry of model.losses is of. Nothing public says so.


def loss_ids_of(layer: Any) -> Iterator[int]:
    """Returns the ``id`` of each loss that a layer has added in this step.

    Stateless calls (JAX) keep the ids only. If both were gone, terms would be called "term 1", ….
    """
    yield from map(id, getattr(layer, "_losses", ()))
    yield from getattr(layer, "_loss_ids", ())


def own_losses_of(layer: Any) -> list[Any]:
    """Returns what a layer itself has added in this step.

    ``model.losses`` would calculate the penalties of the weights again, when they have changed.
    """
    return list(getattr(layer, "_losses", ()))


# JAX, where variables travel with a step.


def metrics_within(metric: Any) -> list[Any]:
    """Returns the list of the metrics that are parts of a metric: its variables include theirs.

    Setting an attribute is the public way to add one, but leaves it in that list for good.
    """
    parts: list[Any] = metric._metrics
    return parts


def is_travelling(variable: Any) -> bool:
    """Whether a value that is assigned to a variable now goes with the state of the step.

    ``keras.StatelessScope`` is public; the one that is entered is not.
    """
    from keras.src.backend import get_stateless_scope

    scope = get_stateless_scope()
    return scope is not None and scope.get_current_value(variable) is not None


@contextmanager
def with_shardings(model: Any, first: int, values: Sequence[Any]) -> Iterator[None]:
    """Gives more of a model's metric variables a sharding, for the length of a block.

    Keras 3.8 to 3.11 look one up, by its place, for each that comes out of a step; later ones
    don't, and have no such list.
    """
    shardings = getattr(model, "_metrics_variable_shardings", None) or []
    own = [value.sharding for value in values] if shardings else []
    shardings[first:first] = own
    try:
        yield
    finally:
        del shardings[first : first + len(own)]


# Optimisers.


def trained_by(optimizer: Any) -> list[Any]:
    """Returns the variables that ``optimizer.apply(gradients)`` changes where none are given.

    ``optimizer.variables`` are its own; the model's may stand in another order.
    """
    return list(optimizer._trainable_variables)
