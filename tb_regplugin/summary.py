"""Summaries of what a loss is made of, beside those of ``tf.summary``.

One call is one step: total, data loss and every penalty term in one event. For training with many
terms or steps, ``Recorder``, ``RegularizationHook`` and ``RegularizationCallback`` write less and
faster. TensorFlow is imported where it is used: ``pb`` needs none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import numpy as np
from tensorboard.compat.proto import summary_pb2, tensor_pb2, types_pb2

from tb_regplugin import log_format
from tb_regplugin.terms import Term
from tb_regplugin.writing.columns import layout_of

__all__ = ["op", "pb", "penalties"]


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
      total_loss: What the optimiser minimises: a scalar tensor.
      description: A longer description, in Markdown.
      collections: Which collections it joins; ``[tf.GraphKeys.SUMMARIES]`` when left out.

    Returns:
      A scalar string tensor: the serialised ``Summary``.

    Raises:
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
    from tb_regplugin.capture.graph.hook import summary_op

    _check_name(name)
    return summary_op(name, total_loss, description, collections)


def penalties(
    name: str,
    data_loss: Any,
    penalties: Mapping[str | Term, Any],
    total_loss: Any = None,
    step: Any = None,
    description: str | None = None,
) -> Any:
    """Writes what a loss is made of, as ``tf.summary.scalar`` writes a scalar.

    Args:
      name: What the recording is called, prefixed with the active name scopes.
      data_loss: What the model pays on the data: a scalar, or the scalars of its named parts.
      penalties: The penalty terms as they stand in the loss, by name or by ``Term``.
      total_loss: The loss that the optimiser minimises; the sum is shown when left out.
      step: The step's number; ``tf.summary.experimental.get_step()`` when left out.
      description: A longer description, in Markdown.

    Returns:
      A bool tensor: whether it was written. It is not without a default writer, and not where
      ``tf.summary.record_if`` says so.

    Raises:
      ValueError: There is a default writer and no step, a name is empty, or two terms share one.

    Example:
      >>> import tempfile
      >>> import tensorflow as tf
      >>> w = tf.Variable([1.0, 2.0])
      >>> with tf.summary.create_file_writer(tempfile.mkdtemp()).as_default():
      ...     for step in range(10):
      ...         _ = penalties("losses", 0.5, {"w": 0.1 * tf.nn.l2_loss(w)}, step=step)
    """
    from tb_regplugin.capture.row_summary import write_row

    _check_name(name)
    layout, values = _columns(data_loss, penalties, total_loss)
    return write_row(name, layout, values, step, log_format.rows_metadata(layout, description))


def pb(
    name: str,
    data_loss: SupportsFloat | Mapping[str, SupportsFloat],
    penalties: Mapping[str | Term, SupportsFloat],
    total_loss: SupportsFloat | None = None,
    description: str | None = None,
) -> summary_pb2.Summary:
    """Makes the ``Summary`` of one step, without TensorFlow.

    Args:
      name: What the recording is called.
      data_loss: What the model pays on the data: a number, or the numbers of its named parts.
      penalties: The penalty terms as they stand in the loss, by name or by ``Term``.
      total_loss: The loss that the optimiser minimises; the sum is shown when left out.
      description: A longer description, in Markdown.

    Returns:
      A protocol buffer to put into an ``Event`` with the step's number and a wall time.

    Raises:
      TypeError: A value is not a number.
      ValueError: A name is empty, or two terms share one.

    Example:
      >>> pb("losses", 0.5, {"kernel": 0.25}).value[0].tensor.tensor_shape.dim[1].size
      4
    """
    _check_name(name)
    layout, values = _columns(data_loss, penalties, total_loss)
    row = np.array([[0.0, 0.0, *(float(value) for value in values)]], "<f4")
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=row.tobytes())
    for size in row.shape:
        tensor.tensor_shape.dim.add(size=size)
    value = summary_pb2.Summary.Value(
        tag=log_format.rows_tag(name, log_format.layout_id(layout)),
        metadata=log_format.rows_metadata(layout, description),
        tensor=tensor,
    )
    return summary_pb2.Summary(value=[value])


def _columns(data_loss: Any, penalties: Mapping[str | Term, Any], total_loss: Any) -> Any:
    parts = tuple(data_loss) if isinstance(data_loss, Mapping) else None
    layout = layout_of(total_loss is not None, parts, tuple(penalties))
    values = [] if total_loss is None else [total_loss]
    values.extend([data_loss] if parts is None else data_loss.values())
    values.extend(penalties.values())
    return layout, values


def _check_name(name: str) -> None:
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a non-empty string, not {name!r}.")
