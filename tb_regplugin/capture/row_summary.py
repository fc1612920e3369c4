"""Writing one step with the default writer of ``tf.summary``."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from tb_regplugin import log_format
from tb_regplugin.capture.scalars import stack_scalars
from tb_regplugin.terms import Layout


@tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]
def write_row(name: str, layout: Layout, values: list[Any], step: Any, metadata: Any) -> Any:
    """Writes a row. See ``tb_regplugin.summary.penalties``."""

    def row() -> Any:
        # A series of rows has their offsets, here none, in front.
        return stack_scalars([0.0, 0.0, *values])[tf.newaxis]

    in_scope = [value for value in (*values, step) if value is not None]
    scope = tf.summary.experimental.summary_scope
    with scope(name, "regularization_summary", values=in_scope) as (tag, _):
        return tf.summary.write(
            log_format.rows_tag(tag, log_format.layout_id(layout)),
            row,
            step=step,
            metadata=metadata,
        )
