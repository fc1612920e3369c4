"""The tab, as TensorBoard asks for it at its start; what answers it is imported when it is opened.

The routes take 85 ms of processor time to import, a tenth of TensorBoard's whole start.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from tensorboard.plugins import base_plugin

from tb_regplugin.names import COMPOSITIONS_PLUGIN_NAME, PLUGIN_NAME
from tb_regplugin.scalars.likely import LikelyScalars

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from tb_regplugin.reading.source import TensorBoardSource


class RegularizationTab(base_plugin.TBPlugin):  # type: ignore[misc]
    """Shows the Regularization tab; without ``cache_bytes``, recordings may take any memory."""

    plugin_name = PLUGIN_NAME

    def __init__(self, context: Any, cache_bytes: int | None = None) -> None:
        self._context = context
        self._cache_bytes = cache_bytes
        self._has_likely_scalars = LikelyScalars(self._background_source)
        self._lock = threading.Lock()
        self._routes: dict[str, Callable[..., Iterable[bytes]]] = {}

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns what imports the routes when the first of them is asked."""
        return {"/*": self._answer}

    def data_plugin_names(self) -> list[str]:
        """Returns the names whose data this plugin shows."""
        return [PLUGIN_NAME, COMPOSITIONS_PLUGIN_NAME]

    def is_active(self) -> bool:
        """Returns whether scalars are called as parts of losses are, as far as is known by now.

        TensorBoard asks where it has no data of the names above.
        """
        return self._has_likely_scalars()

    def frontend_metadata(self) -> Any:
        """Says what TensorBoard shows as the plugin's tab."""
        return base_plugin.FrontendMetadata(
            es_module_path="/index.js", tab_name="Regularization", disable_reload=False
        )

    def _answer(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        from tb_regplugin.plugin import RegularizationPlugin, no_such_route

        with self._lock:
            if not self._routes:
                plugin = RegularizationPlugin(self._context, self._cache_bytes)
                self._routes = plugin.get_plugin_apps()
        name = environ["PATH_INFO"].rpartition("/")[2]
        return self._routes.get(f"/{name}", no_such_route)(environ, start_response)

    def _background_source(self) -> TensorBoardSource:
        from tb_regplugin.reading.source import TensorBoardSource
        from tb_regplugin.tensorboard_internals import background_context

        return TensorBoardSource(self._context.data_provider, background_context())
