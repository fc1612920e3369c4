"""A Keras model's training or validation step that also records its losses."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import keras

from tb_regplugin.capture.ineffective import find_ineffective
from tb_regplugin.capture.internals import function_of
from tb_regplugin.capture.keras import terms
from tb_regplugin.capture.keras.gradients import GradientCapture, can_capture
from tb_regplugin.capture.keras.loss import LossCapture
from tb_regplugin.capture.keras.ring import RingVariables, TravellingRing
from tb_regplugin.capture.recorded_step import TRAIN, RecordedStep, StepKind
from tb_regplugin.capture.ring import DRAIN_ROWS, SPARE_COLUMNS
from tb_regplugin.capture.safety import RecordingError, overridden
from tb_regplugin.finding import Finding
from tb_regplugin.terms import Term


class KerasStep(RecordedStep):
    """A ``RecordedStep`` of a Keras 3 model, on any backend, which ``of`` makes.

    Raises:
      RecordingError: The step is one that can't be recorded.
    """

    def __init__(
        self,
        model: Any,
        original: Any,
        kind: StepKind,
        min_columns: int,
        steps_per_execution: int,
        gradients_every: int | None,
    ) -> None:
        if keras.config.backend() == "torch" and model.jit_compile:
            # Its tracer does not run what notes the loss as Python would, and traces it anew.
            raise RecordingError(
                "steps that torch.compile compiles are not recorded; give compile() "
                "jit_compile=False to record this model"
            )
        strategy = getattr(model, "distribute_strategy", None)
        ring = RingVariables(
            DRAIN_ROWS + steps_per_execution,
            max(terms.count_columns(model) + SPARE_COLUMNS, min_columns),
            strategy,
        )
        is_jax = keras.config.backend() == "jax"
        self._travelling = TravellingRing(model, ring) if is_jax else None
        self._capture = LossCapture(ring, kind, self._travelling)
        super().__init__(original, ring, steps_per_execution, strategy, self._capture)
        self._gradients_every = gradients_every
        self._gradients: GradientCapture | None = None
        if gradients_every is not None and kind is TRAIN and can_capture(strategy):
            gradients = GradientCapture(model, gradients_every, ring, strategy)
            self._gradients = gradients
            self.sources.append(gradients)
            self._capture.on_loss = lambda: gradients.expect(ring.coming_step)
        with self._instrumented(model), overridden(model, **{kind.function: None}):
            getattr(model, kind.make_function)(force=True)
            self._inner = function_of(model, kind.function)

    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""
        with self._instrumented(model):
            if self._travelling is None:
                return self._inner(*args)
            return self._travelling.call(self._inner, *args)

    def audit(self, model: Any, columns: Sequence[Term]) -> tuple[Finding, ...]:
        """Finds penalties that count twice, and regularisers that reach no loss."""
        ineffective = find_ineffective(
            model,
            columns,
            terms.describe_regularizer,
            lambda layer, variable: variable.regularizer,
            functools.partial(terms.activity_name, model),
        )
        return super().audit(model, columns) + ineffective

    def notice(self) -> str | None:
        """Returns what the user should know."""
        if (notice := super().notice()) is not None:
            return notice
        if self._gradients is not None:
            failure = self._gradients.ring.failure
            if failure is None:
                return None
            return (
                f"tb_regplugin stopped recording gradients: {failure!r}. Losses are recorded, and "
                "your training goes on."
            )
        if self._gradients_every is not None:
            return (
                "tb_regplugin records losses but no gradients: those only on TensorFlow and "
                "PyTorch, and in one process."
            )
        return None

    @contextmanager
    def _instrumented(self, model: Any) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self._capture.installed(model))
            if self._gradients is not None:
                stack.enter_context(self._gradients.installed(model))
            if self._travelling is not None:
                stack.enter_context(self._travelling.attached())
            yield
