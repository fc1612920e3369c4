"""Recording from TF1 graphs in sessions."""

from __future__ import annotations

import os
import time
from typing import Any, NamedTuple

import tensorflow as tf

from tb_regplugin.capture.graph.audit import audit_and_warn
from tb_regplugin.capture.graph.decompose import build_row, decompose
from tb_regplugin.capture.graph.operations import VARIABLES, Operation, constant
from tb_regplugin.capture.graph.sources import backwards, operands
from tb_regplugin.capture.safety import FailSafe, is_chief
from tb_regplugin.writing.arguments import check_options
from tb_regplugin.writing.blocks import BlockWriter


class RegularizationHook(tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Records what a TF1 loss is made of at each training step of a ``MonitoredSession``.

    Total, data loss and every penalty term are fetched in the same ``session.run`` as the train
    operation, from the tensors that the loss is made of, as one row of float32. Calls that do not
    change a trainable variable are passed over. A row has the number of the global step before
    the step adds to it, so the loss of the first weights is that of step 0; without a global step
    it counts itself. Of several workers, only the chief records.

    It never raises into a training. What cannot be recorded, and what is wrong with the way
    penalties reach the loss, is said once, in a warning.

    Args:
      log_dir: The run's directory, below the one that TensorBoard is given. May be remote.
      total_loss: The loss that the optimiser minimises: a scalar ``tf.Tensor`` of any float type,
        of the graph that the session runs.
      name: The recording's name.
      every: Of which steps rows are kept: those that it divides.
      flush_secs: How long a row waits to be written, in seconds; grows with the training's age.
      is_chief: Whether this process records. Left out, that of the cluster in the environment's
        ``TF_CONFIG`` which is its chief does.

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
        # It makes nothing before the first row, nor a thread.
        self._writer = BlockWriter(os.fspath(log_dir), name, flush_secs)
        self._every = every
        self._total_loss = total_loss
        self._is_chief = is_chief
        self._fail_safe = FailSafe()
        self._runs: _TrainingRuns | None = None
        self._next_step = 0
        self._effect = _RunEffect()
        self._fetches: dict[str, Any] = {}

    def begin(self) -> None:
        """Adds what is needed to the graph, before it is finalised."""
        self._fail_safe.run(self._begin)

    def _begin(self) -> None:
        if self._is_chief is None:
            cluster = tf.distribute.cluster_resolver.TFConfigClusterResolver()
            self._is_chief = is_chief(resolver=cluster)
        if not self._is_chief:
            return
        graph = self._total_loss.graph
        decomposition = decompose(self._total_loss)
        findings = audit_and_warn(decomposition, stacklevel=4)
        with graph.as_default(), tf.name_scope("tb_regplugin"):
            self._row = build_row(decomposition, findings)
            step = tf.compat.v1.train.get_global_step(graph)
            self._global_step = None if step is None else tf.identity(step)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Takes up the global step of a new session, which may come from a checkpoint."""
        if self._is_chief:
            self._fail_safe.run(self._start, session)

    def _start(self, session: Any) -> None:
        self._runs = _TrainingRuns(session.graph)
        if self._global_step is not None:
            self._next_step = int(session.run(self._global_step))

    def before_run(self, run_context: Any) -> Any:
        """Asks for the row along with what a training step fetches."""
        self._effect, self._fetches = _RunEffect(), {}
        if self._runs is not None:
            self._fail_safe.run(self._look_at, run_context)
        return tf.compat.v1.train.SessionRunArgs(self._fetches) if self._fetches else None

    def _look_at(self, run_context: Any) -> None:
        assert self._runs is not None
        self._effect = self._runs.effect_of(run_context.original_args.fetches)
        if self._effect.trains and self._global_step is not None:
            self._fetches["global_step"] = self._global_step
        if self._effect.trains and self._next_step % self._every == 0:
            self._fetches["row"] = self._row.values

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Hands the row to the writer."""
        if self._effect.trains and not self._fail_safe.failed:
            self._fail_safe.run(self._record, run_values.results or {})

    def _record(self, results: dict[str, Any]) -> None:
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
            self._writer.append_row(self._row.layout, step, time.time(), results["row"].tolist())
        self._next_step = step + increment

    def end(self, session: Any) -> None:
        """Writes what waits and ends the recording."""
        self._fail_safe.run(self._writer.close)


class _RunEffect(NamedTuple):
    """Whether a call of ``session.run`` changes trainable variables; what the global step gains."""

    trains: bool = False
    increment: int = 0


class _TrainingRuns:
    """Tells training from evaluation by what a call fetches from a complete graph.

    A session's hooks see each call, and a loss asked for in a call that only evaluates something
    else would fail for want of its placeholders.
    """

    def __init__(self, graph: Any) -> None:
        self._graph = graph
        global_step = tf.compat.v1.train.get_global_step(graph)
        self._global_step = None if global_step is None else _variable_op(global_step)
        trainable = graph.get_collection(tf.compat.v1.GraphKeys.TRAINABLE_VARIABLES)
        self._trainable = {_variable_op(variable) for variable in trainable}
        self._memo: dict[tuple[Operation, ...], _RunEffect] = {}

    def effect_of(self, fetches: Any) -> _RunEffect:
        """Returns what a call does that fetches these."""
        elements = [
            self._graph.as_graph_element(fetch)
            for fetch in tf.nest.flatten(fetches, expand_composites=True)
            if fetch is not None
        ]
        operations = tuple(getattr(element, "op", element) for element in elements)
        if operations in self._memo:
            return self._memo[operations]
        trains, increment = False, 0
        for op in backwards(operations, lambda op: [*operands(op), *op.control_inputs]):
            for written in _written_variables(op):
                trains = trains or written in self._trainable
                adds = op.type in ("AssignAdd", "AssignAddVariableOp")
                if written is self._global_step and adds:
                    increment += int(constant(op.inputs[1]) or 0)
        effect = self._memo[operations] = _RunEffect(trains, increment)
        return effect


def _variable_op(variable: Any) -> Operation:
    # Keras wraps TensorFlow's variables.
    return variable.op if hasattr(variable, "op") else variable.value.op


def _written_variables(op: Operation) -> list[Operation]:
    """Returns the variables that an operation may write through its inputs."""
    if op.type in VARIABLES or op.type in ("ReadVariableOp", "Identity"):
        return []
    return [
        operand.op
        for operand in op.inputs
        # TF1's reference variables are written through references.
        if operand.op.type in VARIABLES
        and (operand.dtype == tf.resource or operand.dtype != operand.dtype.base_dtype)
    ]
