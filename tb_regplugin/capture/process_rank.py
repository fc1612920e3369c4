"""Which of several training processes writes the log."""

from __future__ import annotations

import sys
from typing import Any


def is_chief(strategy: Any = None, resolver: Any = None) -> bool:
    """Whether this process is the one of its cluster that writes.

    Args:
      strategy: The model's ``tf.distribute`` strategy, where it has one.
      resolver: What knows the cluster, where that is not the strategy's own.
    """
    resolver = resolver or getattr(strategy, "cluster_resolver", None)
    if resolver is not None and resolver.task_type is not None:
        # Clusters of TF1's Estimators call their chief a master.
        heads = {"chief", "master"}
        if heads.isdisjoint(resolver.cluster_spec().jobs):
            heads = {*heads, "worker"} if not resolver.task_id else heads
        return resolver.task_type in heads
    # Never imported for the question's sake: what is not there runs no cluster.
    group = sys.modules.get("torch.distributed")
    if group is not None and group.is_available() and group.is_initialized():
        return int(group.get_rank()) == 0
    if _is_jax_cluster():
        return int(sys.modules["jax"].process_index()) == 0
    return True


def _is_jax_cluster() -> bool:
    keras, jax = sys.modules.get("keras"), sys.modules.get("jax")
    return keras is not None and jax is not None and keras.config.backend() == "jax"
