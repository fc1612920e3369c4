"""A training step that keeps its loss to itself: its weights' penalties, calculated beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from keras import StatelessScope

from tb_regplugin.capture import loss_row
from tb_regplugin.capture.jax_state import TravellingState
from tb_regplugin.terms import Term


class PenaltiesBesideStep:
    """Records the penalties of the weights with which a step begins.

    Args:
      push: Takes columns and values, inside of the step.
      fail: Takes what went wrong.
      state: Where variables travel with the step.
      replicas: Over how many replicas the values will be added up.

    Attributes:
      was_needed: Whether such a step has come by.
    """

    def __init__(
        self,
        push: Callable[[list[Term], list[Any]], None],
        fail: Callable[[Exception], None],
        state: TravellingState | None,
        replicas: int,
    ) -> None:
        self.was_needed = False
        self._push = push
        self._fail = fail
        self._state = state
        self._replicas = replicas
        # Strategies run a thread a replica.
        self._running = threading.local()

    def before(self, model: Any, *args: Any) -> None:
        """Calculates them; where the step turns out to be seen, compilers leave that out."""
        self._running.row = None
        try:
            with self._weights_of_step(model, *args):
                self._running.row = loss_row.of_weights(model, self._replicas)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self._fail(error)

    def after(self, result: Any) -> Any:
        """Adds their row."""
        if self._running.row is None or not self._running.row[0]:
            return result
        columns, values = self._running.row
        self.was_needed = True
        try:
            if self._state is None:
                self._push(columns, values)
                return result
            logs, state = result
            return logs, self._state.updated(state, lambda: self._push(columns, values))
        except Exception as error:  # noqa: BLE001 - as above
            self._fail(error)
            return result

    def _weights_of_step(self, model: Any, *args: Any) -> Any:
        if self._state is None:
            return nullcontext()
        return StatelessScope(zip(model.trainable_variables, args[0][0], strict=True))
