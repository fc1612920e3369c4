"""How the suite is divided into sessions, and added up."""

from pathlib import Path

import pytest

from tests.__main__ import SESSIONS, arguments, count

BROWSER = next(session for session in SESSIONS if session.name == "browser")
PACKAGE = next(session for session in SESSIONS if session.name == "package")


def test_every_test_belongs_to_a_session() -> None:
    """Also those of a directory that is added."""
    tests = Path(__file__).parent
    with_tests = {f"tests/{path.parent.relative_to(tests)}" for path in tests.glob("*/test_*.py")}
    assert with_tests | {"tests"} == {session.directory for session in SESSIONS}


@pytest.mark.parametrize(
    ("given", "package", "browser"),
    [
        ([], ["tests"], ["tests/browser"]),
        (["-k", "demo"], ["tests", "-k", "demo"], ["tests/browser", "-k", "demo"]),
        (["tests"], ["tests"], ["tests/browser"]),
        (["tests/test_demo.py", "-x"], ["tests/test_demo.py", "-x"], []),
        (["tests/browser/test_axes.py::test"], [], ["tests/browser/test_axes.py::test"]),
    ],
)
def test_a_path_goes_to_its_session(
    given: list[str], package: list[str], browser: list[str]
) -> None:
    """And what is no path to each."""
    assert arguments(PACKAGE, given) == package
    assert arguments(BROWSER, given) == browser


@pytest.mark.parametrize(
    ("output", "status", "expected"),
    [
        ("..s\n2 passed, 1 skipped in 0.5s\n", 0, {"passed": 2, "skipped": 1}),
        ("F\n1 failed, 2 passed, 3 errors in 70s (0:01:10)\n", 1, {"failed": 4, "passed": 2}),
        ("\nno tests ran in 0.1s", 5, {}),
        ("..Fatal Python error: Segmentation fault\n", -11, {"failed": 1}),
        ("2 passed in 0.5s", 3, {"failed": 1, "passed": 2}),
    ],
)
def test_no_failure_is_lost(output: str, status: int, expected: dict[str, int]) -> None:
    """A session that dies has failed, whatever it said."""
    assert count(output, status) == expected
