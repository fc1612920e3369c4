"""What every recorder takes from its caller: its options, and the losses of a step."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from tb_regplugin.terms import Layout, PenaltyValues, Term

_TOTAL = Term("total", role="total")
# The column of a data loss without named parts.
DATA = Term("data", role="data")

# Whether there is a total, the names of the data loss's parts (None where it is one number), and
# the penalties' names or terms: what a layout is made of.
Names = tuple[bool, tuple[str, ...] | None, tuple[str | Term, ...]]


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
    """Refuses options of a recorder that cannot be meant.

    Args:
      name: What the recording is called.
      flush_secs: How long a row waits to be written, in seconds.
      counts: By the name of the option, numbers of which each must be 1 or more, or None.

    Raises:
      ValueError: The name is no string or empty, or a number is too small.
    """
    if not isinstance(name, str) or not name:
        raise ValueError(f"name must be a non-empty string, not {name!r}.")
    if not flush_secs > 0:
        raise ValueError(f"flush_secs must be positive, in seconds, not {flush_secs!r}.")
    for option, count in counts.items():
        if count is not None and not count >= 1:
            raise ValueError(f"{option} must be 1 or more, not {count!r}.")


def split_losses(
    data_loss: Any, penalties: PenaltyValues[Any] | None, total_loss: Any
) -> tuple[Names, list[Any]]:
    """Returns what the losses of a step are called, and their values in a layout's order."""
    penalties = penalties or {}
    values = [] if total_loss is None else [total_loss]
    if isinstance(data_loss, Mapping):
        parts = tuple(data_loss)
        values.extend(data_loss.values())
    else:
        parts = None
        values.append(data_loss)
    values.extend(penalties.values())
    return (total_loss is not None, parts, tuple(penalties)), values


def layout_of(names: Names) -> Layout:
    """Returns the layout of total, data loss and penalties, in this order.

    Raises:
      ValueError: Two columns share role and name, or a penalty has the role of something else.
    """
    has_total, parts, penalties = names
    data = (DATA,) if parts is None else tuple(Term(part, "data") for part in parts)
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
