"""The dashboard's scripts, as the build left them: index.js, and those that it loads."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from werkzeug import wrappers

from tb_regplugin.responses import respond, route

STATIC = Path(__file__).parent / "static"
_INDEX = "index.js"
# What the dashboard says where it was never built: in a source tree that was not installed.
_NOT_BUILT = b"""\
export function render() {
  document.body.textContent =
    'The dashboard is not built. Run "pip install ." (or "pip install -e ." to work on it) ' +
    'in the source tree of tb_regplugin, then start TensorBoard again.';
}
"""
_YEAR = 365 * 24 * 60 * 60


def read_scripts() -> dict[str, bytes]:
    """Returns the scripts by name; none where the dashboard was never built."""
    return {path.name: path.read_bytes() for path in STATIC.glob("*.js")}


def script_routes() -> dict[str, Any]:
    """Returns a route for each script that there is now, and for nothing else.

    They are read once, so that a page which loads a part of itself later gets it of the build that
    it began with, whatever was installed meanwhile.
    """
    scripts = {_INDEX: _NOT_BUILT, **read_scripts()}
    return {f"/{name}": route(partial(_answer, name, script)) for name, script in scripts.items()}


def _answer(name: str, script: bytes, request: wrappers.Request) -> wrappers.Response:
    # The others have a hash of what is in them in their names.
    expires = 0 if name == _INDEX else _YEAR
    return respond(request, script, "text/javascript", expires=expires)
