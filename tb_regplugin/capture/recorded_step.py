"""A step of a model, of either Keras, that also records its losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from tb_regplugin.capture import internals
from tb_regplugin.capture.ring import Ring, RingRows
from tb_regplugin.capture.trained_on import TrainedOn
from tb_regplugin.finding import Finding
from tb_regplugin.terms import Term

_CACHE_ATTRIBUTE = "_tb_regplugin_step"


class StepKind(NamedTuple):
    """What the methods and attributes around a step are called.

    Attributes:
      step: The method that processes a batch.
      function: The attribute that holds the compiled step.
      make_function: The method that makes it.
    """

    step: str
    function: str
    make_function: str


TRAIN = StepKind("train_step", "train_function", "make_train_function")
TEST = StepKind("test_step", "test_function", "make_test_function")


class RecordedStep(ABC):
    """Stands in for one ``train_function`` or ``test_function`` of a model.

    It computes what that function computes, with the same operations, and besides puts a row into a
    ring on the device. Between calls, the model knows nothing of it.

    Attributes:
      original: That function.
      ring: Where its rows wait.
      capture: What puts rows into the ring.
      sources: What rows come from: the ring, and whatever else starts and drains as rings do.
      steps_per_execution: How many steps a call runs.
      is_collective: Whether all workers must drain together, because rows are summed over them.
      user: Who drains it.
      has_noticed: Whether the user was given its notice.
      findings: What the user was told of the model's penalties.
    """

    def __init__(
        self,
        original: Any,
        ring: Ring,
        steps_per_execution: int,
        strategy: Any,
        capture: TrainedOn,
    ) -> None:
        self.original = original
        self.ring = ring
        self.capture = capture
        self.sources: list[Any] = [ring]
        self.steps_per_execution = steps_per_execution
        self.is_collective = internals.runs_in_several_processes(strategy)
        self.user: Any = None
        self.has_noticed = False
        self.findings: tuple[Finding, ...] = ()

    @classmethod
    def of(cls, model: Any, original: Any, kind: StepKind, *options: Any) -> RecordedStep:
        """Returns the step for a model's function, the one from before where there is one.

        So a second ``fit`` compiles nothing anew, as without recording. The options are what else
        the class takes, beginning with how many steps a call runs.
        """
        step, its_options = getattr(original, _CACHE_ATTRIBUTE, (None, ()))
        columns = 0
        if isinstance(step, cls):
            ring = step.ring
            if not (ring.failure or ring.missing_columns) and its_options == options:
                return step
            columns = ring.columns + ring.missing_columns
        # Each class of steps takes a model, and how many values a row must have room for.
        make: Callable[..., RecordedStep] = cls
        step = make(model, original, kind, columns, *options)
        # For a callable without attributes, each fit makes a new one.
        with suppress(AttributeError):
            setattr(original, _CACHE_ATTRIBUTE, (step, options))
        return step

    @abstractmethod
    def __call__(self, model: Any, *args: Any) -> Any:
        """Does what the model's own function does, and records."""

    def start(self, next_step: int, every: int) -> None:
        """Begins a training at a step; what was not drained is lost."""
        for source in self.sources:
            source.start(next_step, every)

    def drain(self) -> list[RingRows]:
        """Takes the rows that came since the last call."""
        return [rows for source in self.sources for rows in source.drain()]

    def audit(self, model: Any, columns: Sequence[Term]) -> tuple[Finding, ...]:
        """Returns what is wrong with a model's penalties, after a step that had these columns."""
        return self.capture.findings

    def notice(self) -> str | None:
        """Returns what the user should know, as far as is known by now."""
        return self.capture.notice()

    def why_nothing(self, kind: StepKind) -> str:
        """Returns why it has run and there is no row."""
        if self.capture.unknown is not None:
            return (
                f"tb_regplugin can't tell what the model's {kind.step} trains on "
                f"({self.capture.unknown}), and there are no penalties. To record its losses, give "
                "them to tb_regplugin.Recorder in the step"
            )
        return (
            f"the model's {kind.step} does not call compute_loss, so no loss can be seen. "
            "With TensorFlow, call Recorder.write() there"
        )


# Returns the recorded step for a model's own function of a kind.
StepFactory = Callable[[Any, Any, StepKind], RecordedStep]
