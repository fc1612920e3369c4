"""Names of terms that people can tell apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tb_regplugin.names import distinct


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], []),
        (["w", "b"], ["w", "b"]),
        (["w", "b", "w", "w"], ["w", "b", "w (2)", "w (3)"]),
        (["w (2)", "w", "w"], ["w (2)", "w", "w (3)"]),
        (["w", "w", "w (2)"], ["w", "w (2)", "w (2) (2)"]),
    ],
)
def test_equal_names_are_numbered(names: list[str], expected: list[str]) -> None:
    """The first stays as it is, and numbers that are taken are passed over."""
    assert distinct(names) == expected


@given(st.lists(st.sampled_from(["w", "w (2)", "w (3)", "w (2) (2)", "b", ""])))
def test_each_name_is_there_once(names: list[str]) -> None:
    """In the order given, each name's first where it stands first, and the same when done again."""
    made = distinct(names)
    assert len(made) == len(names) == len(set(made))
    for name, new in zip(names, made, strict=True):
        assert new.startswith(name)
    assert distinct(made) == made


def test_many_equal_names_take_no_time_that_grows_with_their_square() -> None:
    """Each of them is numbered once."""
    assert distinct(["w"] * 100_000)[-1] == "w (100000)"
