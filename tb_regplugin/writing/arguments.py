"""What every recorder takes from its caller: its options, and the losses of a step."""

from __future__ import annotations

import functools
import math
import os
from array import array
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Protocol

import numpy as np

from tb_regplugin.terms import Layout, PenaltyValues, Term

_TOTAL = Term("total", role="total")
# The column of a data loss without named parts.
DATA = Term("data", role="data")

# Whether there is a total, the names or terms of the data loss's parts (None where it is one
# number), and those of the penalties: what a layout is made of.
Names = tuple[bool, tuple[str | Term, ...] | None, tuple[str | Term, ...]]


class Array(Protocol):
    """What the arrays of NumPy, PyTorch, JAX and TensorFlow have in common."""

    @property
    def shape(self) -> Any:
        """How long it is in each dimension."""


class CopiedAsUnused:
    """Its copies, also deep ones and those by ``pickle``, are new objects of the same arguments.

    Programs that try several settings copy what records, and threads and open files can't be.
    """

    _arguments: tuple[tuple[Any, ...], dict[str, Any]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        init = cls.__dict__.get("__init__")
        if init is None:
            return

        @functools.wraps(init)
        def remember_and_init(self: CopiedAsUnused, *args: Any, **kwargs: Any) -> None:
            # The outermost comes first: it is a subclass' that is made anew.
            self.__dict__.setdefault("_arguments", (args, kwargs))
            init(self, *args, **kwargs)

        # In place, for signatures and help. To a checker, a class never gets another __init__.
        cls.__init__ = remember_and_init  # type: ignore[method-assign, assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        args, kwargs = self._arguments
        return functools.partial(type(self), *args, **kwargs), ()


def check_options(
    *, name: object = "losses", flush_secs: float = 5.0, **counts: float | None
) -> None:
    """Refuses options of a recorder that cannot be meant; counts must be 1 or more, or None.

    Raises:
      ValueError: The name is no string or empty, or a number is none or too small.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a non-empty string, not {name!r}.")
    if not isinstance(flush_secs, Real) or not flush_secs > 0:
        raise ValueError(f"flush_secs must be positive, in seconds, not {flush_secs!r}.")
    for option, count in counts.items():
        if count is not None and not (isinstance(count, Real) and count >= 1):
            raise ValueError(f"{option} must be 1 or more, not {count!r}.")


def path_of(log_dir: object) -> str:
    """Returns a directory as a string.

    Raises:
      TypeError: It is no path.
      ValueError: It is empty, as an environment variable may be.
    """
    if not isinstance(log_dir, (str, os.PathLike)):
        raise TypeError(f"log_dir must be a path, such as 'logs/first', not {describe(log_dir)}")
    if not os.fspath(log_dir):
        raise ValueError("log_dir must be a path, such as 'logs/first', not empty.")
    return os.fspath(log_dir)


def terms_of(terms: Iterable[str | Term] | None) -> tuple[str | Term, ...] | None:
    """Returns what the values of an array are called.

    Raises:
      TypeError: They are no sequence; one string would name each of its letters.
      ValueError: A name is empty, or two are equal.
    """
    if terms is None:
        return None
    if isinstance(terms, str) or not isinstance(terms, Iterable):
        raise TypeError(f"terms must be a list of names or terms, not {describe(terms)}")
    terms = tuple(terms)
    layout_of((False, None, terms))
    return terms


def split_losses(
    data_loss: Any,
    penalties: PenaltyValues[Any] | Array | None,
    total_loss: Any,
    terms: tuple[str | Term, ...] | None = None,
) -> tuple[Names, list[Any]]:
    """Returns what the losses of a step are called, and their values in a layout's order.

    A data loss is one value, or those of its parts; penalties are values by name or by ``Term``, or
    the array of those of ``terms``.

    Raises:
      TypeError: The penalties are neither a mapping nor an array of the terms' values.
    """
    values = [] if total_loss is None else [total_loss]
    if isinstance(data_loss, Mapping):
        parts: tuple[str | Term, ...] | None = tuple(data_loss)
        values.extend(data_loss.values())
    else:
        parts = None
        values.append(data_loss)
    if penalties is None:
        named: tuple[str | Term, ...] = ()
    # A dict is told at once; asking what else is a Mapping takes longer than the rest.
    elif isinstance(penalties, (dict, Mapping)):
        named = tuple(penalties)
        values.extend(penalties.values())
    else:
        named = terms or ()
        values.extend(_copy_to_host(penalties, terms))
    return (total_loss is not None, parts, named), values


def _copy_to_host(penalties: Array, terms: Sequence[str | Term] | None) -> list[Any]:
    """Returns the values of an array; from a device, all at once."""
    if terms is None:
        raise TypeError(
            "penalties must be a mapping of names to values. For an array of values, give their "
            f"names once, as Writer(..., terms=[...]). It is {describe(penalties)}"
        )
    try:
        if tuple(penalties.shape) == (len(terms),):
            # All but TensorFlow's have it, for every dtype and device.
            array = penalties if hasattr(penalties, "tolist") else np.asarray(penalties)
            return list(array.tolist())
        reason = None
    except Exception as error:  # noqa: BLE001 - tensors without data raise what they like
        reason = error
    raise TypeError(
        f"penalties must be a mapping, or an array of shape ({len(terms)},), one number for each "
        f"of the writer's terms, not {describe(penalties)}"
    ) from reason


def describe(value: Any) -> str:
    """Returns what a caller gave where it can't be meant, in a few words."""
    shape = None
    try:
        shape = getattr(value, "shape", None)
        shown = f"{value!r:.80}"
    except Exception:  # noqa: BLE001 - as above
        shown = object.__repr__(value)
    return f"{type(value).__name__}" + (f" of shape {tuple(shape)}" if shape else "") + f": {shown}"


def check_real(layout: Layout, values: Sequence[Any]) -> None:
    """Refuses complex numbers: NumPy and TensorFlow would give their real part for them.

    Raises:
      TypeError: A value is complex.
    """
    for column, value in zip(layout.columns, values, strict=True):
        # In every library, the types are called so.
        if isinstance(value, complex) or "complex" in str(getattr(value, "dtype", "")):
            raise TypeError(_say_no_number(column, value))


def or_infinity(value: Any) -> Any:
    """Returns a number, and infinity for one that no float can hold."""
    try:
        array("f", [value])
    except OverflowError:
        return math.inf if value > 0 else -math.inf
    return value


def say_bad_value(layout: Layout, values: Sequence[Any]) -> str:
    """Returns which of a row's values is not a number."""
    for column, value in zip(layout.columns, values, strict=True):
        try:
            or_infinity(value)
        except Exception:  # noqa: BLE001 - tensors without data raise what they like
            return _say_no_number(column, value)
    return "A value is not a number."


def _say_no_number(column: Term, value: Any) -> str:
    return f"{argument_of(column)} must be one number, not {describe(value)}"


def argument_of(column: Term) -> str:
    """Returns what a caller calls the value of a column."""
    if column.role == "total" or column is DATA:
        return f"{column.role}_loss"
    return f"{'data_loss' if column.role == 'data' else 'penalties'}[{column.name!r}]"


def layout_of(names: Names) -> Layout:
    """Returns the layout of total, data loss and penalties, in this order.

    Raises:
      ValueError: Two columns share role and name, or a term has the role of something else.
    """
    has_total, parts, penalties = names
    data = tuple(
        part if isinstance(part, Term) else Term(part, "data")
        for part in ((DATA,) if parts is None else parts)
    )
    for term in data:
        if term.role != "data":
            raise ValueError(
                f"The part {term.name!r} of the data loss has the role {term.role!r}. "
                "Give its Term role='data', or give it to write() among the penalties."
            )
    terms = tuple(
        penalty if isinstance(penalty, Term) else Term(penalty, kind="custom")
        for penalty in penalties
    )
    for term in terms:
        if term.role in ("total", "data"):
            raise ValueError(
                f"The penalty {term.name!r} has the role {term.role!r}. "
                "Give it to write() as total_loss or data_loss."
            )
    return Layout(((_TOTAL,) if has_total else ()) + data + terms)
