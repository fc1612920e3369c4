"""The TF1 summary operation of a loss's parts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from tb_regplugin import log_format
from tb_regplugin.capture.graph.audit_once import audit_and_warn
from tb_regplugin.capture.graph.decompose import decompose
from tb_regplugin.capture.graph.row import build_row


def summary_op(
    name: str, total_loss: Any, description: str | None, collections: Sequence[str] | None
) -> Any:
    """Adds the operation to the loss's graph. See ``tb_regplugin.summary.op``."""
    graph = total_loss.graph
    decomposition = decompose(total_loss)
    findings = audit_and_warn(decomposition, stacklevel=3)
    with graph.as_default():
        scope = graph.get_name_scope()
        tag = f"{scope}/{name}" if scope else name
        with tf.name_scope(re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name).lstrip("_/-") or "losses"):
            row = build_row(decomposition, findings)
            # A series of rows has their offsets, here none, in front.
            block = tf.pad(row.values[tf.newaxis], [[0, 0], [2, 0]])
            summary = tf.raw_ops.TensorSummaryV2(
                tag=log_format.rows_tag(tag, log_format.layout_id(row.layout)),
                tensor=block,
                serialized_summary_metadata=log_format.rows_metadata(
                    row.layout, description
                ).SerializeToString(),
            )
        for collection in (
            [tf.compat.v1.GraphKeys.SUMMARIES] if collections is None else collections
        ):
            graph.add_to_collection(collection, summary)
    return summary
