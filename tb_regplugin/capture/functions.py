"""Recording from training loops of one's own in TF2, inside of tf.function and XLA too."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from tb_regplugin.capture.graph.decompose import describe_penalties
from tb_regplugin.capture.ring import runs
from tb_regplugin.capture.safety import FailSafe, RecordingError
from tb_regplugin.capture.step_ring import StepRing, StepRows, check_scalars, stack_scalars
from tb_regplugin.notices import warn
from tb_regplugin.terms import Layout, PenaltyValues
from tb_regplugin.writing.arguments import (
    CopiedAsUnused,
    Names,
    check_options,
    describe,
    layout_of,
    path_of,
    split_losses,
)
from tb_regplugin.writing.blocks import BlockWriter

# How long the rings are left alone, in seconds: at first, at least and at most.
_FIRST_WAIT = 0.005
_MIN_WAIT, _MAX_WAIT = 0.001, 0.05
# How full a visit wants to find the fullest ring.
_WANTED_SHARE = 0.25


class Recorder(CopiedAsUnused):
    """Records what a loss is made of in a TF2 training loop of one's own.

    ``write`` may be called in eager code, in a ``tf.function`` and in one with
    ``jit_compile=True``, also in loops within them. Every step is recorded:

    - In eager code, a row is handed to the writer at once.
    - In a function, a row goes into a ring of variables on the device. A thread empties the ring
      every 50 ms, or more often where it fills up faster, and so do ``flush``, ``close`` and the
      end of the program. Nothing is lost as long as no more than ``ring_rows`` steps are recorded
      between two visits: by default 16,384, or what fits into 1 MiB, but at least 256.
    - Nobody can look into an XLA program while it runs. So where a loop of many steps is compiled
      with ``jit_compile=True``, choose ``ring_rows`` larger than the number of steps a call makes,
      and call ``flush`` after it when calls follow each other within milliseconds.

    If rows were overwritten all the same, a warning says how many. The wall times of rows from
    functions are spread evenly between two visits of the thread.

    Works outside of ``tf.distribute`` replicas: under a strategy, record what ``strategy.reduce``
    returns, outside of ``strategy.scope()``. TF1 sessions have ``RegularizationHook``.

    Args:
      log_dir: The run's directory, below the one that TensorBoard is given. May be remote.
      name: What the recording is called.
      every: Of which steps rows are kept: those that it divides.
      flush_secs: How long a row waits to be written, in seconds; grows to 1 % of the recorder's
        age, at most 120 s.
      ring_rows: How many rows of functions may wait for the thread.
      variables: The model's variables, to name penalties that are given as a list.

    Raises:
      ValueError: ``log_dir`` or ``name`` is empty, ``every`` or ``ring_rows`` is less than 1, or
        ``flush_secs`` is not positive.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> w = tf.Variable([1.0, 2.0])
      >>> with Recorder(tempfile.mkdtemp()) as recorder:
      ...     @tf.function(jit_compile=True)
      ...     def train_step(x):
      ...         data_loss = tf.reduce_mean((x * w - 1.0) ** 2)
      ...         penalty = 0.1 * tf.nn.l2_loss(w)
      ...         recorder.write(
      ...             data_loss=data_loss, penalties={"w": penalty}, total_loss=data_loss + penalty
      ...         )
      ...     for _ in range(10):
      ...         train_step(tf.ones([2]))
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        name: str = "losses",
        every: int = 1,
        flush_secs: float = 5.0,
        ring_rows: int | None = None,
        variables: Iterable[Any] = (),
    ) -> None:
        check_options(name=name, flush_secs=flush_secs, every=every, ring_rows=ring_rows)
        self._every = every
        self._variables = tuple(variables)
        self._fail_safe = FailSafe()
        writer = BlockWriter(path_of(log_dir), name, flush_secs)
        self._rings = _Rings(writer, self._fail_safe, ring_rows)
        self._layouts: dict[Names, Layout] = {}
        self._next_step: Any = None
        self._closed = False

    # AutoGraph would translate all of it, and everything it calls.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def write(
        self,
        step: Any = None,
        data_loss: Any = None,
        penalties: PenaltyValues[Any] | Sequence[Any] | None = None,
        total_loss: Any = None,
    ) -> None:
        """Records one training step.

        A value is a number or a tensor of one element, of any dtype that casts to float32.

        Args:
          step: The step's number, an integer scalar of up to 64 bits. Left out, the recorder
            counts its calls from 0. In a function, give a tensor: a Python number would be the
            same one in every call.
          data_loss: What the model pays on the data: one value, or the values of its parts, by name
            or by ``Term`` of the role ``"data"``.
          penalties: The penalty terms as they stand in the loss: values by name or ``Term``, or a
            list such as ``model.losses``. In a function, names, kinds and strengths of a list are
            found in its graph, with the recorder's ``variables``; elsewhere it is numbered.
          total_loss: The loss that the optimiser minimises. When given, the dashboard shows
            whether the parts add up to it; when left out, it shows their sum.

        Raises:
          TypeError: There is no ``data_loss``, the step is not an integer, or a value is no number.
          ValueError: A value has more than one element, two terms share a name, or the recorder
            is closed.
          RuntimeError: It is called in a TF1 graph.
        """
        if data_loss is None:
            raise TypeError(
                "write() needs a data_loss: one value, or the values of its named parts."
            )
        if self._closed:
            raise ValueError("The recorder is closed. Make a new one to go on recording.")
        if tf.distribute.has_strategy():
            self._fail_safe.run(_refuse_strategy)
        if self._fail_safe.failed:
            return
        if not tf.compat.v1.executing_eagerly_outside_functions():
            raise RuntimeError(
                "Recorder works in TF2. In a TF1 graph, use RegularizationHook or summary.op."
            )
        layout, values = self._columns(data_loss, penalties, total_loss)
        if step is None:
            if self._next_step is None:
                self._next_step = _new_counter()
            step = _count(self._next_step)
        if tf.executing_eagerly():
            step = _integer(step)
            if step % self._every == 0:
                self._rings.append_row(layout, step, stack_scalars(values).numpy().tolist())
            return
        number = tf.cast(tf.reshape(step, ()), tf.int64)
        # So that no gradient tape keeps the rows.
        row = tf.stop_gradient(stack_scalars(values))
        self._rings.push(layout, number, tf.equal(number % self._every, 0), row)

    def flush(self) -> None:
        """Returns when every row of calls that have returned is written."""
        self._rings.flush()

    def close(self) -> None:
        """Writes what waits and ends the recording. Closing again does nothing."""
        self._closed = True
        self._rings.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _columns(self, data_loss: Any, penalties: Any, total_loss: Any) -> tuple[Layout, list[Any]]:
        if penalties is not None and not isinstance(penalties, Mapping):
            terms = _list_of(penalties)
            penalties = dict(zip(describe_penalties(terms, self._variables), terms, strict=True))
        names, values = split_losses(data_loss, penalties, total_loss)
        layout = self._layouts.get(names)
        if layout is None:
            layout = self._layouts[names] = layout_of(names)
        check_scalars(layout, values)
        return layout, values


def _integer(step: Any) -> int:
    try:
        return int(step)
    except (TypeError, ValueError):
        raise TypeError(f"step must be an integer, not {describe(step)}") from None


def _list_of(penalties: Any) -> list[Any]:
    try:
        return list(penalties)
    except TypeError as error:
        raise TypeError(
            "penalties must be a mapping of names to values, or a list such as model.losses, not "
            f"{describe(penalties)}"
        ) from error


class _Rings:
    """A ring for each layout, emptied into a writer: as they fill, on request, at the end."""

    def __init__(self, writer: BlockWriter, fail_safe: FailSafe, ring_rows: int | None) -> None:
        self._writer = writer
        self._fail_safe = fail_safe
        self._ring_rows = ring_rows
        self._rings: dict[Layout, StepRing] = {}
        self._sequence: Any = None
        self._drained_at = 0.0
        # Of the fullest ring, at the last visit.
        self._share = 0.0
        self._has_written = False
        self._has_said_lost = False
        # Held while rows move, so that they keep their order.
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def push(self, layout: Layout, step: Any, is_recorded: Any, values: Any) -> None:
        """Adds a row, within a function; see ``StepRing.push``. The first one starts the thread."""
        with self._lock:
            ring = self._rings.get(layout)
            if ring is None:
                ring = self._rings[layout] = StepRing(self._ring_rows, len(layout.columns))
            if self._thread is None:
                self._sequence = _new_counter()
                self._drained_at = time.time()
                self._thread = threading.Thread(
                    target=self._run, name="tb_regplugin recorder", daemon=True
                )
                self._thread.start()
                atexit.register(self.close)
        ring.push(_count(self._sequence), step, is_recorded, values)

    def append_row(self, layout: Layout, step: int, row: list[float]) -> None:
        """Writes a row that comes after all those in the rings."""
        with self._lock:
            self._fail_safe.run(self._drain)
            self._writer.append_row(layout, step, time.time(), row)
            self._after_writing()

    def flush(self) -> None:
        """Empties the rings, and returns when their rows are written."""
        self._fail_safe.run(self._drain)
        self._writer.flush()

    def close(self) -> None:
        """Empties the rings and closes the writer. Closing again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._fail_safe.run(self._drain)
        self._writer.close()
        atexit.unregister(self.close)

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while not self._closing.wait(wait) and not self._fail_safe.failed:
            started = time.monotonic()
            self._fail_safe.run(self._drain)
            period = wait + time.monotonic() - started
            wanted = period * _WANTED_SHARE / self._share if self._share else 2 * wait
            wait = min(_MAX_WAIT, max(_MIN_WAIT, wanted))

    def _drain(self) -> None:
        with self._lock:
            started, self._drained_at = self._drained_at, time.time()
            before = 0 if self._sequence is None else int(self._sequence.numpy())
            rings = self._rings.items()
            drained = [(layout, ring.rows, ring.drain(before)) for layout, ring in rings]
            self._share = max((len(rows.steps) / size for _, size, rows in drained), default=0.0)
            filled = [(layout, rows) for layout, _, rows in drained if len(rows.steps)]
            if filled:
                self._append(filled, started)
                self._after_writing()
            lost = sum(rows.lost for _, _, rows in drained)
            if lost and not self._has_said_lost:
                self._has_said_lost = True
                warn(
                    f"tb_regplugin lost {lost} rows: compiled functions recorded more steps than "
                    "the ring holds before it could be emptied. Give Recorder a larger ring_rows."
                )

    def _append(self, filled: list[tuple[Layout, StepRows]], started: float) -> None:
        """Writes rows of several rings in the order in which those got them."""
        order = np.argsort(np.concatenate([rows.sequence for _, rows in filled]))
        counts = [len(rows.steps) for _, rows in filled]
        which = np.repeat(np.arange(len(filled)), counts)[order]
        places = np.concatenate([np.arange(count) for count in counts])[order]
        # When each row was computed, only the device knows.
        wall_times = np.linspace(started, self._drained_at, len(order) + 1)[1:]
        for run in runs(which):
            layout, rows = filled[which[run.start]]
            part = places[run]
            self._writer.append(layout, rows.steps[part], wall_times[run], rows.values[part])

    def _after_writing(self) -> None:
        if not self._has_written:
            self._has_written = True
            # What registered last is called first: this closes before the writer, whose hook is
            # there once it has written a row.
            atexit.unregister(self.close)
            atexit.register(self.close)


def _new_counter() -> Any:
    # Out of whatever function is being traced.
    with tf.init_scope():
        return tf.Variable(tf.zeros([], tf.int64), trainable=False)


def _count(counter: Any) -> Any:
    number = counter.read_value()
    counter.assign(number + 1)
    return number


def _refuse_strategy() -> None:
    raise RecordingError(
        "write() was called inside a distribution strategy. Reduce the losses with "
        "strategy.reduce() and call it outside of strategy.scope() and strategy.run()"
    )
