"""Recording from TF1 graphs in sessions."""

from __future__ import annotations

import copy
import functools
import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import tensorflow as tf

from tb_regplugin.capture.graph.audit import audit_and_warn
from tb_regplugin.capture.graph.decompose import build_row, decompose
from tb_regplugin.capture.graph.gradients import Gradients
from tb_regplugin.capture.graph.training_runs import RunEffect, TrainingRuns
from tb_regplugin.capture.safety import FailSafe, is_chief
from tb_regplugin.findings.forms import listed
from tb_regplugin.notices import warn
from tb_regplugin.writing.arguments import CopiedAsUnused, check_options, path_of
from tb_regplugin.writing.blocks import BlockWriter


class _Fetches(dict[str, Any]):
    """What a call fetches for a hook.

    ``session.run`` returns dicts of the type that it is given, with values in place of tensors, and
    makes them before any hook's ``after_run``: one that comes first in the list, such as
    ``NanTensorHook``, may raise there, and those behind it are not called.
    """

    # Of each hook's own subclass: takes the values.
    receive: Callable[[dict[str, Any]], None]

    def __init__(self, values: Iterable[tuple[str, Any]] = ()) -> None:
        super().__init__(values)
        if self:
            self.receive(self)


class RegularizationHook(CopiedAsUnused, tf.compat.v1.train.SessionRunHook):  # type: ignore[misc]
    """Records what a TF1 loss is made of at each training step of a ``MonitoredSession``.

    Total, data loss and every penalty term are fetched in the same ``session.run`` as the train
    operation, from the tensors that the loss is made of, as one row of float32. A call trains the
    loss if it updates variables by the loss's gradients; all others are passed over, such as
    those that evaluate, load weights, or train another network. Nothing runs that the call
    would not run anyway. A row has the number of the global step before the call adds to it, so
    the loss of the first weights is that of step 0; where there is no global step, or several
    rows come at one, it counts on by itself. Of several workers, only the chief records.

    It never raises into a training. What cannot be recorded, and what is wrong with the way
    penalties reach the loss, is said once, in a warning.

    Args:
      log_dir: The run's directory, below the one that TensorBoard is given. May be remote.
      total_loss: The loss that the optimiser minimises: a scalar ``tf.Tensor`` of any float type,
        of the graph that the session runs.
      name: The recording's name.
      train_op: Which calls train the loss: those that run this operation, tensor, or one of these.
        Needed only where gradients are calculated by other means than ``tf.gradients``, which
        optimisers use.
      every: Of which steps rows are kept: those that it divides.
      flush_secs: How long a row waits to be written, in seconds; grows with the training's age.
      is_chief: Whether this process records. Left out, that of the cluster in the environment's
        ``TF_CONFIG`` which is its chief does.

    Raises:
      ValueError: ``log_dir`` or ``name`` is empty, or ``every`` or ``flush_secs`` is not positive.

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
        train_op: Any = None,
        every: int = 1,
        flush_secs: float = 5.0,
        is_chief: bool | None = None,
    ) -> None:
        check_options(name=name, every=every, flush_secs=flush_secs)
        # It makes nothing before the first row, nor a thread.
        self._writer = BlockWriter(path_of(log_dir), name, flush_secs)
        self._every = every
        self._total_loss = total_loss
        self._is_chief = is_chief
        self._fail_safe = FailSafe()
        self._train_op = train_op
        self._runs: TrainingRuns | None = None
        # The global step before the next call, and the last row's step.
        self._now, self._last_step = 0, -1
        self._effect = RunEffect()
        self._global_step: Any = None
        receive = staticmethod(functools.partial(self._fail_safe.run, self._record))
        self._make_fetches: Callable[[], _Fetches] = type(
            "Fetches", (_Fetches,), {"receive": receive}
        )
        self._fetches = self._make_fetches()
        self._seemed_to_train = self._trained = self._has_warned = False

    def __deepcopy__(self, memo: object) -> RegularizationHook:
        # The loss stays that of its graph.
        return copy.copy(self)

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
        self._decomposition = decompose(self._total_loss)
        findings = audit_and_warn(self._decomposition)
        with graph.as_default(), tf.name_scope("tb_regplugin"):
            self._row = build_row(self._decomposition, findings)
            step = tf.compat.v1.train.get_global_step(graph)
            self._global_step = None if step is None else tf.identity(step)

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Takes up the global step of a new session, which may come from a checkpoint."""
        if self._is_chief:
            self._fail_safe.run(self._start, session)

    def _start(self, session: Any) -> None:
        total = self._total_loss
        # By now the graph is complete.
        gradients = Gradients(total, self._decomposition.terms)
        self._runs = TrainingRuns(total, self._row.values, gradients, self._train_op)
        if self._global_step is not None:
            self._read_step(session)

    def _read_step(self, session: Any) -> None:
        self._now = int(session.run(self._global_step))

    def before_run(self, run_context: Any) -> Any:
        """Asks for the row along with what a training step fetches."""
        self._effect, self._fetches = RunEffect(), self._make_fetches()
        if self._runs is not None:
            self._fail_safe.run(self._look_at, run_context.original_args)
        return tf.compat.v1.train.SessionRunArgs(self._fetches) if self._fetches else None

    def _look_at(self, call: Any) -> None:
        assert self._runs is not None
        self._effect = self._runs.effect_of(call.fetches, call.feed_dict or ())
        if not self._effect.trains:
            return
        if self._global_step is not None:
            self._fetches["global_step"] = self._global_step
        if self._effect.missing:
            self._warn(
                f"a call that trains the loss runs without {listed(self._effect.missing)}, which "
                "the loss needs, so its step is not recorded. Fetch the loss in the same "
                "session.run as the train operation; if another call trains it, pass that one's "
                "train_op="
            )
        elif max(self._now, self._last_step + 1) % self._every == 0:
            self._fetches["row"] = self._row.values

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Notes what a call did that fetched nothing for it; what it fetched is there already.

        A global step that moved by nobody knows how much is read again, after the call.
        """
        if not self._fetches:
            self._fail_safe.run(self._record, {})
        if self._effect.increment is None:
            self._fail_safe.run(self._read_step, run_context.session)

    def _record(self, results: dict[str, Any]) -> None:
        """Takes up what a call did, and hands its row to the writer."""
        effect, before = self._effect, self._now
        # Weights are loaded for evaluation, too; the global step counts trainings alone.
        moves = effect.writes if self._global_step is None else bool(effect.increment)
        self._seemed_to_train |= moves
        self._now += effect.increment or 0
        if not effect.trains:
            return
        self._trained = True
        step = max(before, self._last_step + 1)
        if self._global_step is None:
            self._now = step + 1
        else:
            # Read before or after the addition, nobody knows. Anything else means that it was
            # moved from elsewhere: by other workers, or by restoring a checkpoint.
            read = int(results["global_step"])
            if effect.increment is not None and not before <= read <= self._now:
                step = read if read < before else max(read, step)
                self._now = read + effect.increment
        if "row" in results:
            self._writer.append_row(self._row.layout, step, time.time(), results["row"].tolist())
        self._last_step = step

    def _warn(self, what: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            warn(f"tb_regplugin: {what}.", UserWarning)

    def end(self, session: Any) -> None:
        """Writes what waits and ends the recording."""
        if self._seemed_to_train and not (self._trained or self._fail_safe.failed):
            self._warn(
                "nothing was recorded: no call of session.run applied this loss's gradients to "
                "trainable variables. Pass the operation that trains it as train_op="
            )
        self._fail_safe.run(self._writer.close)
