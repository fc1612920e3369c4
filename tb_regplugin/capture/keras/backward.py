"""Which scalar a Keras step trains on, by what it differentiates: PyTorch's and JAX' part of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import keras

from tb_regplugin.capture.keras import internals
from tb_regplugin.capture.safety import RecordingError
from tb_regplugin.capture.watching import (
    WatchedStep,
    Wrap,
    of_optimizers,
    watched_step,
    watching,
)


def watching_gradients(model: Any) -> AbstractContextManager[WatchedStep]:
    """Watches what this thread differentiates in a ``with`` block, on any backend."""
    step: WatchedStep
    methods: list[tuple[Any, str, Wrap]]
    match keras.config.backend():
        case "tensorflow":
            from tb_regplugin.capture.graph.differentiated import TAPE_METHODS, Differentiated

            step, methods = Differentiated(), TAPE_METHODS
        case "torch":
            import torch

            step = BackwardStep(model)
            methods = [
                (torch.autograd, "backward", _watched_backward),
                (torch.autograd, "grad", _watched_grad),
            ]
        case _:
            import jax

            step = TransformedStep()
            names = ("value_and_grad", "grad")
            methods = [(jax, name, _watched_transformation) for name in names]
    optimizers = (keras.optimizers.Optimizer, keras.optimizers.LossScaleOptimizer)
    return watching(
        step, [*methods, *of_optimizers(optimizers, "scale_loss", "apply", _note_applied)]
    )


def _note_applied(
    step: WatchedStep, optimizer: Any, grads: Any, trainable_variables: Any = None
) -> None:
    variables = trainable_variables
    step.note_applied(grads, internals.trained_by(optimizer) if variables is None else variables)


class BackwardStep(WatchedStep):
    """A step on PyTorch: its ``backward`` calls add up, until gradients are None again."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        # What the gradients are of by now, and what they were after the last call.
        self._targets: list[Any] = []
        self._left: list[tuple[Any, int]] = []
        self._applied: list[list[Any]] = []
        self._has_several = False
        self._is_clear = True

    @property
    def has_calls(self) -> bool:
        """Whether any gradient was taken."""
        return bool(self._targets) or not self._is_clear

    def total_of(self, updates: Sequence[int] | None = None) -> Any:
        """Returns the target, or the sum of targets, whose gradients the optimiser was given."""
        if not self._is_clear:
            raise RecordingError("it changes gradients, or takes them with torch.autograd.grad")
        if not self._targets:
            raise RecordingError("it never calls backward")
        applied = self._applied or [self._targets]
        if updates is not None:
            applied = [applied[number] for number in updates]
            if any(len(targets) != 1 for targets in applied):
                # Of several, some may not depend on these variables.
                raise RecordingError("it adds up gradients of several losses for one optimiser")
        is_one = all([*map(id, each)] == [*map(id, applied[0])] for each in applied)
        if not is_one or (self._has_several and not self._applied):
            raise RecordingError(
                "it takes gradients of several losses, and which of them it trains on can't be seen"
            )
        if len(applied[0]) == 1:
            return applied[0][0]
        return sum(target.detach() for target in applied[0])

    def note_applied(self, gradients: Any, variables: Any) -> None:
        """Notes of what the gradients were that an optimiser was given."""
        super().note_applied(gradients, variables)
        self._applied.append(list(self._targets))

    def before_backward(self) -> None:
        """Looks whether gradients are new, or will be added to those of calls before."""
        now = self._gradients()
        if not self._targets or not now:
            self._has_several |= bool(self._targets)
            self._targets = []
        elif now != self._left:
            # Some are None, or somebody has changed them in place: to zero, perhaps.
            self._is_clear = False

    def after_backward(self, target: Any, is_plain: bool) -> None:
        """Notes what was differentiated."""
        tensors = [target] if hasattr(target, "backward") else list(target)
        self._is_clear &= is_plain and all(tensor.numel() == 1 for tensor in tensors)
        self._targets += [self.without_scale(tensor) for tensor in tensors]
        self._left = self._gradients()

    def note_grad(self, inputs: Any) -> None:
        """Notes a call of ``torch.autograd.grad``, which matters where it is by a variable."""
        inputs = [inputs] if hasattr(inputs, "backward") else inputs
        variables = {id(variable.value) for variable in self._model.trainable_variables}
        self._is_clear &= not any(id(each) in variables for each in inputs)

    def _gradients(self) -> list[tuple[Any, int]]:
        found = (variable.value.grad for variable in self._model.trainable_variables)
        return [(id(each), each._version) for each in found if each is not None]


def _watched_backward(original: Any) -> Any:
    """Wraps ``torch.autograd.backward``, which ``torch.Tensor.backward`` calls too."""

    def backward(tensors: Any, grad_tensors: Any = None, *args: Any, **kwargs: Any) -> Any:
        step = watched_step()
        if not isinstance(step, BackwardStep):
            return original(tensors, grad_tensors, *args, **kwargs)
        step.attempt(step.before_backward)
        result = original(tensors, grad_tensors, *args, **kwargs)
        given = grad_tensors if isinstance(grad_tensors, list | tuple) else [grad_tensors]
        step.attempt(step.after_backward, tensors, all(each is None for each in given))
        return result

    return backward


def _watched_grad(original: Any) -> Any:
    """Wraps ``torch.autograd.grad``."""

    def grad(outputs: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        step = watched_step()
        if isinstance(step, BackwardStep):
            step.attempt(step.note_grad, inputs)
        return original(outputs, inputs, *args, **kwargs)

    return grad


class TransformedStep(WatchedStep):
    """A step on JAX: whether the one function that it differentiates returns a known loss.

    Nothing that is traced within a transformation leaves it: losses are compared there.
    """

    def __init__(self) -> None:
        super().__init__()
        self._calls = 0
        self._others = 0

    @property
    def has_calls(self) -> bool:
        """Whether any gradient was taken."""
        return self._calls > 0

    def total_of(self, updates: Sequence[int] | None = None) -> None:
        """Raises where what is differentiated is not the one loss that was seen."""
        if self._calls != 1:
            raise RecordingError(
                "it takes gradients of several losses, or none with jax.value_and_grad or jax.grad"
            )
        if self._others:
            raise RecordingError("it differentiates something other than what compute_loss returns")

    def note_applied(self, gradients: Any, variables: Any) -> None:
        """Passes by: the one gradient is what is applied."""

    def note_call(self, target: Any) -> None:
        """Compares what a differentiated function returns, within its transformation."""
        self._calls += 1
        loss = self.without_scale(target)
        self._others += len(self.losses) != 1 or loss is not self.losses[0]
        self.losses, self._unscaled = [], []


def _watched_transformation(original: Any) -> Any:
    """Wraps ``jax.value_and_grad`` or ``jax.grad``."""

    def transformation(function: Any, *args: Any, **kwargs: Any) -> Any:
        step = watched_step()
        if not isinstance(step, TransformedStep):
            return original(function, *args, **kwargs)
        has_aux = kwargs.get("has_aux", args[1] if len(args) > 1 else False)

        @functools.wraps(function)
        def watched_function(*inner: Any, **named: Any) -> Any:
            result = function(*inner, **named)
            step.attempt(step.note_call, result[0] if has_aux else result)
            return result

        return original(watched_function, *args, **kwargs)

    return transformation
