"""The values of one step as one tensor."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tb_regplugin.capture.graph.contribution import Contribution
from tb_regplugin.capture.graph.parts import Decomposition, Part
from tb_regplugin.finding import Finding
from tb_regplugin.terms import Layout, Term


class Row(NamedTuple):
    """A tensor of the values of one step, float32 ``[columns]``, and what they are."""

    layout: Layout
    values: Any


def build_row(decomposition: Decomposition, findings: tuple[Finding, ...] = ()) -> Row:
    """Adds the operations that put a loss and its parts into one row.

    The values are those of the very tensors that the loss is made of, so that they fit together
    although the weights move in the same step. One operation collects them, however many.
    """
    layout = Layout((Term("total", "total"), *map(term_of, decomposition.parts)), findings)
    contributions = [(0, Contribution(decomposition.total, [(1.0, ())]))]
    for column, part in enumerate(decomposition.parts, start=1):
        contributions.extend((column, contribution) for contribution in part.contributions)
    scalars, constants, columns = [], [], []
    for column, contribution in contributions:
        for constant, hyperparameters in contribution.factors:
            scalar = _scalar(contribution.tensor)
            for hyperparameter in hyperparameters:
                scalar = scalar * _scalar(hyperparameter)
            scalars.append(scalar)
            constants.append(constant)
            columns.append(column)
    values = tf.stack(scalars) * np.array(constants, np.float32)
    if columns != list(range(len(layout.columns))):
        values = tf.math.unsorted_segment_sum(values, columns, len(layout.columns))
    return Row(layout, values)


def _scalar(tensor: Any) -> Any:
    if tensor.dtype != tf.float32:
        tensor = tf.cast(tensor, tf.float32)
    return tensor if tensor.shape.rank == 0 else tf.reduce_sum(tensor)


def term_of(part: Part) -> Term:
    """Returns what a part is, without its tensors."""
    return Term(
        part.name,
        part.role,
        part.kind,
        part.strength,
        part.coefficient,
        part.variable,
        part.shape,
        part.size,
        part.entry,
        part.note,
    )
