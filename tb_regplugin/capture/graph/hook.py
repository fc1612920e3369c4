"""Recording from sessions of TF1."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import numpy as np
import tensorflow as tf

from tb_regplugin.capture.graph.audit_once import audit_and_warn
from tb_regplugin.capture.graph.decompose import decompose
from tb_regplugin.capture.graph.row import Row, build_row
from tb_regplugin.capture.graph.training_runs import RunEffect, TrainingRuns
from tb_regplugin.capture.safety import FailSafe
from tb_regplugin.writing.arguments import check_options
from tb_regplugin.writing.blocks import BlockWriter


class RegularizationHook(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Records what a TF1 loss is made of at each training step of a ``MonitoredSession``.

    Total, data loss and every penalty term are fetched in the same ``session.run`` as the train
    operation, from the tensors that the loss is made of. Calls that do not change a trainable
    variable are passed over. A row has the number of the global step before the step adds to it,
    so the loss of the first weights is that of step 0; without a global step it counts itself.
    Of several workers, only the chief records.

    It never raises into a training. What cannot be recorded is said once, in a warning.

    Args:
      log_dir: The run's directory, below the one that TensorBoard is given. May be remote.
      total_loss: What the optimiser minimises, a scalar tensor.
      name: What the recording is called.
      every: Of which steps rows are kept: those that it divides.
      flush_secs: How long a row waits to be written, in seconds; grows with the training's age.
      is_chief: Whether this process records; found in the environment's ``TF_CONFIG`` when left
        out.

    Raises:
      ValueError: ``name`` is empty, or ``every`` or ``flush_secs`` is not positive.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> from tb_regplugin import RegularizationHook
      >>> tf1 = tf.compat.v1
      >>> with tf.Graph().as_default():
      ...     w = tf1.get_variable("w", [3])
      ...     loss = tf.reduce_mean(w * tf.random.normal([3])) + 0.1 * tf.nn.l2_loss(w)
      ...     train = tf1.train.GradientDescentOptimizer(0.1).minimize(loss)
      ...     hook = RegularizationHook(tempfile.mkdtemp(), loss)
      ...     with tf1.train.SingularMonitoredSession(hooks=[hook]) as session:
      ...         for _ in range(10):
      ...             _ = session.run(train)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        total_loss: Any,
        *,
        name: str = "losses",
        every: int = 1,
        flush_secs: float = 5.0,
        is_chief: bool | None = None,
    ) -> None:
        check_options(name=name, every=every, flush_secs=flush_secs)
        self._options = (os.fspath(log_dir), name, flush_secs)
        self._every = every
        self._total_loss = total_loss
        self._is_chief = _is_chief() if is_chief is None else is_chief
        self._fail_safe = FailSafe()
        self._row: Row | None = None
        self._global_step: Any | None = None
        self._writer: BlockWriter | None = None
        self._runs: TrainingRuns | None = None
        self._next_step = 0
        self._effect = RunEffect(trains=False, increment=0)

    def begin(self) -> None:
        """Adds what is needed to the graph, before it is finalised."""
        if self._is_chief:
            self._fail_safe.run(self._begin)

    def _begin(self) -> None:
        graph = self._total_loss.graph
        decomposition = decompose(self._total_loss)
        findings = audit_and_warn(decomposition, stacklevel=4)
        with graph.as_default(), tf.name_scope("tb_regplugin"):
            self._row = build_row(decomposition, findings)
            step = tf.compat.v1.train.get_global_step(graph)
            self._global_step = None if step is None else tf.identity(step)
        self._writer = BlockWriter(*self._options)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Takes up the global step of a new session, which may come from a checkpoint."""
        if self._row is not None:
            self._fail_safe.run(self._start, session)

    def _start(self, session: Any) -> None:
        step = tf.compat.v1.train.get_global_step(session.graph)
        self._runs = TrainingRuns(session.graph, step)
        if self._global_step is not None:
            self._next_step = int(session.run(self._global_step))

    def before_run(self, run_context: Any) -> Any:
        """Asks for the row along with what a training step fetches."""
        self._effect = RunEffect(trains=False, increment=0)
        if self._runs is not None:
            self._fail_safe.run(self._look_at, run_context)
        if self._fail_safe.failed or self._row is None or not self._effect.trains:
            return None
        fetches = {}
        if self._global_step is not None:
            fetches["global_step"] = self._global_step
        if self._next_step % self._every == 0:
            fetches["row"] = self._row.values
        return tf.compat.v1.train.SessionRunArgs(fetches) if fetches else None

    def _look_at(self, run_context: Any) -> None:
        assert self._runs is not None
        self._effect = self._runs.effect_of(run_context.original_args.fetches)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Hands the row to the writer."""
        if self._effect.trains and not self._fail_safe.failed:
            self._fail_safe.run(self._record, run_values.results or {})

    def _record(self, results: dict[str, Any]) -> None:
        assert self._row is not None
        assert self._writer is not None
        step, increment = self._next_step, self._effect.increment
        if self._global_step is None:
            increment = 1
        else:
            # Read before or after the addition, nobody knows. Anything else means that it was
            # moved from elsewhere: by other workers, or by restoring a checkpoint.
            read = int(results["global_step"])
            if not step <= read <= step + increment:
                step = read
        if "row" in results:
            self._writer.append_row(
                self._row.layout, step, time.time(), np.asarray(results["row"]).tolist()
            )
        self._next_step = step + increment

    def end(self, session: Any) -> None:
        """Writes what waits and ends the recording."""
        if self._writer is not None:
            self._fail_safe.run(self._writer.close)


def _is_chief() -> bool:
    """Whether this process writes, by the cluster that ``TF_CONFIG`` describes."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        task = config.get("task", {})
        cluster = config.get("cluster", {})
    except (ValueError, AttributeError):
        return True
    if task.get("type", "chief") in ("chief", "master"):
        return True
    has_chief = "chief" in cluster or "master" in cluster
    return bool(task["type"] == "worker" and not task.get("index") and not has_chief)
