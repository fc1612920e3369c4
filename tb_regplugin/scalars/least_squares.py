"""Least squares of a few columns, without the threads that would wait for each other.

Columns are float64 arrays over the same steps, all of them finite.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.float64]

# Of columns that are nearly sums of each other any weights fit.
_LEAST_INDEPENDENCE = 1e-3


def are_independent(columns: Sequence[Column]) -> bool:
    """Whether no column can be a sum of others: told at once of all of them."""
    return independence(columns) > _LEAST_INDEPENDENCE


def independence(columns: Sequence[Column]) -> float:
    """Returns how far columns, each of length 1, are from being sums of others: from 0 to 1."""
    if not all(column.any() for column in columns) or len(columns[0]) < len(columns):
        return 0.0
    values = np.linalg.eigvalsh(scaled_products(columns)[1])
    # These are squares of what columns are independent by.
    return math.sqrt(max(values[0], 0.0) / values[-1])


def multiples(columns: Sequence[Column]) -> list[tuple[int, int]]:
    """Returns which columns are a constant times an earlier one, and which: they say the same."""
    if len(columns) < 2:
        return []
    found = []
    sizes, products = scaled_products(columns)
    for i, j in np.argwhere(np.triu(np.abs(products) > 1 - 1e-6, 1)).tolist():
        first, second = columns[i], columns[j]
        factor = products[i, j] * sizes[j] / sizes[i]
        off = np.abs(second - factor * first).max(initial=0)
        # Constants are multiples of each other, and say nothing.
        if np.ptp(first) and off <= 1e-6 * np.abs(second).max(initial=0):
            found.append((i, j))
    return found


def fit(total: Column, columns: Sequence[Column]) -> Column | None:
    """Returns the weights that fit best, or None where others would fit as well."""
    if not are_independent(columns):
        return None
    sizes, products = scaled_products([*columns, total])
    weights = np.linalg.solve(products[:-1, :-1], products[:-1, -1]) * sizes[-1] / sizes[:-1]
    return np.asarray(weights)


def weights_of_moves(total: Column, columns: Sequence[Column]) -> tuple[Column, Column, float]:
    """Returns the weights with which columns best explain how a total moves from step to step.

    With them, their standard deviations, and which share of the moves' squares is not explained.
    """
    sizes, products = scaled_products([np.diff(column) for column in (*columns, total)])
    inverse = np.linalg.pinv(products[:-1, :-1], hermitian=True)
    shares = inverse @ products[:-1, -1]
    unexplained = max(1 - float(products[-1, :-1] @ shares), 0.0)
    variance = unexplained / (len(total) - 1 - len(columns))
    scale = sizes[-1] / sizes[:-1]
    return shares * scale, np.sqrt(variance * np.diag(inverse)) * scale, unexplained


def signs(total: Column, columns: Sequence[Column]) -> list[float]:
    """Returns -1 for columns that are never positive and have a negative weight in the best fit."""
    _, products = scaled_products([*columns, total])
    fitted = np.linalg.lstsq(products[:-1, :-1], products[:-1, -1], rcond=None)[0]
    return [
        -1.0 if weight < 0 and column.max(initial=0) <= 0 else 1.0
        for column, weight in zip(columns, fitted.tolist(), strict=True)
    ]


def scaled_products(columns: Sequence[Column]) -> tuple[Column, Column]:
    """Returns what columns' lengths are, and the products of all of them, each of length 1.

    Of these few numbers linear algebra starts no threads, which would wait for each other.
    """
    matrix = np.stack(columns)
    sizes = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    sizes[sizes == 0] = 1.0
    matrix = matrix / sizes[:, np.newaxis]
    return sizes, np.einsum("ij,kj->ik", matrix, matrix)
