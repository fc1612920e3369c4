"""Recording from any training loop, with NumPy alone."""

from __future__ import annotations

import itertools
import operator
import os
import threading
import time
from array import array
from collections.abc import Sequence
from typing import Any, SupportsFloat, SupportsIndex

from tb_regplugin.terms import Layout, PenaltyValues, Term
from tb_regplugin.writing.arguments import (
    Array,
    CopiedAsUnused,
    check_options,
    check_real,
    layout_of,
    or_infinity,
    path_of,
    say_bad_value,
    split_losses,
    terms_of,
)
from tb_regplugin.writing.blocks import BlockWriter
from tb_regplugin.writing.worker import TIMEOUT

_INT64 = range(-(2**63), 2**63)


class _Threads(threading.local):
    """Gives each thread a number. The system's own are given again once a thread has ended."""

    _numbers = itertools.count()

    def __init__(self) -> None:
        self.number = next(self._numbers)


class Writer(CopiedAsUnused):
    """Records what a loss is made of, step by step, for TensorBoard's Regularization tab.

    Takes the numbers of Python and NumPy, and the scalars of PyTorch, JAX and TensorFlow.
    Rows are written in the background; a live view is at most one flush interval behind, and a
    killed process loses at most one. The interval is ``flush_secs``, growing to 1 % of the
    writer's age, at most 120 s. When writing fails (disk full, directory removed), one warning
    says so, and training goes on unrecorded; where the disk hangs, 64 MiB wait for it and what
    comes then is dropped, with a warning. Safe to use from several threads and under Ctrl-C; a
    process that is forked off needs a writer of its own.

    Steps may go back, as after a restart from a checkpoint: what was recorded from that step on
    is overwritten. A step is a restart where the same thread has reached it before; one that
    comes late from another thread is added. The terms may change from step to step.

    Args:
      log_dir: The run's directory, below the one that TensorBoard is given. May be remote
        (``gs://``, ``s3://``, …).
      name: What the recording is called. Two losses of one run (a generator's and a
        discriminator's) need two writers with different names.
      flush_secs: The flush interval at first, in seconds.
      terms: The names, or the terms, of penalties that come as an array, in its order.

    Raises:
      TypeError: ``log_dir`` is no path, or ``terms`` is no sequence of names or terms.
      ValueError: ``log_dir`` or ``name`` is empty, ``flush_secs`` is not positive, or two terms
        share a name.

    Example:
      >>> import math, tempfile
      >>> with Writer(tempfile.mkdtemp()) as writer:
      ...     for step in range(3):
      ...         writer.write(step, data_loss=0.5, penalties={"dense/kernel": 0.125})

      A term says what is known of a data loss, such as what it is for a model that guesses:

      >>> data = Term("data", role="data", chance_level=math.log(10))
      >>> with Writer(tempfile.mkdtemp()) as writer:
      ...     for step in range(3):
      ...         writer.write(step, {data: 0.5}, {"dense/kernel": 0.125})

      A step that is compiled returns one array, which is one copy from its device:

      >>> import numpy as np
      >>> decay = Term("w (decay)", role="implicit", kind="weight_decay", strength=0.1)
      >>> with Writer(tempfile.mkdtemp(), terms=["w", "b", decay]) as writer:
      ...     for step in range(3):
      ...         writer.write(step, data_loss=0.5, penalties=np.array([0.25, 0.125, 0.0625]))
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        name: str = "losses",
        flush_secs: float = 5.0,
        terms: Sequence[str | Term] | None = None,
    ) -> None:
        check_options(name=name, flush_secs=flush_secs)
        self._terms = terms_of(terms)
        self._blocks = BlockWriter(path_of(log_dir), name, flush_secs)
        # The names that came last, their layout, and whether any value was a tensor of PyTorch's.
        self._last: tuple[Any, Layout | None, bool] = (None, None, False)
        self._threads = _Threads()

    def write(
        self,
        step: SupportsIndex,
        data_loss: SupportsFloat | PenaltyValues[SupportsFloat],
        penalties: PenaltyValues[SupportsFloat] | Array | None = None,
        total_loss: SupportsFloat | None = None,
    ) -> None:
        """Records one training step.

        Args:
          step: The step's number, a 64-bit integer.
          data_loss: What the model pays on the data: a number, or the numbers of its parts, by name
            or by ``Term`` of the role ``"data"``.
          penalties: The penalty terms as they stand in the loss, by name or by ``Term``; or their
            values in the order of the writer's ``terms``, an array of NumPy, PyTorch, JAX or
            TensorFlow of shape ``[terms]`` and any real dtype, on any device.
          total_loss: The loss that the optimiser minimises. When given, the dashboard shows
            whether the parts add up to it; when left out, it shows their sum.

        Raises:
          TypeError: The step is not an integer, a value is not a number, or an array is not of
            the terms' shape, or came without ``terms``. Nothing is recorded then, and what was
            recorded before stays.
          ValueError: The step needs more than 64 bits, two terms share a name, or the writer is
            closed.
        """
        wall_time = time.time()
        try:
            number = operator.index(step)
        except TypeError:
            raise TypeError(f"step must be an integer, not {step!r}.") from None
        if number not in _INT64:
            raise ValueError(f"step must fit into 64 bits; {number} does not.")
        names, values = split_losses(data_loss, penalties, total_loss, self._terms)
        # One tuple, so that threads never see the names of one layout with another.
        last_names, layout, has_tensors = self._last
        if layout is None or names != last_names:
            layout, has_tensors = layout_of(names), any(hasattr(v, "detach") for v in values)
            check_real(layout, values)
            self._last = (names, layout, has_tensors)
        try:
            if has_tensors:
                # PyTorch warns of numbers that gradients may still go through.
                values = [value.detach() if hasattr(value, "detach") else value for value in values]
            try:
                row = array("f", values)
            except OverflowError:
                row = array("f", map(or_infinity, values))
        except Exception as error:
            raise TypeError(say_bad_value(layout, values)) from error
        self._blocks.append_row(layout, number, wall_time, row, self._threads.number)

    def flush(self, timeout: float | None = TIMEOUT) -> None:
        """Returns when every step so far is written.

        Args:
          timeout: How long to wait for a disk that hangs, in seconds; without an end where it is
            None. What is not written by then is written later, if the disk goes on; a warning
            says so.
        """
        self._blocks.flush(timeout)

    def close(self, timeout: float | None = TIMEOUT) -> None:
        """Writes what waits and ends the recording. Called again, it does nothing.

        Args:
          timeout: As for ``flush``.
        """
        self._blocks.close(timeout)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
