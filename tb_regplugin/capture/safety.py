"""What keeps recording out of the way of the training that is recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tb_regplugin.notices import warn


class RecordingError(RuntimeError):
    """Something can't be recorded; the message says what and why."""


class FailSafe:
    """Runs functions of a recorder until one raises; that is one warning, and the last run.

    Example:
      >>> fail_safe = FailSafe()
      >>> fail_safe.run(print, "recorded")
      recorded
      >>> fail_safe.failed
      False
    """

    def __init__(self, what: str = "") -> None:
        self.failed = False
        self._what = f" {what}" if what else ""

    def run(self, function: Callable[..., object], *args: Any) -> None:
        """Calls a function, unless one has failed before."""
        if self.failed:
            return
        try:
            function(*args)
        except Exception as error:  # noqa: BLE001 - recording never breaks training
            self.failed = True
            reason = str(error) if isinstance(error, RecordingError) else repr(error)
            warn(f"tb_regplugin stopped recording{self._what}: {reason}. Your training goes on.")


@contextmanager
def overridden(instance: Any, **attributes: Any) -> Iterator[None]:
    """Sets attributes of one object for the length of a ``with`` block, and leaves no trace.

    It writes to the object's dictionary, because Keras tracks what is set in the usual way.

    Example:
      >>> class Model:
      ...     def loss(self):
      ...         return "its own"
      >>> model = Model()
      >>> with overridden(model, loss=lambda: "another"):
      ...     model.loss()
      'another'
      >>> model.loss(), vars(model)
      ('its own', {})
    """
    namespace = instance.__dict__
    before = {name: namespace[name] for name in attributes if name in namespace}
    namespace.update(attributes)
    try:
        yield
    finally:
        for name in attributes:
            namespace.pop(name, None)
        namespace.update(before)


def is_chief(strategy: Any = None, resolver: Any = None) -> bool:
    """Whether this process is the one of its cluster that writes the log.

    A resolver knows the cluster where the model's ``tf.distribute`` strategy has none of its own.
    """
    resolver = resolver or getattr(strategy, "cluster_resolver", None)
    if resolver is not None and resolver.task_type is not None:
        # Clusters of TF1's Estimators call their chief a master.
        heads = {"chief", "master"}
        if not resolver.task_id and heads.isdisjoint(resolver.cluster_spec().jobs):
            heads.add("worker")
        return resolver.task_type in heads
    # Never imported for the question's sake: what is not there runs no cluster.
    group = sys.modules.get("torch.distributed")
    if group is not None and group.is_available() and group.is_initialized():
        return int(group.get_rank()) == 0
    keras, jax = sys.modules.get("keras"), sys.modules.get("jax")
    if keras is not None and jax is not None and keras.config.backend() == "jax":
        return int(jax.process_index()) == 0
    return True
