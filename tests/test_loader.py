"""What TensorBoard's start runs."""

from __future__ import annotations

import argparse
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from tensorboard.plugins import base_plugin

import tb_regplugin.tab
from tb_regplugin.loader import RegularizationLoader


def _modules(script: str) -> set[str]:
    result = subprocess.run(
        [sys.executable, "-c", f"import sys; {script}; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(result.stdout.split())


def test_importing_the_loader_imports_next_to_nothing() -> None:
    """Nothing but the standard library and this package beyond TensorBoard's base_plugin."""
    more = _modules("import tb_regplugin.loader") - _modules(
        "import tensorboard.plugins.base_plugin, importlib, typing, logging, __future__"
    )
    own = {"tb_regplugin", "tb_regplugin.loader", "tb_regplugin.names"}
    assert more == own


def test_the_routes_are_imported_when_the_tab_is_opened() -> None:
    """TensorBoard's start does not wait for them."""
    loading = (
        "from tensorboard.plugins import base_plugin; "
        "from tb_regplugin.loader import RegularizationLoader; "
        "assert RegularizationLoader().load(base_plugin.TBContext()).get_plugin_apps()"
    )
    more = _modules(loading) - _modules("import tb_regplugin.loader, threading")
    own = {"tab", "scalars", "scalars.likely", "scalars.resting"}
    assert more == {f"tb_regplugin.{name}" for name in own}


@pytest.mark.parametrize(
    ("given", "fixed"),
    [
        ({}, {"regularization": 0}),
        ({"images": 3}, {"images": 3, "regularization": 0}),
        ({"regularization": 5}, {"regularization": 5}),
    ],
)
def test_every_step_is_kept_unless_the_user_chose_a_number(
    given: dict[str, int], fixed: dict[str, int]
) -> None:
    """0 means all of them to TensorBoard."""
    flags = argparse.Namespace(samples_per_plugin=given)
    RegularizationLoader().fix_flags(flags)
    assert flags.samples_per_plugin == fixed


class _Frozen:
    samples_per_plugin: dict[str, int] = {}  # noqa: RUF012 - As foreign as can be.

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(name)


@pytest.mark.parametrize(
    "flags", [None, SimpleNamespace(), SimpleNamespace(samples_per_plugin=None), _Frozen()]
)
def test_foreign_flags_do_no_harm(flags: Any) -> None:
    """An exception would end all of TensorBoard."""
    RegularizationLoader().fix_flags(flags)


def test_a_plugin_that_cannot_be_made_is_left_out(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The other tabs go on, and the log says why."""

    def broken(*_: Any) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(tb_regplugin.tab, "RegularizationTab", broken)
    assert RegularizationLoader().load(base_plugin.TBContext()) is None
    assert "no memory" in caplog.text
