"""Which calls of ``session.run`` train, and by how much they move the global step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import tensorflow as tf

from tb_regplugin.capture.graph.operations import VARIABLES, constant, strip

_ADDITIONS = ("AssignAdd", "AssignAddVariableOp")


class RunEffect(NamedTuple):
    """What one call of ``session.run`` does.

    Attributes:
      trains: Whether it changes trainable variables.
      increment: What it adds to the global step.
    """

    trains: bool
    increment: int


class TrainingRuns:
    """Tells training from evaluation by what a call fetches.

    A session's hooks see each call, and a loss asked for in a call that only evaluates something
    else would fail for want of its placeholders.

    Args:
      graph: The session's graph, complete.
      global_step: Its global step, where it has one.
    """

    def __init__(self, graph: Any, global_step: Any | None) -> None:
        self._graph = graph
        self._global_step = None if global_step is None else _variable_op(global_step)
        trainable = graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        self._trainable = {_variable_op(variable) for variable in trainable}
        self._memo: dict[tuple[Any, ...], RunEffect] = {}

    def effect_of(self, fetches: Any) -> RunEffect:
        """Returns what a call does that fetches these."""
        operations = tuple(self._operations(fetches))
        if operations not in self._memo:
            self._memo[operations] = self._find(operations)
        return self._memo[operations]

    def _operations(self, fetches: Any) -> Iterable[Any]:
        for fetch in tf.nest.flatten(fetches, expand_composites=True):
            if fetch is None:
                continue
            element = self._graph.as_graph_element(fetch)
            yield getattr(element, "op", element)

    def _find(self, operations: Iterable[Any]) -> RunEffect:
        trains, increment = False, 0
        seen, waiting = set(operations), list(operations)
        while waiting:
            op = waiting.pop()
            if op.type not in VARIABLES and op.type not in ("ReadVariableOp", "Identity"):
                for operand in op.inputs:
                    written = _written_variable(op, operand)
                    trains = trains or written in self._trainable
                    if written is not None and written is self._global_step:
                        increment += _increment(op)
            fresh = {*(operand.op for operand in op.inputs), *op.control_inputs} - seen
            seen |= fresh
            waiting.extend(fresh)
        return RunEffect(trains, increment)


def _variable_op(variable: Any) -> Any:
    variable = variable if hasattr(variable, "op") else variable.value
    return variable.handle.op if hasattr(variable, "handle") else variable.op


def _written_variable(op: Any, operand: Any) -> Any | None:
    """Returns the variable that an operation may write through one of its inputs."""
    if operand.dtype != tf.resource and not operand.dtype._is_ref_dtype:
        return None
    return operand.op if operand.op.type in VARIABLES else None


def _increment(op: Any) -> int:
    if op.type not in _ADDITIONS:
        return 0
    value = constant(strip(op.inputs[1]))
    return 0 if value is None else int(value)
