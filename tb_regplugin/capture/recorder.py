"""Recording from training loops of one's own in TF2."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.fail_safe import FailSafe, RecordingError
from tb_regplugin.capture.graph.decompose import describe_penalties
from tb_regplugin.capture.ring_drain import RingDrain
from tb_regplugin.capture.scalars import stack_scalars
from tb_regplugin.terms import Layout, Term
from tb_regplugin.writing.block_writer import BlockWriter
from tb_regplugin.writing.columns import layout_of


class Recorder:
    """Records what a loss is made of in a training loop of one's own.

    ``record`` may be called in eager code, in a ``tf.function`` and in one with
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
      flush_secs: How long a row waits to be written, in seconds; grows with the training's age.
      ring_rows: How many rows of functions may wait for the thread.
      variables: The model's variables, to name penalties that are given as a list.

    Raises:
      ValueError: ``name`` is empty, or a number is not positive.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> w = tf.Variable([1.0, 2.0])
      >>> with Recorder(tempfile.mkdtemp()) as recorder:
      ...     @tf.function(jit_compile=True)
      ...     def train_step(x):
      ...         data_loss = tf.reduce_mean((x * w - 1.0) ** 2)
      ...         penalty = 0.1 * tf.nn.l2_loss(w)
      ...         recorder.record(
      ...             total_loss=data_loss + penalty, data_loss=data_loss, penalties={"w": penalty}
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
        if not isinstance(name, str) or not name:
            raise ValueError(f"name must be a non-empty string, not {name!r}.")
        for option, value in (("every", every), ("ring_rows", ring_rows)):
            if value is not None and not value >= 1:
                raise ValueError(f"{option} must be a positive number, not {value}.")
        if not flush_secs > 0:
            raise ValueError(f"flush_secs must be a positive number of seconds, not {flush_secs}.")
        self._every = every
        self._variables = tuple(variables)
        self._fail_safe = FailSafe()
        self._writer = BlockWriter(os.fspath(log_dir), name, flush_secs)
        self._drain = RingDrain(self._writer, self._fail_safe, ring_rows)
        self._layouts: dict[Any, Layout] = {}
        self._next_step: Any = None
        self._sequence: Any = None
        self._closed = False

    # AutoGraph would translate all of it, and everything it calls.
    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
    def record(
        self,
        *,
        data_loss: Any,
        penalties: Mapping[str | Term, Any] | Sequence[Any],
        total_loss: Any = None,
        step: Any = None,
    ) -> None:
        """Records one training step.

        Args:
          data_loss: What the model pays on the data: a scalar, or the scalars of its named parts.
          penalties: The penalty terms as they stand in the loss: scalars by name or ``Term``, or
            a list such as ``model.losses``. In a function, names, kinds and strengths of a list
            are found in its graph, with the recorder's ``variables``; elsewhere it is numbered.
          total_loss: What the optimiser minimises. When given, the dashboard shows whether the
            parts add up to it.
          step: The step's number, a scalar. Left out, the recorder counts its calls from 0. In a
            function, give a tensor: a Python number would be the same one in every call.

        Raises:
          ValueError: A value is not a scalar, two terms share a name, or the recorder is closed.
        """
        if self._closed:
            raise ValueError("The recorder is closed.")
        if tf.distribute.has_strategy():
            self._fail_safe.run(_refuse_strategy)
        if self._fail_safe.failed:
            return
        if not tf.compat.v1.executing_eagerly_outside_functions():
            raise RuntimeError(
                "Recorder works in TF2. In a TF1 graph, use RegularizationHook or summary.op."
            )
        layout, values = self._columns(data_loss, penalties, total_loss)
        if tf.executing_eagerly():
            self._record_now(layout, values, step)
        else:
            self._record_in_function(layout, values, step)

    def flush(self) -> None:
        """Returns when every row of calls that have returned is written."""
        self._drain.drain()
        self._writer.flush()

    def close(self) -> None:
        """Writes what waits and ends the recording. Closing again does nothing."""
        self._closed = True
        self._drain.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _columns(self, data_loss: Any, penalties: Any, total_loss: Any) -> tuple[Layout, list[Any]]:
        parts = tuple(data_loss) if isinstance(data_loss, Mapping) else None
        if isinstance(penalties, Mapping):
            terms, terms_values = tuple(penalties), list(penalties.values())
        else:
            terms_values = list(penalties)
            terms = describe_penalties(terms_values, self._variables)
        names = (total_loss is not None, parts, terms)
        if names not in self._layouts:
            self._layouts[names] = layout_of(*names)
        values = [] if total_loss is None else [total_loss]
        values.extend([data_loss] if parts is None else data_loss.values())
        values.extend(terms_values)
        layout = self._layouts[names]
        for term, value in zip(layout.columns, values, strict=True):
            shape = tf.TensorShape(getattr(value, "shape", ()))
            if shape.is_fully_defined() and shape.num_elements() != 1:
                raise ValueError(f"{term.name!r} must be a scalar, not of shape {shape}.")
        return layout, values

    def _record_now(self, layout: Layout, values: list[Any], step: Any) -> None:
        if step is None:
            counter = self._counter()
            step = counter.numpy()
            counter.assign_add(1)
        step = int(step)
        if step % self._every == 0:
            self._drain.append_row(layout, step, _stack(values).numpy().tolist())

    def _record_in_function(self, layout: Layout, values: list[Any], step: Any) -> None:
        if step is None:
            counter = self._counter()
            number = counter.read_value()
            counter.assign(number + 1)
        else:
            number = tf.cast(tf.reshape(step, ()), tf.int64)
        if self._sequence is None:
            self._sequence = _new_counter()
        sequence = self._sequence.read_value()
        self._sequence.assign(sequence + 1)
        is_recorded = tf.equal(number % self._every, 0)
        self._drain.ring(layout).push(sequence, number, is_recorded, _stack(values))

    def _counter(self) -> Any:
        if self._next_step is None:
            self._next_step = _new_counter()
        return self._next_step


def _new_counter() -> Any:
    # Out of whatever function is being traced.
    with tf.init_scope():
        return tf.Variable(tf.zeros([], tf.int64), trainable=False)


def _stack(values: list[Any]) -> Any:
    # So that no gradient tape keeps the rows.
    return tf.stop_gradient(stack_scalars(values))


def _refuse_strategy() -> None:
    raise RecordingError(
        "record() was called inside of a distribution strategy. Reduce the losses with "
        "strategy.reduce() and call it outside of strategy.scope() and strategy.run()"
    )
