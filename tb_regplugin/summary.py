"""Summaries of what a loss is made of, beside those of ``tf.summary``.

One call is one step: total, data loss and every penalty term in one event. For training with many
terms or steps, ``Recorder``, ``RegularizationHook`` and ``RegularizationCallback`` write less and
faster. TensorFlow is imported where it is used: ``losses_pb`` needs none.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from typing import Any, SupportsFloat

import numpy as np
from tensorboard.compat.proto import summary_pb2

from tb_regplugin import log_format
from tb_regplugin.frameworks import import_tensorflow
from tb_regplugin.terms import Layout, PenaltyValues
from tb_regplugin.writing.arguments import (
    check_options,
    describe,
    layout_of,
    say_bad_value,
    split_losses,
)

__all__ = ["losses", "losses_pb", "op"]

# Before a row's values: where its step and time lie beside its event's, which are its own.
_NO_OFFSETS = (0.0, 0.0)


def op(
    name: str,
    total_loss: Any,
    *,
    description: str | None = None,
    collections: Sequence[str] | None = None,
) -> Any:
    """Makes a TF1 summary operation of what a loss is made of, found by walking its graph.

    It joins ``tf.compat.v1.summary.merge_all``, and works with ``FileWriter``,
    ``MonitoredTrainingSession`` and ``SummarySaverHook``. Run it together with the train
    operation: its values then are those of that very step's loss. Collected terms that never
    reach the loss are recorded too, marked as such.

    Args:
      name: What the recording is called, prefixed with the active name scopes.
      total_loss: The loss that the optimiser minimises: a scalar tensor of any float dtype.
      description: A longer description, in Markdown.
      collections: Which collections it joins; ``[tf.GraphKeys.SUMMARIES]`` when left out.

    Returns:
      A scalar string tensor: the serialised ``Summary``.

    Raises:
      TypeError: ``total_loss`` is no tensor of a graph.
      ValueError: ``name`` is empty.

    Warns:
      UserWarning: A variable is in REGULARIZATION_LOSSES, or the loss is not a scalar.

    Example:
      >>> import tensorflow as tf
      >>> with tf.Graph().as_default():
      ...     w = tf.compat.v1.get_variable("w", [3])
      ...     loss = tf.reduce_mean(w * tf.random.normal([3])) + 0.1 * tf.nn.l2_loss(w)
      ...     summary = op("losses", loss)
      ...     merged = tf.compat.v1.summary.merge_all()
    """
    tf = import_tensorflow("summary.op")

    from tb_regplugin.capture.graph.audit import audit_and_warn
    from tb_regplugin.capture.graph.decompose import build_row, decompose

    check_options(name=name)
    if not hasattr(total_loss, "op"):
        raise TypeError(
            "summary.op needs a graph; in eager code, use summary.losses. "
            f"total_loss must be a tensor of a tf.Graph, not {describe(total_loss)}"
        )
    graph = total_loss.graph
    decomposition = decompose(total_loss)
    findings = audit_and_warn(decomposition)
    with graph.as_default():
        scope = graph.get_name_scope()
        tag = f"{scope}/{name}" if scope else name
        with tf.name_scope(re.sub(r"[^A-Za-z0-9_.\\/-]", "_", name).lstrip("_/-") or "losses"):
            row = build_row(decomposition, findings)
            metadata = log_format.rows_metadata(row.layout, description)
            summary = tf.raw_ops.TensorSummaryV2(
                tag=log_format.rows_tag(tag, log_format.layout_id(row.layout)),
                tensor=tf.pad(row.values[tf.newaxis], [[0, 0], [len(_NO_OFFSETS), 0]]),
                serialized_summary_metadata=metadata.SerializeToString(),
            )
        if collections is None:
            collections = [tf.compat.v1.GraphKeys.SUMMARIES]
        for collection in collections:
            graph.add_to_collection(collection, summary)
    return summary


def losses(
    name: str,
    data_loss: Any,
    penalties: PenaltyValues[Any] | None = None,
    total_loss: Any = None,
    step: Any = None,
    description: str | None = None,
) -> Any:
    """Writes what a loss is made of with the default writer, as ``tf.summary.scalar`` a scalar.

    A value is a number or a tensor of one element, of any dtype that casts to float32.

    Args:
      name: What the recording is called, prefixed with the active name scopes.
      data_loss: What the model pays on the data: one value, or the values of its parts, by name or
        by ``Term`` of the role ``"data"``.
      penalties: The penalty terms as they stand in the loss, by name or by ``Term``.
      total_loss: The loss that the optimiser minimises; the sum is shown when left out.
      step: The step's number, an integer that casts to int64;
        ``tf.summary.experimental.get_step()`` when left out.
      description: A longer description, in Markdown.

    Returns:
      A scalar bool tensor: whether it was written. It is not without a default writer, and not
      where ``tf.summary.record_if`` says so.

    Raises:
      TypeError: A value is no number.
      ValueError: There is a default writer and no step, a value has more than one element, a name
        is empty, or two terms share one.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> w = tf.Variable([1.0, 2.0])
      >>> with tf.summary.create_file_writer(tempfile.mkdtemp()).as_default():
      ...     for step in range(10):
      ...         _ = losses("losses", 0.5, {"w": 0.1 * tf.nn.l2_loss(w)}, step=step)
    """
    tf = import_tensorflow("summary.losses")

    # AutoGraph would translate all that it calls.
    write = tf.autograph.experimental.do_not_convert(_write_losses)
    return write(name, data_loss, penalties, total_loss, step, description)


def losses_pb(
    tag: str,
    data_loss: SupportsFloat | PenaltyValues[SupportsFloat],
    penalties: PenaltyValues[SupportsFloat] | None = None,
    total_loss: SupportsFloat | None = None,
    description: str | None = None,
) -> summary_pb2.Summary:
    """Makes the ``Summary`` of one step without TensorFlow, as TensorBoard's ``scalar_pb`` does.

    Args:
      tag: What the recording is called. The series' own tag adds an identifier of its columns.
      data_loss: What the model pays on the data: a number, or the numbers of its parts, by name or
        by ``Term`` of the role ``"data"``.
      penalties: The penalty terms as they stand in the loss, by name or by ``Term``.
      total_loss: The loss that the optimiser minimises; the sum is shown when left out.
      description: A longer description, in Markdown.

    Returns:
      A protocol buffer to put into an ``Event`` with the step's number and a wall time in
      seconds. Its one value is a float32 tensor ``[1, 2 + columns]``.

    Raises:
      TypeError: A value is not a number.
      ValueError: A name is empty, or two terms share one.

    Example:
      >>> losses_pb("losses", 0.5, {"kernel": 0.25}).value[0].tensor.tensor_shape.dim[1].size
      4
    """
    layout, values = _columns(tag, data_loss, penalties, total_loss)
    try:
        row = [*_NO_OFFSETS, *array("d", values)]
    except Exception as error:
        raise TypeError(say_bad_value(layout, values)) from error
    value = summary_pb2.Summary.Value(
        tag=log_format.rows_tag(tag, log_format.layout_id(layout)),
        metadata=log_format.rows_metadata(layout, description),
        tensor=log_format.rows_tensor(np.array([row], np.float32)),
    )
    return summary_pb2.Summary(value=[value])


def _write_losses(
    name: str, data_loss: Any, penalties: Any, total_loss: Any, step: Any, description: str | None
) -> Any:
    import tensorflow as tf

    from tb_regplugin.capture.step_ring import check_scalars, stack_scalars

    layout, values = _columns(name, data_loss, penalties, total_loss)
    check_scalars(layout, values)

    def row() -> Any:
        return stack_scalars([*_NO_OFFSETS, *values])[tf.newaxis]

    in_scope = [value for value in (*values, step) if value is not None]
    scope = tf.summary.experimental.summary_scope
    with scope(name, "regularization_summary", values=in_scope) as (tag, _):
        return tf.summary.write(
            log_format.rows_tag(tag, log_format.layout_id(layout)),
            row,
            step=step,
            metadata=log_format.rows_metadata(layout, description),
        )


def _columns(
    name: str, data_loss: Any, penalties: Any, total_loss: Any
) -> tuple[Layout, list[Any]]:
    check_options(name=name)
    names, values = split_losses(data_loss, penalties, total_loss)
    return layout_of(names), values
