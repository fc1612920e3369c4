"""Which calls of ``session.run`` train a loss, and what they do besides."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from tb_regplugin.capture.graph.gradients import Gradients
from tb_regplugin.capture.graph.operations import (
    Operation,
    Tensor,
    constant,
    has_effect,
    written_variables,
)
from tb_regplugin.capture.graph.sources import backwards, operands


class RunEffect(NamedTuple):
    """What a call of ``session.run`` does.

    Attributes:
      writes: Whether it changes trainable variables.
      trains: Whether it does so by the loss's gradients.
      increment: What the global step gains; None where it may be written otherwise than by adding a
        constant, as in a branch of an optimiser that leaves out steps whose gradients are infinite.
      missing: The names of what the row would run that the call doesn't, such as a placeholder
        that is not fed, or an iterator's next batch.
    """

    writes: bool = False
    trains: bool = False
    increment: int | None = 0
    missing: tuple[str, ...] = ()


class TrainingRuns:
    """Tells the calls that train a loss by what they fetch from a complete graph, and feed.

    A session's hooks see each call: those that load weights, that train another loss, or that only
    evaluate something. ``train_op`` is what runs where the loss is trained; None to find out.
    """

    def __init__(self, total: Tensor, row: Tensor, gradients: Gradients, train_op: Any) -> None:
        self._graph = total.graph
        self._total = total.op
        self._row = row.op
        self._gradients = gradients
        self._train_op = None if train_op is None else self._operations(train_op)
        global_step = tf.compat.v1.train.get_global_step(self._graph)
        self._global_step = None if global_step is None else _variable_op(global_step)
        trainable = self._graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        self._trainable = {_variable_op(variable) for variable in trainable}
        self._known = functools.cache(self._effect_of)

    def effect_of(self, fetches: Any, feed: Iterable[Any]) -> RunEffect:
        """Returns what a call does that fetches these, and feeds those."""
        return self._known(self._operations(fetches), self._operations(list(feed)))

    def _operations(self, structure: Any) -> frozenset[Operation]:
        elements = [
            self._graph.as_graph_element(element)
            for element in tf.nest.flatten(structure, expand_composites=True)
            if element is not None
        ]
        return frozenset(getattr(element, "op", element) for element in elements)

    def _effect_of(self, fetched: frozenset[Operation], fed: frozenset[Operation]) -> RunEffect:
        def runs_before(op: Operation) -> list[Operation]:
            return [] if op in fed else [*operands(op), *op.control_inputs]

        ran = set(backwards(fetched, runs_before))
        written = {op: written_variables(op) for op in ran}
        writes = not self._trainable.isdisjoint(itertools.chain(*written.values()))
        added = [_added_by(op) for op, of in written.items() if self._global_step in of]
        known = [number for number in added if number is not None]
        increment = sum(map(int, known)) if len(known) == len(added) else None
        if self._train_op is not None:
            trains = not self._train_op.isdisjoint(ran)
        elif self._gradients.of_parts:
            trains = self._gradients.are_applied(ran)
        else:
            # Gradients by other means than tf.gradients leave no trace.
            trains = writes and self._total in ran
        missing = [
            op.name
            for op in (backwards([self._row], runs_before) if trains else ())
            if op not in ran and op not in fed and has_effect(op)
        ]
        return RunEffect(writes, trains, increment, tuple(sorted(missing)))


def _added_by(op: Operation) -> float | None:
    adds = op.type in ("AssignAdd", "AssignAddVariableOp")
    return constant(op.inputs[1]) if adds else None


def _variable_op(variable: Any) -> Operation:
    # Keras wraps TensorFlow's variables.
    return variable.op if hasattr(variable, "op") else variable.value.op
