"""A model's train or test function for one call, in which it is recorded."""

from __future__ import annotations

from typing import Any, Protocol

from tb_regplugin.capture.safety import RecordingError
from tb_regplugin.capture.step_kind import StepKind


class Recorder(Protocol):
    """Who records the call."""

    def is_stale(self) -> bool:
        """Whether the model is in a later training by now."""

    def run(self, *args: Any) -> Any:
        """Does what the function does, and records."""


class ArmedFunction:
    """Stands in for a model's function for one call: it puts back the model's own, then records.

    Args:
      model: The model.
      kind: Which of its functions.
      original: The model's own.
      recorder: Who records.
    """

    def __init__(self, model: Any, kind: StepKind, original: Any, recorder: Recorder) -> None:
        self.original = original
        self._model = model
        self._kind = kind
        self._recorder = recorder

    def __call__(self, *args: Any) -> Any:
        """Does what the original does, recorded."""
        disarm(self._model, self._kind)
        # Left behind by a callback that raised before the step: this training is another one.
        if self._recorder.is_stale():
            return self.original(*args)
        return self._recorder.run(*args)


def function_of(model: Any, kind: StepKind, armed: ArmedFunction | None) -> Any:
    """Returns the model's own function, made where there was none; None where ``armed`` stands in.

    Raises:
      RecordingError: Somebody else's stands in.
    """
    namespace = model.__dict__
    if namespace.get(kind.function) is None:
        getattr(model, kind.make_function)()
    current = namespace[kind.function]
    if not isinstance(current, ArmedFunction):
        return current
    if current is not armed:
        raise RecordingError("another RegularizationCallback records this model")
    return None


def disarm(model: Any, kind: StepKind) -> None:
    """Makes sure that a model has its own function."""
    current = model.__dict__.get(kind.function)
    if isinstance(current, ArmedFunction):
        model.__dict__[kind.function] = current.original
