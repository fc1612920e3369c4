"""Recording what a model's training step trains on, in either Keras."""

from __future__ import annotations

import functools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from tb_regplugin.capture.ring import Ring
from tb_regplugin.capture.row import (
    CapturedLoss,
    Row,
    joined,
    of_trained,
    row_of,
    row_of_other,
    row_without_total,
    without_total,
)
from tb_regplugin.capture.safety import RecordingError
from tb_regplugin.capture.watching import Trained, WatchedStep
from tb_regplugin.finding import Finding
from tb_regplugin.names import distinct
from tb_regplugin.terms import Term


class _Running(threading.local):
    """What the current thread is in the middle of: strategies run a thread a replica."""

    def __init__(self) -> None:
        # The calls that are running, the outermost first; those that are done.
        self.losses: list[CapturedLoss] = []
        self.seen: list[CapturedLoss] = []
        self.has_recorded = False
        # Of the weights with which the step began; None where that was not calculated.
        self.penalties: CapturedLoss | None = None
        self.watched: WatchedStep | None = None
        self.label: tuple[int, list[Term]] = (0, [])


class TrainedOn(ABC):
    """Puts a row with what a step trains on, and its parts, into a ring, in the trace of the step.

    Attributes:
      unknown: Why it is not known which loss a step trains on; None where that is known.
      findings: What is wrong with the way its penalties reach that loss.
    """

    # What a step trains on is known at its end. JAX has functions that no value may leave: there,
    # rows are put in place before that, and described anew.
    waits = True
    # How a loss is recorded that isn't seen here.
    other_way = "give it to tb_regplugin.Recorder in the step"

    def __init__(self, ring: Ring) -> None:
        self.unknown: str | None = None
        self.findings: tuple[Finding, ...] = ()
        self._ring = ring
        self._running = _Running()
        # Whether a step may keep its loss to itself, and whether one has.
        self._may_be_unseen, self._is_unseen = True, False

    @abstractmethod
    def describe(self, loss: CapturedLoss) -> None:
        """Says what a loss' entries are, while the weights are those of this loss."""

    @abstractmethod
    def penalties_of(self, model: Any, *args: Any) -> CapturedLoss:
        """Returns the penalties of the weights with which a step begins, given what the step is."""

    @abstractmethod
    def with_own_losses(self, penalties: CapturedLoss) -> CapturedLoss:
        """Returns penalties of weights with what layers have added by the end of the step."""

    @abstractmethod
    def watching(self, model: Any) -> AbstractContextManager[WatchedStep]:
        """Watches what this thread differentiates in a ``with`` block."""

    def notice(self) -> str | None:
        """Returns what the user should know, as far as is known by now."""
        if self.unknown is not None:
            return (
                "tb_regplugin can't tell what the model's train_step trains on: "
                f"{self.unknown}. It records penalties and no total; to record that too, "
                f"{self.other_way}."
            )
        if self._is_unseen:
            return (
                "The model's train_step does not call compute_loss, so tb_regplugin can't see its "
                "loss. It records the penalties of the weights, calculated beside each step; to "
                f"record its loss, {self.other_way}."
            )
        return None

    def _wrap_train_step(self, model: Any, step: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(step)
        def capturing_step(*args: Any, **kwargs: Any) -> Any:
            running = self._running
            running.has_recorded, running.penalties = False, None
            running.seen = []
            if self._may_be_unseen:
                # Where the step turns out to be seen, compilers leave that out.
                self._ring.attempt(self._note_penalties, model, *args)
            with self.watching(model) as watched:
                running.watched = watched
                result = step(*args, **kwargs)
            running.watched = None
            if self.waits:
                self._ring.attempt(self._settle, model, watched)
            else:
                self._ring.attempt(self._describe_anew, watched)
            has_losses, running.seen = bool(running.seen), []
            if running.has_recorded:
                if watched.is_eager and (has_losses or not self.waits):
                    # One whose losses were seen once needs them calculated no more.
                    self._may_be_unseen = False
            elif running.penalties is not None:
                row = row_without_total(running.penalties, is_beside=True)
                if row.columns:
                    self._is_unseen = True
                    result = self._with_row(row, result)
            return result

        return capturing_step

    def _with_row(self, row: Row, result: Any) -> Any:
        """Records a row, and returns the step's result with it."""
        self._ring.attempt(self._ring.push, row.columns, row.values)
        return result

    def _note_penalties(self, *args: Any) -> None:
        self._running.penalties = self.penalties_of(*args)

    def _note(self, loss: CapturedLoss) -> None:
        """Keeps a loss that has been computed until the step's end."""
        if loss.total is not None:
            self.describe(loss)
            self._running.seen.append(loss)

    def _settle(self, model: Any, differentiated: WatchedStep) -> None:
        """Records what a step has trained on, after its last operation."""
        seen = [loss for loss in self._running.seen if differentiated.holds(loss.total)]
        beside = self._running.penalties
        try:
            trained = differentiated.trained()
        except RecordingError as error:
            if seen or differentiated.has_calls or self._running.seen:
                self.unknown = str(error)
            if seen and seen[0].terms + seen[0].decay[0]:
                self._push(row_without_total(seen[0]))
            return
        known = seen
        if not seen and beside is not None:
            known = [self.with_own_losses(beside)]
        rows = []
        for total, *_ in trained:
            same = [loss for loss in seen if differentiated.is_same(loss.total, total)]
            row = row_of(same[-1]) if same else row_of_other(total, known)
            rows.append(row)
        if len(trained) == 1:
            self._push(rows[0])
            return
        rows = [of_trained(row, each) for row, each in zip(rows, trained, strict=True)]
        names = zip(_names_of(model, trained), rows, strict=True)
        self._push(joined(rows), [name for name, row in names for _ in row.columns])

    def _describe_anew(self, watched: WatchedStep) -> None:
        """Takes back that a row has a total, where another loss is trained on."""
        if not self._running.has_recorded:
            return
        try:
            watched.trained()
        except RecordingError as error:
            self.unknown = str(error)
            label, columns = self._running.label
            self._ring.describe_anew(label, without_total(columns))

    def _push(self, row: Row, recordings: Sequence[str] | None = None) -> None:
        self._running.has_recorded = True
        self.findings = row.findings
        self._ring.push(row.columns, row.values, recordings=recordings)


def _names_of(model: Any, trained: Sequence[Trained]) -> list[str]:
    """Names losses by the parts of a model that they train, such as "generator"."""
    attributes = {id(value): name for name, value in vars(model).items() if name[0] != "_"}
    names = []
    for number, each in enumerate(trained, 1):
        ids = set(map(id, each.variables or ()))
        owners = [(layer, {id(v) for v in layer.variables} & ids) for layer in model.layers]
        found = [(attributes.get(id(layer), layer.name), own) for layer, own in owners if own]
        is_all = ids == set().union(*(own for _, own in found))
        names.append(" and ".join(name for name, _ in found) if is_all else f"loss {number}")
    return distinct(names)
