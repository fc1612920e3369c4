"""What the entries of a Keras model's ``losses`` are: names, kinds, strengths, variables."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from tb_regplugin.capture import regularizers
from tb_regplugin.capture.internals import layers_of
from tb_regplugin.capture.keras import internals
from tb_regplugin.terms import Term, with_distinct_names


def describe_losses(model: Any, entries: Sequence[Any]) -> list[Term]:
    """Names each entry of ``model.losses`` while the model's step is running.

    Keras lists what ``add_loss`` and activity regularisers gave, then one entry a regularised
    trainable variable.

    Returns:
      A term an entry, in the same order, no name twice. Where the entries can't be told apart for
      sure, the names are ``"term 1"``, ``"term 2"``, … of the kind ``"custom"``. What ``add_loss``
      was given is the data loss of a model that has no other one.
    """
    # Of layers that list one loss, it is the first one's.
    owners = {
        key: layer for layer in reversed(layers_of(model)) for key in internals.loss_ids_of(layer)
    }
    variables = regularized_variables(model)
    own = len(entries) - len(variables)
    if own < 0 or any((id(entry) in owners) != (at < own) for at, entry in enumerate(entries)):
        return regularizers.unnamed(entries)
    root = _root_prefix(model)
    terms = _describe_own_losses([owners[id(entry)] for entry in entries[:own]], model, root)
    if internals.compile_loss_of(model) is None and not regularizers.has_own_loss(model):
        terms = regularizers.with_data(terms, entries[:own], _may_hold_data)
    terms += [_describe_variable(variable, root) for variable in variables]
    return with_distinct_names(terms)


def regularized_variables(model: Any) -> list[Any]:
    """Returns the variables whose penalties a model's loss has."""
    return [v for v in model.trainable_variables if v.regularizer is not None]


def describe_variables(model: Any, variables: Iterable[Any]) -> list[Term]:
    """Names the penalties of variables."""
    root = _root_prefix(model)
    return with_distinct_names(_describe_variable(variable, root) for variable in variables)


def describe_regularizer(regularizer: Any) -> regularizers.RegularizerForm:
    """Reads a weight regulariser's form."""
    return regularizers.form_of(regularizer, keras.regularizers)


def weight_decay_row(model: Any, replicas: int) -> tuple[list[Term], list[Any]]:
    """Returns the columns and values of what the optimiser shrinks beside the loss."""
    root_of = functools.cache(_root_prefix)
    return regularizers.weight_decay_row(
        model,
        replicas,
        lambda v, form: regularizers.penalty_of(v.path, root_of(model), v.shape, form),
        lambda variable: half_square(ops.cast(variable, "float32")),
    )


def activity_name(model: Any, layer: Any) -> str | None:
    """Returns what a layer's activity term is called; None where no regulariser is set."""
    if layer.activity_regularizer is None:
        return None
    return f"{_prefix_of(layer, model, _root_prefix(model))}activity"


def half_square(vector: Any) -> Any:
    """Returns half the squared length of a float32 tensor, inside of the step."""
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        # One operation instead of three, a third of the time: it makes no vector of squares.
        return tf.nn.l2_loss(vector)
    return ops.sum(ops.square(ops.stop_gradient(vector))) / 2


def count_columns(model: Any) -> int:
    """How many columns a model's row will have, generously guessed, with frozen variables'."""
    layers = layers_of(model)
    outputs = len(getattr(model, "outputs", None) or [None])
    own_code = sum(_may_add_losses(layer) for layer in layers)
    activities = sum(layer.activity_regularizer is not None for layer in layers)
    regularized = sum(variable.regularizer is not None for variable in model.variables)
    _, decayed = regularizers.weight_decay_of(model)
    return 1 + outputs + 4 * own_code + 2 * activities + regularized + len(decayed)


def _may_hold_data(entry: Any) -> bool:
    """Whether the batch goes into an entry of ``model.losses``; True where no graph tells.

    What is of weights alone is listed elsewhere, so that it is seldom among these.
    """
    if keras.config.backend() != "tensorflow":
        return True
    from tb_regplugin.capture.graph.sources import may_hold_data

    return may_hold_data(entry)


def _describe_own_losses(owners: Sequence[Any], model: Any, root: str) -> list[Term]:
    counts = Counter(map(id, owners))
    seen: Counter[int] = Counter()
    terms = []
    for layer in owners:
        seen[id(layer)] += 1
        path = _prefix_of(layer, model, root)
        if layer.activity_regularizer is None:
            terms.append(Term(f"{path}add_loss", kind="add_loss"))
        elif not _may_add_losses(layer) or seen[id(layer)] == counts[id(layer)] <= 2:
            # Keras adds a call's activity term after what the call itself added.
            form = describe_regularizer(layer.activity_regularizer)
            terms.append(Term(f"{path}activity", kind="activity", strength=form.strength))
        elif counts[id(layer)] == 2:
            terms.append(Term(f"{path}add_loss", kind="add_loss"))
        else:
            terms.append(Term(f"{path}term", kind="custom"))
    return terms


def _prefix_of(layer: Any, model: Any, root: str) -> str:
    """Returns what stands before the names of what a layer itself adds."""
    path = layer.path or layer.name
    return "" if layer is model else f"{path.removeprefix(root) or path}/"


def _may_add_losses(layer: Any) -> bool:
    """Whether a layer's own code calls ``add_loss``; Keras' layers don't."""
    return any(
        "add_loss" in getattr(getattr(member, "__code__", None), "co_names", ())
        for cls in type(layer).__mro__
        if not cls.__module__.startswith(("keras.", "torch.", "tensorflow."))
        for member in vars(cls).values()
    )


def _describe_variable(variable: Any, root: str) -> Term:
    form = describe_regularizer(variable.regularizer)
    return regularizers.penalty_of(variable.path, root, variable.shape, form)


def _root_prefix(model: Any) -> str:
    """The prefix that the model's own name, often a numbered one, puts before paths."""
    name = model.name
    twice = f"{name}/{name}/"
    if any(layer.name == name for layer in model.layers) and not any(
        variable.path.startswith(twice) for variable in model.variables
    ):
        # A functional model's paths lack its name: this one is the layer's.
        return ""
    return f"{name}/"
