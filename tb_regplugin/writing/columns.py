"""From the names that a caller gives to a layout."""

from __future__ import annotations

from tb_regplugin.terms import Layout, Term

_TOTAL = Term("total", role="total")
_DATA = Term("data", role="data")


def layout_of(
    has_total: bool, data_parts: tuple[str, ...] | None, penalties: tuple[str | Term, ...]
) -> Layout:
    """Returns the layout of total, data loss and penalties, in this order.

    Args:
      has_total: Whether a total is recorded.
      data_parts: The names of the data loss's parts; None where it is one number.
      penalties: The penalties' names or terms.

    Raises:
      ValueError: Two columns share role and name, or a penalty has the role of something else.
    """
    data = (_DATA,) if data_parts is None else tuple(Term(part, "data") for part in data_parts)
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
