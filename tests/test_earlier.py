"""What is said where a recording takes the place of an earlier one."""

import warnings
from pathlib import Path

import pytest

from tb_regplugin import Writer


@pytest.mark.parametrize(
    ("first", "name", "warns"),
    [(3, "losses", True), (0, "losses", True), (4, "losses", False), (0, "other", False)],
)
def test_a_recording_that_takes_anothers_place_says_so(
    first: int, name: str, warns: bool, tmp_path: Path
) -> None:
    """Where it begins no later than that one; a restored checkpoint goes on after its beginning."""
    for begin in (3, 5):
        with Writer(tmp_path) as earlier:
            for step in range(begin, 8):
                earlier.write(step, 1.0, {"kernel": 0.5})
    with warnings.catch_warnings(record=True) as caught, Writer(tmp_path, name=name) as writer:
        warnings.simplefilter("always")
        for step in range(first, 10):
            writer.write(step, 1.0)
    assert [str(tmp_path) in str(w.message) for w in caught] == [True] * warns
    assert [w.filename for w in caught] == [__file__] * warns


def test_what_lies_beside_is_no_earlier_recording(tmp_path: Path) -> None:
    """Files that are no event files, or broken off."""
    (tmp_path / "events.out.tfevents.1.x.regularization").write_bytes(b"\x09" * 50)
    (tmp_path / "events.out.tfevents.2.x.regularization").write_bytes(b"")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Writer(tmp_path) as writer:
            writer.write(0, 1.0)


def test_a_record_that_is_cut_off_hides_no_earlier_recording(tmp_path: Path) -> None:
    """As a killed process leaves it, in the file of another recording."""
    for name in ("other", "losses"):
        with Writer(tmp_path, name=name) as earlier:
            earlier.write(0, 1.0)
        if name == "other":
            (path,) = tmp_path.iterdir()
            path.write_bytes(path.read_bytes()[:-9])
    with Writer(tmp_path) as writer, pytest.warns(RuntimeWarning, match="another training"):
        writer.write(0, 1.0)
