"""Which scalar a TensorFlow step trains on: what it differentiates, and what it applies of that.

A step may take several gradients, and apply one of them, or a sum; only its gradient calls and
its optimisers know.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from tb_regplugin.capture.graph import internals
from tb_regplugin.capture.graph.operations import ADDITIONS, Tensor, constant, scaled, strip
from tb_regplugin.capture.graph.sources import Reaches
from tb_regplugin.capture.safety import RecordingError
from tb_regplugin.capture.watching import WatchedStep, Wrap, watched_step

# Factors of a loss, as several variables have them, are equal up to rounding.
_TOLERANCE = 1e-5

# Tensors whose sum was differentiated, by their references: what tells losses apart.
_Target = tuple[Any, ...]
# Gradients, and the keys of the variables that they are to update.
_Applied = list[tuple[Any, int | None]]


class _Call(NamedTuple):
    """A call of ``GradientTape.gradient``.

    Attributes:
      target: What was differentiated; None where that is no sum of the tensors it was given.
      sources: The keys of the variables by which; None in place of what is no variable.
      gradients: One a source, None where the target does not depend on it.
      is_outside: Whether it was made in another graph than the step's, or for a jacobian.
    """

    target: _Target | None
    sources: list[int | None]
    gradients: list[Any]
    is_outside: bool


class Differentiated(WatchedStep):
    """What one run of a step's Python differentiated, and what it gave its optimisers.

    Attributes:
      in_jacobian: Whether a jacobian is taken now: by a gradient of one of many losses, for all.
    """

    def __init__(self) -> None:
        super().__init__()
        self.in_jacobian = False
        self._graph = _graph()
        self.is_eager = self._graph is None
        self._calls: list[_Call] = []
        # What each call of an optimiser was given: gradients, and the keys of their variables.
        self._updates: list[_Applied] = []

    def holds(self, tensor: Any) -> bool:
        """Whether a tensor is of the step's own graph."""
        return self._graph is None or getattr(tensor, "graph", None) is self._graph

    def is_same(self, tensor: Any, total: Tensor) -> bool:
        """Whether a tensor is the total, perhaps passed on."""
        return bool(_reference(tensor) == _reference(total))

    @property
    def has_calls(self) -> bool:
        """Whether any gradient was taken."""
        return bool(self._calls)

    def total_of(self, updates: Sequence[int] | None = None) -> Tensor:
        """Returns the target, or the weighted sum of targets, whose gradients were applied."""
        calls = [call for call in self._calls if any(call.sources)]
        if not calls:
            raise RecordingError("it takes no gradients of variables with tf.GradientTape")
        if any(call.is_outside for call in calls):
            raise RecordingError("it takes gradients in a loop, branch or function of its own")
        wanted = range(len(self._updates)) if updates is None else updates
        applied = [each for number in wanted for each in self._updates[number]]
        applied_of = self._applied_by_identity if self.is_eager else self._applied_in_graph
        weights = applied_of(applied)
        if weights is None and updates is not None:
            raise RecordingError("one of its optimisers is given other things than gradients")
        if weights is None:
            # Updated by hand, or from variables in which gradients were gathered.
            targets = {call.target for call in calls}
            if len(targets) > 1 and not self.is_eager:
                targets -= self._used_for_others(calls)
            if len(targets) != 1:
                raise RecordingError(
                    "it takes gradients of several losses, and which of them it trains on can't "
                    "be seen"
                )
            weights = dict.fromkeys(targets, 1.0)
        if None in weights:
            raise RecordingError("it gives a gradient a factor of its own (output_gradients)")
        return _weighted_sum([(target, weight) for target, weight in weights.items() if target])

    def note_gradient(self, target: Any, sources: Any, gradients: Any, is_plain: bool) -> None:
        """Notes a call of ``GradientTape.gradient``."""
        targets = [self.without_scale(each) for each in tf.nest.flatten(target)]
        keys = [_key(source) for source in tf.nest.flatten(sources)]
        results = tf.nest.flatten(gradients)
        references = tuple(_reference(each) for each in targets) if is_plain else None
        is_outside = self.in_jacobian or _graph() is not self._graph
        self._calls.append(_Call(references, keys, results, is_outside))

    def _applied_by_identity(self, applied: _Applied) -> dict[_Target | None, float] | None:
        found = set()
        for gradient, _ in applied:
            targets = {c.target for c in self._calls if any(gradient is g for g in c.gradients)}
            if len(targets) != 1:
                return None
            found |= targets
        if len(found) > 1:
            raise RecordingError("it trains on several losses")
        return dict.fromkeys(found, 1.0) if found else None

    def _applied_in_graph(self, applied: _Applied) -> dict[_Target | None, float] | None:
        """Returns the losses whose gradients the optimisers were given, with their factors."""
        made_of = _MadeOf(self._calls)
        reached = made_of.reached(gradient for gradient, _ in applied)
        if len(reached) <= 1:
            return dict.fromkeys(reached, 1.0) or None
        factors = []
        for gradient, key in applied:
            tensor = _dense(gradient)
            found = made_of.factors(tensor)
            if found is not None:
                factors.append((found, key))
            elif tensor.shape.num_elements() != 1:
                # Of a single number, other variables must tell.
                raise RecordingError(
                    "it combines gradients other than by sums with constant factors"
                )
        total: dict[_Target | None, float] = {}
        for found, _ in factors:
            total.update(found)
        for found, key in factors:
            for target, factor in total.items():
                differs = abs(found.get(target, 0.0) - factor) > _TOLERANCE * abs(factor)
                if differs and not self._is_independent(target, key):
                    raise RecordingError("it trains on several losses")
        return total

    def _is_independent(self, target: _Target | None, key: int | None) -> bool:
        """Whether a loss is known not to depend on a variable, so that its factor is any."""
        gradients = [
            gradient
            for call in self._calls
            if call.target == target
            for source, gradient in zip(call.sources, call.gradients, strict=True)
            if source == key
        ]
        return bool(gradients) and all(gradient is None for gradient in gradients)

    def _used_for_others(self, calls: list[_Call]) -> set[_Target | None]:
        """Returns the losses whose gradients are parts of other losses."""
        made_of = _MadeOf(self._calls)
        used: set[_Target | None] = set()
        for call in calls:
            tensors = [reference.deref() for reference in call.target or ()]
            used |= made_of.reached(tensors) - {call.target}
        return used

    def note_applied(self, gradients: Any, variables: Any) -> None:
        """Notes what an optimiser was given."""
        super().note_applied(gradients, variables)
        update = [
            (gradient, _key(variable))
            for gradient, variable in zip(gradients, variables, strict=True)
            # A graph may be given constants; they are of no loss.
            if gradient is not None
            and (self._graph is None or tf.is_symbolic_tensor(_dense(gradient)))
        ]
        self._updates.append(update)


class _MadeOf:
    """Follows tensors of a graph back to the gradients that they are made of."""

    def __init__(self, calls: Iterable[_Call]) -> None:
        self._targets = {
            _dense(gradient).ref(): call.target
            for call in calls
            for gradient in call.gradients
            if gradient is not None and not call.is_outside
        }
        operations = {reference.deref().op for reference in self._targets}
        self._reaches = Reaches(operations.__contains__)

    def reached(self, tensors: Iterable[Any]) -> set[_Target | None]:
        """Returns whose gradients come first on any way back."""
        waiting = [_dense(tensor) for tensor in tensors]
        seen, found = set(), set()
        while waiting:
            tensor = waiting.pop()
            reference = tensor.ref()
            if reference in self._targets:
                found.add(self._targets[reference])
            elif reference not in seen:
                seen.add(reference)
                waiting.extend(tensor.op.inputs)
        return found

    def factors(self, tensor: Tensor, is_whole: bool = True) -> dict[_Target | None, float] | None:
        """Returns the factors of the losses' gradients in a tensor; None where it is no such sum.

        What the whole is multiplied with, as clipping does, or cut to, is left aside.
        """
        while tensor.ref() not in self._targets and (inner := _passed_on(tensor)) is not None:
            tensor = inner
        if tensor.ref() in self._targets:
            return {self._targets[tensor.ref()]: 1.0}
        if not self._reaches(tensor.op):
            return {}
        parts = [(part, f) for part, f in _summands(tensor) if self._reaches(part.op)]
        if not parts and is_whole:
            # What has no summands has one part of the gradient's own shape at most.
            parts = [
                (part, 1.0)
                for part in tensor.op.inputs
                if part.dtype.is_floating
                and part.shape.as_list() == tensor.shape.as_list()
                and self._reaches(part.op)
            ]
            if len(parts) > 1:
                return None
        if not parts:
            return None
        total: dict[_Target | None, float] = {}
        for part, factor in parts:
            found = self.factors(part, is_whole and len(parts) == 1)
            if found is None:
                return None
            for target, inner in found.items():
                total[target] = total.get(target, 0.0) + factor * inner
        return total


def _passed_on(tensor: Tensor) -> Tensor | None:
    """Returns the tensor of which another one is a copy, in whatever shape; None of none."""
    op = tensor.op
    if op.type in ("Cast", "Identity", "StopGradient", "Reshape", "UnsortedSegmentSum"):
        return op.inputs[0]
    return op.inputs[tensor.value_index] if op.type == "IdentityN" else None


def _summands(tensor: Tensor) -> list[tuple[Tensor, float]]:
    op = tensor.op
    if op.type in ADDITIONS:
        return [(part, 1.0) for part in op.inputs]
    if op.type == "Sub":
        return [(op.inputs[0], 1.0), (op.inputs[1], -1.0)]
    if op.type in ("Sum", "Mean"):
        stacked = strip(op.inputs[0]).op
        if stacked.type == "Pack" and constant(op.inputs[1]) == stacked.get_attr("axis"):
            parts = list(stacked.inputs)
            return [(part, 1.0 / len(parts) if op.type == "Mean" else 1.0) for part in parts]
        return []
    part = scaled(tensor)
    return [] if part is None else [part]


def _weighted_sum(parts: list[tuple[_Target, float]]) -> Tensor:
    """Returns the one tensor that was differentiated, or a sum of several."""
    tensors = [(reference.deref(), weight) for target, weight in parts for reference in target]
    if len(tensors) == 1 and tensors[0][1] == 1.0 and tensors[0][0].shape.rank == 0:
        return tensors[0][0]
    summands = []
    for tensor, weight in tensors:
        number = tf.cast(tensor, tf.float32)
        if number.shape.rank != 0:
            # As gradients are taken of what is no scalar.
            number = tf.reduce_sum(number)
        summands.append(number if weight == 1.0 else number * weight)
    return summands[0] if len(summands) == 1 else tf.add_n(summands)


def _dense(gradient: Any) -> Tensor:
    return gradient.values if isinstance(gradient, tf.IndexedSlices) else gradient


def _reference(target: Any) -> Any:
    tensor = tf.convert_to_tensor(target)
    return (strip(tensor) if tf.is_symbolic_tensor(tensor) else tensor).ref()


def _key(source: Any) -> int | None:
    """Returns what tells variables apart, of TensorFlow or of Keras; None of what is none."""
    return next(map(id, internals.handles(source)), None)


def _graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def watched_gradient(original: Any) -> Any:
    """Wraps ``tf.GradientTape.gradient``, for ``watching``."""

    def gradient(tape: Any, target: Any, sources: Any, *args: Any, **kwargs: Any) -> Any:
        gradients = original(tape, target, sources, *args, **kwargs)
        step = watched_step()
        if isinstance(step, Differentiated):
            is_plain = (args[0] if args else kwargs.get("output_gradients")) is None
            step.attempt(step.note_gradient, target, sources, gradients, is_plain)
        return gradients

    return gradient


def watched_jacobian(original: Any) -> Any:
    """Wraps ``tf.GradientTape.jacobian``, for ``watching``."""

    def jacobian(*args: Any, **kwargs: Any) -> Any:
        step = watched_step()
        if not isinstance(step, Differentiated):
            return original(*args, **kwargs)
        step.in_jacobian = True
        try:
            return original(*args, **kwargs)
        finally:
            step.in_jacobian = False

    return jacobian


# What takes gradients on TensorFlow, for ``watching``.
TAPE_METHODS: list[tuple[Any, str, Wrap]] = [
    (tf.GradientTape, "gradient", watched_gradient),
    (tf.GradientTape, "jacobian", watched_jacobian),
]
