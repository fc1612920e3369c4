"""The log format's encoding, decoding and reading rule."""

from __future__ import annotations

import contextlib
import json
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tensorboard.util import tensor_util

from tb_regplugin.log_format import (
    MAX_BLOCK_ROWS,
    MAX_STEP_OFFSET,
    VERSION,
    Block,
    LayoutTag,
    LogFormatError,
    SegmentTag,
    block_event,
    decode_layout,
    encode_layout,
    fits_one_block,
    layout_id,
    layout_tag,
    pack_block,
    parse_tag,
    segment_tag,
    surviving_rows,
    unpack_block,
)
from tb_regplugin.terms import KINDS, ROLES, Layout, Term
from tests.logs import LAYOUT, block

INT64 = st.integers(-(2**63), 2**63 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=10,
)

TERMS = st.builds(
    Term,
    st.text(min_size=1),
    role=st.sampled_from([role for role in ROLES if role != "total"]),
    kind=st.none() | st.sampled_from(KINDS),
    strength=st.none() | FINITE | st.tuples(FINITE, FINITE),
    coefficient=st.none() | FINITE,
    variable=st.none() | st.text(),
    shape=st.none() | st.lists(st.integers(0, 2**31)).map(tuple),
    size=st.none() | st.integers(0, 2**62),
    chance_level=st.none() | FINITE,
)
LAYOUTS = st.lists(TERMS, min_size=1, unique_by=lambda term: (term.role, term.name)).map(
    lambda terms: Layout(tuple(terms))
)


@st.composite
def _blocks(draw: st.DrawFn) -> Block:
    last = draw(st.integers(-(2**62), 2**62))
    offsets = sorted(draw(st.sets(st.integers(-MAX_STEP_OFFSET, -1), max_size=20)))
    rows = len(offsets) + 1
    times = draw(arrays.arrays(np.float64, rows, elements=st.floats(1.6e9, 1.6e9 + 1000)))
    shape = (rows, draw(st.integers(1, 4)))
    values = draw(arrays.arrays(np.float32, shape, elements=st.floats(width=32)))
    return Block(last + np.array([*offsets, 0], np.int64), times, values)


@given(_blocks())
def test_a_block_comes_back_from_its_event(written: Block) -> None:
    """Steps and values exactly, NaN included; wall times as exactly as an offset's float32."""
    event = block_event(SegmentTag("losses", "layout", "writer", 0), written)
    array = tensor_util.make_ndarray(event.summary.value[0].tensor)
    read = unpack_block(event.step, event.wall_time, array, written.values.shape[1])
    np.testing.assert_array_equal(read.steps, written.steps)
    np.testing.assert_allclose(read.wall_times, written.wall_times, rtol=0, atol=1e-4)
    assert read.values.tobytes() == written.values.tobytes()


@given(LAYOUTS)
def test_a_layout_comes_back_from_its_json(layout: Layout) -> None:
    """Every field of every column."""
    assert decode_layout(encode_layout(layout)) == layout


@given(st.text(), st.text(st.characters(exclude_characters="/")), st.integers(0, 10**18 - 1))
def test_tags_come_apart_into_their_parts(name: str, part: str, number: int) -> None:
    """Also where the recording's name holds slashes."""
    assert parse_tag(layout_tag(name, part)) == LayoutTag(name, part)
    segment = SegmentTag(name, part, part, number)
    assert parse_tag(segment_tag(segment)) == segment


@given(st.text())
def test_a_foreign_tag_is_refused_or_parsed(tag: str) -> None:
    """No tag makes another error than the format's own."""
    with contextlib.suppress(LogFormatError):
        parse_tag(tag)


@given(st.lists(st.sets(st.integers(0, 30), min_size=1), max_size=8))
def test_the_reading_rule_equals_a_replay(written: list[set[int]]) -> None:
    """What survives is what stays in a dict in which each block first clears its way."""
    blocks = [block(sorted(steps), np.full((len(steps), 1), i)) for i, steps in enumerate(written)]
    replayed: dict[int, float] = {}
    for one in blocks:
        replayed = {step: value for step, value in replayed.items() if step < one.steps[0]}
        replayed |= dict(zip(one.steps.tolist(), one.values[:, 0].tolist(), strict=True))
    read: list[tuple[int, float]] = []
    for one, count in zip(blocks, surviving_rows(blocks), strict=True):
        read += zip(one.steps[:count].tolist(), one.values[:count, 0].tolist(), strict=True)
    assert read == sorted(replayed.items())


ANY_ARRAY: st.SearchStrategy[Any] = arrays.arrays(
    st.sampled_from([np.dtype(name) for name in ("f4", "f8", "i4", "i8", "?", "S3")]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5),
)
NEAR_BLOCKS = arrays.arrays(
    np.float32, st.tuples(st.integers(0, 5), st.just(3)), elements=st.floats(width=32)
)


@given(INT64, st.floats(), ANY_ARRAY | NEAR_BLOCKS)
def test_a_malformed_block_is_refused(step: int, wall_time: float, array: Any) -> None:
    """What is not refused is a block, and nothing raises another error."""
    try:
        read = unpack_block(step, wall_time, array, 1)
    except LogFormatError:
        return
    assert read.values.shape == (len(read.steps), 1)
    assert len(read.steps)
    assert (read.steps[1:] > read.steps[:-1]).all()


def test_a_steps_overflow_is_refused() -> None:
    """Offsets that lead beyond 64 bits do not wrap around."""
    array = np.array([[-5, 0, 1], [0, 0, 1]], np.float32)
    with pytest.raises(LogFormatError):
        unpack_block(-(2**63), 0.0, array, 1)


@given(
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"version": VERSION, "columns": value}).encode())
    | st.dictionaries(
        st.sampled_from(list(Term.__dataclass_fields__)), JSON | st.just("penalty"), max_size=8
    ).map(lambda column: json.dumps({"version": 1, "columns": [{"name": "a"} | column]}).encode())
)
def test_a_malformed_layout_is_refused(data: bytes) -> None:
    """What is not refused is a layout that can be told to others, and nothing else is raised."""
    try:
        layout = decode_layout(data)
    except LogFormatError:
        return
    assert layout == decode_layout(encode_layout(layout))
    assert hash(layout) is not None


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"version": 1, "columns": [{"name": "a", "strength": 1' + b"0" * 400 + b"}]}",
        b'{"version": 1, "columns": [{"name": "a", "shape": [[1]]}]}',
        b'{"version": 1, "columns": [{"name": "a", "shape": {"a": 1}}]}',
        b'{"version": 1, "columns": [{"name": "a", "size": "big"}]}',
        b'{"version": 1, "columns": [{"name": "a", "variable": []}]}',
        b'{"version": true, "columns": [{"name": "a"}]}',
        b'{"version": NaN, "columns": []}',
    ],
)
def test_an_odd_layout_is_refused(data: bytes) -> None:
    """Nesting without end, numbers without end, and fields of another type."""
    with pytest.raises(LogFormatError):
        decode_layout(data)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"strength": np.float32(0.01)}, {"strength": 0.01}),
        ({"strength": (np.float32(0.01), np.int64(2))}, {"strength": (0.01, 2)}),
        ({"coefficient": Fraction(1, 8)}, {"coefficient": 0.125}),
        ({"chance_level": np.float16(0.5)}, {"chance_level": 0.5}),
        ({"shape": [784, np.int64(200)]}, {"shape": (784, 200)}),
        ({"size": np.prod((784, 200))}, {"size": 156_800}),
    ],
)
def test_numbers_of_other_libraries_come_back(given: Any, read: Any) -> None:
    """As the ones people wrote, which JSON and hashes have."""
    layout = Layout((Term("kernel", **given),))
    assert decode_layout(encode_layout(layout)) == layout == Layout((Term("kernel", **read),))
    assert hash(layout) is not None


@pytest.mark.parametrize(
    "field",
    [
        *({"strength": value} for value in (True, (0.1,), (0.1, 0.2, 0.3), 10**400, [0.1, 0.2])),
        *({"shape": value} for value in ((None, 3), (1.5,), 5, "12", (True,))),
        *({"size": value} for value in (1.5, True, "12")),
        *({name: b"kernel"} for name in ("variable", "entry", "note")),
    ],
    ids=repr,
)
def test_what_no_reader_would_take_is_refused_before_it_is_written(field: Any) -> None:
    """With the term and its field, rather than a recording that nobody can read."""
    (name,) = field
    with pytest.raises(ValueError, match=f"Term 'kernel' has a {name} of .*, or None where it is"):
        Term("kernel", **field)


def test_a_newer_version_is_named() -> None:
    """The reason says which version it is and what to do."""
    with pytest.raises(LogFormatError, match=r"version 99.*Update"):
        decode_layout(b'{"version": 99, "panels": []}')


def test_an_unknown_field_of_a_column_is_passed_over() -> None:
    """A later minor addition does not make a recording unreadable."""
    layout = decode_layout(b'{"version": 1, "columns": [{"name": "a", "colour": "red"}]}')
    assert layout.columns == (Term("a"),)


def test_equal_layouts_have_equal_ids() -> None:
    """Two writers of one layout share a series; another strength is another layout."""
    other = Layout((*LAYOUT.columns[:2], Term("kernel", kind="l2", strength=0.02)))
    assert layout_id(LAYOUT) == layout_id(Layout(tuple(LAYOUT.columns)))
    assert layout_id(LAYOUT) != layout_id(other)


@given(st.integers(0, 2 * MAX_BLOCK_ROWS), st.integers(0, 2 * MAX_STEP_OFFSET))
def test_what_fits_one_block_is_exact_in_it(rows: int, distance: int) -> None:
    """A step that may join a block survives its float32 offset."""
    if not fits_one_block(0, max(distance - 1, 0), distance, rows):
        return
    packed = pack_block(block([0, distance], [[0.0], [0.0]]))
    assert int(packed[0, 0]) == -distance
    assert rows < MAX_BLOCK_ROWS


def test_a_tag_with_a_number_that_python_does_not_read_is_refused() -> None:
    """With a reason that is short."""
    with pytest.raises(LogFormatError) as refused:
        parse_tag("losses/x/w/" + "1" * 5_000)
    assert len(str(refused.value)) < 600


def test_a_role_or_kind_of_a_newer_version_does_not_refuse_a_layout() -> None:
    """The column stays, as one that is no summand; its note has the role's name."""
    columns = [{"name": "data", "role": "data"}, {"name": "a", "role": "new", "kind": "newer"}]
    layout = decode_layout(json.dumps({"version": 1, "columns": columns}))
    data, new = layout.columns
    assert data == Term("data", role="data")
    assert (new.role, new.kind) == ("inside", "custom")
    assert "'new'" in str(new.note)
