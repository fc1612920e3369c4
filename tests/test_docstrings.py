"""Docstrings say what callers need, and their examples are right."""

import doctest
import importlib
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tb_regplugin

ROOT = Path(__file__).parents[1]
WITH_EXAMPLES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "tb_regplugin").rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8")
)
# Their functions are public.
MODULES = ("plot", "summary")
PUBLIC: dict[str, Any] = {
    **{name: getattr(tb_regplugin, name) for name in tb_regplugin.__all__ if name not in MODULES},
    **{f"summary.{name}": getattr(tb_regplugin.summary, name) for name in ("losses", "losses_pb")},
    **{f"plot.{name}": getattr(tb_regplugin.plot, name) for name in tb_regplugin.plot.__all__},
    "summary.op": tb_regplugin.summary.op,
}
# Their other methods are called by Keras and TensorFlow.
METHODS: dict[str, Callable[..., Any]] = {
    f"{name}.{method}": getattr(PUBLIC[name], method)
    for name in ("Writer", "Recorder")
    for method in ("write", "flush", "close")
}


@pytest.mark.parametrize("module", WITH_EXAMPLES)
def test_examples_give_what_they_show(module: str) -> None:
    """Each is run as Python's own doctest runs it."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_has_an_example(name: str) -> None:
    """One that is run."""
    assert re.search(r"Example:\n\s*>>>", inspect.getdoc(PUBLIC[name]) or "")


@pytest.mark.parametrize("name", [*PUBLIC, *METHODS])
def test_each_argument_is_described(name: str) -> None:
    """Under Args, or under Attributes where they are what the object holds."""
    target = PUBLIC.get(name) or METHODS[name]
    text = inspect.getdoc(target) or ""
    for argument in inspect.signature(target).parameters:
        assert argument == "self" or re.search(rf"^ +{argument}: ", text, re.MULTILINE), argument


@pytest.mark.parametrize("name", [name for name in PUBLIC if inspect.isfunction(PUBLIC[name])])
def test_what_is_returned_and_raised_is_described(name: str) -> None:
    """Functions have both; what a class raises stands with its arguments."""
    text = inspect.getdoc(PUBLIC[name]) or ""
    assert "\nReturns:\n" in text
    assert "\nRaises:\n" in text
