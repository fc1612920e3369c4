"""What penalties and weight decay compute, in either Keras. Imports neither."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from tb_regplugin.capture import internals
from tb_regplugin.terms import Kind, Term, as_written, with_distinct_names


class RegularizerForm(NamedTuple):
    """What a regulariser computes, as far as it is known."""

    kind: Kind
    strength: float | tuple[float, float] | None = None
    coefficient: float | None = None


def form_of(regularizer: Any, regularizers: Any) -> RegularizerForm:
    """Reads a weight regulariser's form; a callable that this Keras doesn't know is ``"custom"``.

    Example:
      >>> import keras
      >>> form_of(keras.regularizers.L2(0.01), keras.regularizers)
      RegularizerForm(kind='l2', strength=0.01, coefficient=0.01)
    """
    # A subclass that computes something else has a __call__ of its own.
    call = getattr(type(regularizer), "__call__", None)  # noqa: B004
    try:
        if call is regularizers.L1.__call__:
            strength = as_written(regularizer.l1)
            return RegularizerForm("l1", strength, strength)
        if call is regularizers.L2.__call__:
            strength = as_written(regularizer.l2)
            return RegularizerForm("l2", strength, strength)
        if call is regularizers.L1L2.__call__:
            return RegularizerForm(
                "l1_l2", (as_written(regularizer.l1), as_written(regularizer.l2))
            )
        if call is regularizers.OrthogonalRegularizer.__call__:
            return RegularizerForm("orthogonal", as_written(regularizer.factor))
    except (TypeError, ValueError, AttributeError, RuntimeError):
        # Its strength can't be read, such as a tensor of a graph that is gone.
        pass
    return RegularizerForm("custom")


def penalty_of(path: str, root: str, shape: Sequence[Any], form: RegularizerForm) -> Term:
    """Describes the penalty of a variable of this path and shape.

    What the model's own name puts before paths, the root, is left out of the term's name: it is
    often a numbered one, and would keep runs from lining up.
    """
    sizes = tuple(int(size) for size in shape)
    name = path.removeprefix(root) or path
    return Term(name, "penalty", *form, path, sizes, math.prod(sizes))


def has_own_loss(model: Any) -> bool:
    """Whether a model's data loss may be in a ``compute_loss`` of the user's own."""
    return not type(model).compute_loss.__module__.startswith(("keras.", "tf_keras."))


def unnamed(entries: Sequence[Any]) -> list[Term]:
    """Returns what stands for entries of ``model.losses`` that can't be told apart."""
    return [Term(f"term {number}", kind="custom") for number in range(1, len(entries) + 1)]


def with_data(
    terms: Sequence[Term], entries: Sequence[Any], may_hold_data: Callable[[Any], bool]
) -> list[Term]:
    """Takes what ``add_loss`` was given for data losses, where data may go into it."""
    return [
        Term(term.name, "data") if term.kind == "add_loss" and may_hold_data(entry) else term
        for term, entry in zip(terms, entries, strict=True)
    ]


def weight_decay_of(model: Any) -> tuple[float, list[Any]]:
    """Returns the decoupled weight decay of a model's optimiser, and which variables it shrinks.

    Example:
      >>> import keras
      >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
      >>> model.compile(keras.optimizers.AdamW())
      >>> strength, (kernel, bias) = weight_decay_of(model)
      >>> strength
      0.004
      >>> model.compile(keras.optimizers.Adam())
      >>> weight_decay_of(model)
      (0.0, [])
    """
    # Where the loss is scaled, an optimiser is around the one that decays.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    try:
        strength = float(optimizer.weight_decay)
    except (AttributeError, TypeError, ValueError):
        strength = 0.0
    if not strength or not math.isfinite(strength):
        return 0.0, []
    return strength, internals.decayed_by(optimizer, model.trainable_variables)


def weight_decay_row(
    model: Any,
    replicas: int,
    describe: Callable[[Any, RegularizerForm], Term],
    half_square: Callable[[Any], Any],
) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of what the optimiser shrinks beside the loss, in a step.

    The values are the losses whose gradients are what decay subtracts, before the learning rate;
    ``half_square`` returns half the squared length of a variable in float32.
    """
    strength, variables = weight_decay_of(model)
    if not variables:
        return [], []
    written = as_written(strength)
    form = RegularizerForm("weight_decay", written, written / 2)
    terms = [describe(variable, form) for variable in variables]
    columns = with_distinct_names(
        replace(term, name=f"{term.name} (weight decay)", role="implicit") for term in terms
    )
    return columns, [half_square(variable) * (strength / replicas) for variable in variables]
