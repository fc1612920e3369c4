"""How hard each penalty pulls at its variable, beside the rest of the loss.

The gradient of a penalty is known in closed form: of ``l2 * sum(w**2)`` it is ``2 * l2 * w``, of
``l1 * sum(abs(w))`` it is ``l1 * sign(w)`` (``keras.regularizers``). What the optimiser was given
minus that is the gradient of everything else in the loss, without a second backward pass. The
step computes sums alone; what they amount to is calculated when rows leave the device.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from tb_regplugin.capture.keras import internals, terms
from tb_regplugin.capture.keras.ring import RingVariables
from tb_regplugin.capture.ring import GRADIENTS, SPARE_COLUMNS, Ring, RingRows
from tb_regplugin.capture.safety import overridden
from tb_regplugin.terms import GRADIENT_ROLES, Term


def can_capture(strategy: Any) -> bool:
    """Whether gradients can be seen, and added up over the replicas of this strategy."""
    if keras.config.backend() not in ("tensorflow", "torch"):
        return False
    if strategy is None or strategy.num_replicas_in_sync == 1:
        return True
    import tensorflow as tf

    # Other strategies have replicas that one process can't add up by itself.
    return isinstance(strategy, tf.distribute.MirroredStrategy)


class GradientCapture:
    """Puts a row of gradient norms into a ring on the device, for every few recorded steps.

    Gradients are those of the step's loss: before clipping, without the scale of mixed precision,
    and added up over the replicas. The model must be compiled and built.
    """

    def __init__(self, model: Any, every: int, losses: Ring, strategy: Any) -> None:
        self._every = every
        self._loss_ring = losses
        # By what the direction of each variable is multiplied, for the columns of a layout.
        self._factors: dict[tuple[Term, ...], tuple[float, ...]] = {}
        # Strategies run a thread a replica.
        self._running = threading.local()
        # Before its first step, a model may not be built.
        count = len(_pulled_variables(model)) + SPARE_COLUMNS
        self.ring = RingVariables(losses.rows, len(GRADIENT_ROLES) * count + 1, strategy)

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step of which every so many are recorded."""
        self.ring.start(next_step, every * self._every)

    def expect(self, step: Any) -> None:
        """Takes the gradients that come next for those of this step; call it in the step."""
        self._running.step = step

    def drain(self) -> list[RingRows]:
        """Takes the rows that came since the last call."""
        if not self.ring.has_rows:
            return []
        # Rows are added up over the replicas, which all have the same.
        return [
            rows._replace(
                values=finish(rows.values / self.ring.replicas, self._factors[rows.layout.columns])
            )
            for rows in self.ring.drain()
        ]

    @contextmanager
    def installed(self, model: Any) -> Iterator[None]:
        """Captures in a model's step for the length of a ``with`` block."""
        self._running.step = None
        optimizer = model.optimizer
        own = vars(optimizer).get("apply")

        @functools.wraps(optimizer.apply)
        def capturing_apply(grads: Any, trainable_variables: Any = None) -> Any:
            # The class's as it is by now, when others may look at what is applied.
            apply = own or functools.partial(type(optimizer).apply, optimizer)
            # A train_step may apply gradients of several losses: the first are of the one seen.
            step, self._running.step = getattr(self._running, "step", None), None
            if step is not None:
                self.ring.attempt(self._record, model, step, grads, trainable_variables)
            return apply(grads, trainable_variables)

        with overridden(optimizer, apply=capturing_apply):
            yield

    def _record(self, model: Any, step: Any, grads: Any, variables: Any) -> None:
        variables = variables or internals.trained_by(model.optimizer)
        known = {id(v): g for v, g in zip(variables, grads, strict=True) if g is not None}
        pulled = [v for v in _pulled_variables(model) if id(v) in known]
        if not pulled:
            return
        if len(GRADIENT_ROLES) * len(pulled) + 1 > self.ring.columns:
            # Asks for another step, and with it for another ring of gradients.
            self._loss_ring.missing_columns = max(1, self._loss_ring.missing_columns)
            return
        columns = [
            replace(term, role=role)
            for term in terms.describe_variables(model, pulled)
            for role in GRADIENT_ROLES
        ]
        self._factors[tuple(columns)] = tuple(
            2 * float(v.regularizer.l2) if _is_plain_l2(v) else 1.0 for v in pulled
        )
        scale = model.optimizer.scale_loss(1.0)

        def push() -> Any:
            gradients = self._added_up([known[id(v)] for v in pulled])
            if not (isinstance(scale, float) and scale == 1.0):
                gradients = [g / ops.cast(scale, g.dtype) for g in gradients]
            values = _measure(pulled, gradients)
            self.ring.push(columns, values, step=step, recordings=[GRADIENTS] * len(columns))
            return step

        # Replicas can't add up anything within a branch.
        if self.ring.replicas > 1 or self._every == 1:
            push()
        else:
            ops.cond(self.ring.is_due(step), push, lambda: step)

    def _added_up(self, gradients: list[Any]) -> list[Any]:
        if keras.config.backend() != "tensorflow":
            return gradients
        import tensorflow as tf

        # Of embeddings: rows and where they belong.
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        if self.ring.replicas == 1:
            return gradients

        def add(_: Any, values: list[Any]) -> Any:
            # No collective operation: another model's strategy may have numbered its own alike.
            reduction = tf.distribute.ReductionToOneDevice()
            pairs = [(value, value) for value in values]
            return reduction.batch_reduce(tf.distribute.ReduceOp.SUM, pairs)

        return list(tf.distribute.get_replica_context().merge_call(add, args=(gradients,)))


def finish(
    measured: npt.NDArray[np.floating[Any]], factors: Sequence[float]
) -> npt.NDArray[np.float32]:
    """Returns the columns of rows that were measured.

    Args:
      measured: float32 ``[rows, 3 * variables]``: of each variable, half the squared length of
        the penalty's direction, half that of the gradient of the rest of the loss, and the
        product of the two vectors.
      factors: By what each variable's direction is multiplied to be the penalty's gradient.

    Returns:
      float32 ``[rows, 3 * variables]``: the norm of the penalty's gradient, that of the gradient
      of the rest of the loss, and their cosine, NaN where one of the norms is zero.
    """
    halves = measured.astype(np.float64).reshape(len(measured), len(factors), 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        length, data = np.sqrt(2 * halves[..., 0]), np.sqrt(2 * halves[..., 1])
        columns = [length * np.array(factors), data, halves[..., 2] / (length * data)]
    return np.stack(columns, axis=2).reshape(measured.shape).astype(np.float32)


def _pulled_variables(model: Any) -> list[Any]:
    """Returns the variables whose penalty's gradient is known in closed form."""
    return [v for v in terms.regularized_variables(model) if _slopes(v.regularizer)]


def _measure(variables: Sequence[Any], gradients: Sequence[Any]) -> list[Any]:
    """Returns what ``finish`` takes of one row, in the step, of the gradients of the whole loss."""
    values: list[Any] = []
    for variable, gradient in zip(variables, gradients, strict=True):
        weights = ops.cast(variable, "float32")
        if _is_plain_l2(variable):
            direction, penalty = weights, weights * (2 * variable.regularizer.l2)
        else:
            l1, l2 = _slopes(variable.regularizer) or (0.0, 0.0)
            direction = penalty = l1 * ops.sign(weights) + 2 * l2 * weights
        # From the difference itself: one of products would lose it where the penalty is much
        # larger.
        data = ops.cast(gradient, "float32") - penalty
        values += [terms.half_square(direction), terms.half_square(data), ops.sum(direction * data)]
    return values


def _is_plain_l2(variable: Any) -> bool:
    """Whether the penalty is L2 alone, of a strength that stays: most are."""
    l1, l2 = _slopes(variable.regularizer) or (None, None)
    return isinstance(l1, float) and l1 == 0.0 and isinstance(l2, int | float)


def _slopes(regularizer: Any) -> tuple[Any, Any] | None:
    """The strengths of L1 and L2, as the loss uses them; None where the form is not known."""
    match terms.describe_regularizer(regularizer).kind:
        case "l1":
            return regularizer.l1, 0.0
        case "l2":
            return 0.0, regularizer.l2
        case "l1_l2":
            return regularizer.l1, regularizer.l2
        case _:
            return None
