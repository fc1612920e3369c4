"""The plugin's routes, as ``docs/http_api.md`` describes them: thin, over pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from tensorboard import errors, plugin_util
from werkzeug import wrappers

from tb_regplugin.finding import describe_findings
from tb_regplugin.findings.find import FindingsCache
from tb_regplugin.reading.answers import (
    curves_answer,
    describe_recording,
    export_answer,
    recordings_answer,
    statistics_answer,
)
from tb_regplugin.reading.decode import natural_key
from tb_regplugin.reading.overview import Overview
from tb_regplugin.reading.query import (
    Query,
    parse_curves,
    parse_export,
    parse_overview,
    parse_recording,
    parse_statistics,
    parse_sweep,
)
from tb_regplugin.reading.source import TensorBoardSource
from tb_regplugin.reading.store import Contents, ListedRecording
from tb_regplugin.reading.sweep_answer import Sweeps
from tb_regplugin.responses import (
    BINARY,
    CSV,
    JSON,
    download_name,
    entity_tag,
    json_text,
    respond,
    respond_json,
    respond_once,
    route,
)
from tb_regplugin.scalars.listed import Found, Told
from tb_regplugin.scalars.recordings import ScalarRecordings
from tb_regplugin.static_files import script_routes

# Values of a scalar that both of TensorBoard's loaders keep unless they are told otherwise.
_SCALARS_KEPT = 1_000


class RegularizationPlugin:
    """Serves the Regularization tab; without ``cache_bytes``, recordings may take any memory."""

    def __init__(self, context: Any, cache_bytes: int | None = None) -> None:
        self._provider = context.data_provider
        self._store = ScalarRecordings(cache_bytes, _told(context))
        self._found = FindingsCache()
        self._overview = Overview(self._store)
        self._sweeps = Sweeps(self._store)
        # The list that was told last, and how.
        self._listed: tuple[Sequence[ListedRecording], int, str] = (), 0, ""

    def get_plugin_apps(self) -> dict[str, Any]:
        """Returns the routes."""
        return {
            "/recordings": route(self._recordings),
            "/overview": route(self._rows),
            "/sweep": route(self._sweep),
            "/curves": route(partial(self._answer, parse_curves, BINARY, curves_answer)),
            "/statistics": route(partial(self._answer, parse_statistics, JSON, statistics_answer)),
            "/composition": route(self._composition),
            "/export": route(self._export),
            "/findings": route(self._findings),
            **script_routes(),
        }

    def _recordings(self, request: wrappers.Request) -> wrappers.Response:
        listed, waiting = self._store.look(self._source(request))
        last, waited, text = self._listed
        if listed is not last or waiting != waited:
            text = json_text(recordings_answer(listed, waiting))
            self._listed = listed, waiting, text
        return respond_once(request, entity_tag(text), JSON, lambda: text)

    def _rows(self, request: wrappers.Request) -> wrappers.Response:
        start = parse_overview(request.args)
        return respond_json(request, self._overview.answer(self._source(request), start))

    def _sweep(self, request: wrappers.Request) -> wrappers.Response:
        query = parse_sweep(request.args)
        return respond_json(request, self._sweeps.answer(self._source(request), query))

    def _export(self, request: wrappers.Request) -> wrappers.Response:
        query = parse_export(request.args)
        run, name, contents = self._recording(request)
        tag = entity_tag(contents.version, query)
        content_type = CSV if query.format == "csv" else JSON
        file_name = download_name(run, name, query.format)
        return respond_once(
            request, tag, content_type, lambda: export_answer(contents, query), file_name
        )

    def _findings(self, request: wrappers.Request) -> wrappers.Response:
        run, name, contents = self._recording(request)
        answer = {
            "run": run,
            "name": name,
            "findings": describe_findings(self._found.of(contents)),
            "thresholds": asdict(self._found.thresholds),
        }
        return respond_json(request, answer)

    def _composition(self, request: wrappers.Request) -> wrappers.Response:
        run, name = parse_recording(request.args)
        composed = self._composed(request)
        answer = {
            "recording": describe_recording(composed.listed) if composed else None,
            "tags": sorted(self._store.scalars(self._source(request), run), key=natural_key),
            "findings": describe_findings(self._found.of(composed.contents)) if composed else [],
        }
        return respond_json(request, {"run": run, "name": name, **answer})

    def _answer(
        self,
        parse: Callable[[Mapping[str, str]], Query],
        content_type: str,
        answer: Callable[[str, str, Contents, Query], bytes | dict[str, Any]],
        request: wrappers.Request,
    ) -> wrappers.Response:
        """Answers a question about one recording, unless its asker has the answer."""
        query = parse(request.args)
        run, name, contents = self._recording(request)
        tag = entity_tag(contents.version, query)

        def encoded() -> bytes | str:
            told = answer(run, name, contents, query)
            return told if isinstance(told, bytes) else json_text(told)

        response = respond_once(request, tag, content_type, encoded)
        self._store.trim()
        return response

    def _recording(self, request: wrappers.Request) -> tuple[str, str, Contents]:
        run, name = parse_recording(request.args)
        composed = self._composed(request)
        if composed is not None:
            return run, name, composed.contents
        contents = self._store.contents(self._source(request), run, name)
        if contents is None:
            raise errors.NotFoundError(
                f"Run {run!r} has no recording {name!r}. /recordings lists what there is."
            )
        return run, name, contents

    def _composed(self, request: wrappers.Request) -> Found | None:
        """Returns the scalars of a run as they are to be composed, if it says how."""
        text = request.args.get("composition")
        if text is None:
            return None
        return self._store.composed(self._source(request), *parse_recording(request.args), text)

    def _source(self, request: wrappers.Request) -> TensorBoardSource:
        return TensorBoardSource(
            self._provider,
            plugin_util.context(request.environ),
            plugin_util.experiment_id(request.environ),
        )


@wrappers.Request.application
def no_such_route(request: wrappers.Request) -> wrappers.Response:
    """Answers as TensorBoard does where no plugin has a route."""
    return respond(request, "Not found", "text/plain", 404)


def _told(context: Any) -> Told:
    """Returns what TensorBoard's context says of its scalars; it may say nothing."""
    kept = (getattr(context, "sampling_hints", None) or {}).get("scalars", _SCALARS_KEPT)
    return Told(kept, getattr(context, "logdir", None) or "LOGDIR")
