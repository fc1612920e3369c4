"""The plugin's routes, as ``docs/http_api.md`` describes them: thin, over pure functions."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tensorboard import errors, plugin_util
from tensorboard.backend import http_util
from tensorboard.plugins import base_plugin
from werkzeug import wrappers

from tb_regplugin.names import PLUGIN_NAME
from tb_regplugin.reading.answers import (
    DEFAULT_BUCKETS,
    MAX_BUCKETS,
    curves_answer,
    recordings_answer,
)
from tb_regplugin.reading.source import Source
from tb_regplugin.reading.store import Store

_logger = logging.getLogger(__name__)

_BUNDLE = Path(__file__).parent / "static" / "index.js"
# What the dashboard says where it was never built: in a source tree that was not installed.
_NO_BUNDLE = """\
export function render() {
  document.body.textContent =
    'The dashboard is not built. Run "pip install ." (or "pip install -e ." to work on it) ' +
    'in the source tree of tb_regplugin, then start TensorBoard again.';
}
"""

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SMALLEST_STEP = -(2**63)
_LARGEST_STEP = 2**63 - 1

_Route = Callable[[wrappers.Request], wrappers.Response]


class _RequestError(Exception):
    """The request cannot be answered, for a reason that its sender can do something about."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class RegularizationPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """Serves the Regularization tab."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: Any) -> None:
        self._provider = context.data_provider
        self._store = Store()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns the routes."""
        return {
            "/recordings": _route(self._recordings),
            "/curves": _route(self._curves),
            "/index.js": _route(self._index_js),
        }

    def data_plugin_names(self) -> list[str]:
        """Returns the names whose data this plugin shows."""
        return [PLUGIN_NAME]

    def is_active(self) -> bool:
        """Returns False: TensorBoard itself sees whether there is data of these names."""
        return False

    def frontend_metadata(self) -> Any:
        """Says what TensorBoard shows as the plugin's tab."""
        return base_plugin.FrontendMetadata(
            es_module_path="/index.js", tab_name="Regularization", disable_reload=False
        )

    def _source(self, request: wrappers.Request) -> Source:
        return Source(
            self._provider,
            plugin_util.context(request.environ),
            plugin_util.experiment_id(request.environ),
        )

    def _recordings(self, request: wrappers.Request) -> wrappers.Response:
        answer = recordings_answer(self._store.summaries(self._source(request)))
        return _respond(request, answer, "application/json")

    def _curves(self, request: wrappers.Request) -> wrappers.Response:
        query = request.args
        run, name = _text(query, "run"), _text(query, "name")
        start = _integer(query, "start", _SMALLEST_STEP, _LARGEST_STEP)
        end = _integer(query, "end", _SMALLEST_STEP, _LARGEST_STEP)
        buckets = _integer(query, "buckets", 1, MAX_BUCKETS)
        if start is not None and end is not None and start > end:
            raise _RequestError(400, f"start ({start}) is after end ({end}). Swap them.")
        contents = self._store.contents(self._source(request), run, name)
        if contents is None:
            raise _RequestError(
                404, f"Run {run!r} has no recording {name!r}. /recordings lists what there is."
            )
        answer = curves_answer(
            run,
            name,
            contents,
            start=start,
            end=end,
            buckets=DEFAULT_BUCKETS if buckets is None else buckets,
        )
        return _respond(request, answer, "application/octet-stream")

    def _index_js(self, request: wrappers.Request) -> wrappers.Response:
        try:
            bundle: bytes | str = _BUNDLE.read_bytes()
        except FileNotFoundError:
            bundle = _NO_BUNDLE
        return _respond(request, bundle, "text/javascript")


def _route(answer: _Route) -> Any:
    """Returns a WSGI application that answers GET only, and every failure in JSON."""

    @functools.wraps(answer)
    def respond(request: wrappers.Request) -> wrappers.Response:
        if request.method != "GET":
            reason = f"This route answers GET, not {request.method}."
            return _respond(request, {"error": reason}, "application/json", 405, [("Allow", "GET")])
        try:
            return answer(request)
        except _RequestError as error:
            return _respond(request, {"error": str(error)}, "application/json", error.code)
        except errors.PublicError as error:
            return _respond(
                request, {"error": str(error)}, "application/json", error.http_code, error.headers
            )
        except Exception:
            _logger.exception("Answering %s failed.", request.path)
            reason = "Reading the recording failed. TensorBoard's log in the terminal says why."
            return _respond(request, {"error": reason}, "application/json", 500)

    return wrappers.Request.application(respond)


def _respond(
    request: wrappers.Request,
    content: Any,
    content_type: str,
    code: int = 200,
    headers: list[tuple[str, str]] | None = None,
) -> wrappers.Response:
    response: wrappers.Response = http_util.Respond(
        request, content, content_type, code=code, headers=headers
    )
    return response


def _text(query: Mapping[str, str], key: str) -> str:
    value = query.get(key)
    if value is None:
        raise _RequestError(400, f"The parameter {key!r} is missing.")
    return value


def _integer(query: Mapping[str, str], key: str, smallest: int, largest: int) -> int | None:
    text = query.get(key)
    if text is None:
        return None
    if not _INTEGER.fullmatch(text):
        raise _RequestError(400, f"{key} must be a whole number, not {text[:40]!r}.")
    number = int(text)
    if not smallest <= number <= largest:
        raise _RequestError(400, f"{key} is {number}; it must be from {smallest} to {largest}.")
    return number
