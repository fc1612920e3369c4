"""The losses of a multi-output model's outputs, seen while Keras adds them up."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from keras import ops

from tb_regplugin.capture.safety import overridden

_LOSSES = "_flat_losses"


class OutputLosses:
    """Reports each loss that a ``CompileLoss`` adds up, as it enters the sum.

    Args:
      report: Called with the output's name and the weighted loss, inside of the step.
    """

    def __init__(self, report: Callable[[str, Any], None]) -> None:
        self._report = report
        self._original: Any = None
        self._observed: Any = None

    @contextmanager
    def installed(self, compile_loss: Any) -> Iterator[None]:
        """Reports for the length of a ``with`` block."""
        namespace = compile_loss.__dict__
        losses = namespace.get(_LOSSES)
        if losses:
            with overridden(compile_loss, **{_LOSSES: self._observe(losses, compile_loss)}):
                yield
            return
        build = compile_loss.build
        made = None

        # Keras lists the losses when it first needs them.
        @functools.wraps(build)
        def observing_build(*args: Any, **kwargs: Any) -> None:
            nonlocal made
            build(*args, **kwargs)
            made = namespace.get(_LOSSES)
            if made:
                namespace[_LOSSES] = self._observe(made, compile_loss)

        with overridden(compile_loss, build=observing_build):
            try:
                yield
            finally:
                if made:
                    namespace[_LOSSES] = made

    def _observe(self, losses: list[Any], compile_loss: Any) -> list[Any]:
        if losses is not self._original:
            self._original = losses
            self._observed = losses
            # Other versions of Keras may keep them in another form, then they are let alone.
            if all(hasattr(entry, "_replace") for entry in losses):
                self._observed = [
                    entry._replace(loss=self._wrap(entry, compile_loss.dtype)) for entry in losses
                ]
        return list(self._observed)

    def _wrap(self, entry: Any, dtype: str) -> Callable[..., Any]:
        @functools.wraps(entry.loss)
        def observed_loss(*args: Any, **kwargs: Any) -> Any:
            value = entry.loss(*args, **kwargs)
            weighted = ops.cast(value, dtype)
            if entry.loss_weights is not None:
                weighted = ops.multiply(weighted, entry.loss_weights)
            self._report(entry.name, weighted)
            return value

        return observed_loss
