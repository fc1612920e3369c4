"""Regularisers that are set on a model's layers and reach no loss, in either Keras."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tb_regplugin.capture.internals import layers_of
from tb_regplugin.capture.regularizers import RegularizerForm
from tb_regplugin.finding import Finding
from tb_regplugin.findings.catalogue import found
from tb_regplugin.findings.forms import listed
from tb_regplugin.terms import Term

_SUFFIX = "_regularizer"


def find_ineffective(
    model: Any,
    columns: Sequence[Term],
    form_of: Callable[[Any], RegularizerForm],
    acting_on: Callable[[Any, Any], Any],
    activity_name: Callable[[Any], str | None] | None = None,
) -> tuple[Finding, ...]:
    """Finds regularisers without effect. Call it after a step that recorded these columns.

    ``acting_on`` returns the regulariser that acts on a variable of a layer, ``activity_name`` what
    a layer's activity term is called; None without one. The latter is left out where wrappers add
    such terms under another name.
    """
    # Of a step that keeps its loss to itself, nobody knows what it adds up.
    if not any(term.role == "total" for term in columns):
        return ()
    names = []
    trained = {id(variable) for variable in model.trainable_variables}
    for layer in layers_of(model):
        for name, regularizer, variable in _of_weights(layer):
            acting = acting_on(layer, variable)
            is_other = acting is None or form_of(acting) != form_of(regularizer)
            if id(variable) in trained and is_other:
                names.append(f"{name} of {layer.name}")
    recorded = {term.name for term in columns if term.kind == "activity"}
    # Where entries of model.losses could not be told apart, nothing says which is missing.
    is_told = not any(term.kind == "custom" and term.variable is None for term in columns)
    if is_told and activity_name is not None:
        for layer in layers_of(model):
            expected = activity_name(layer)
            if expected is not None and expected not in recorded:
                names.append(f"activity_regularizer of {layer.name}")
    if not names:
        return ()
    verb = "is" if len(names) == 1 else "are"
    sentence = f"{listed(names)} {verb} set, but the loss has no such penalty."
    return (found("regularizer_without_effect", sentence),)


def _of_weights(layer: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yields the weight regularisers that are set on a layer of Keras, with names and variables.

    What layers of other people do with theirs, nobody knows.
    """
    if not type(layer).__module__.startswith(("keras.", "tf_keras.")):
        return
    for name, regularizer in vars(layer).items():
        part = name.removesuffix(_SUFFIX)
        if part == name or regularizer is None or part == "activity":
            continue
        # As they call them: _kernel, kernel, depthwise_kernel; a depthwise one is just kernel, too.
        names = (f"_{part}", part, f"{part}_kernel", *(("kernel",) if part == "depthwise" else ()))
        for attribute in names:
            variable = getattr(layer, attribute, None)
            if hasattr(variable, "trainable"):
                yield name, regularizer, variable
                break
