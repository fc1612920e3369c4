"""How a route answers: GET only, failures in JSON, and nothing twice to who has it already."""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import re
import secrets
from collections.abc import Callable
from typing import Any

from tensorboard import errors
from tensorboard.backend import http_util
from werkzeug import wrappers

from tb_regplugin.reading.query import QueryError

_logger = logging.getLogger(__name__)

JSON = "application/json"
BINARY = "application/octet-stream"
CSV = "text/csv; charset=utf-8"

# In every tag, since another version of the plugin may answer the same question otherwise.
_PROCESS = secrets.token_hex(8)
_MAX_NAME = 100

respond: Callable[..., wrappers.Response] = http_util.Respond


def route(answer: Callable[[wrappers.Request], wrappers.Response]) -> Any:
    """Returns a WSGI application that answers GET only, and every failure in JSON."""

    @functools.wraps(answer)
    def respond_to(request: wrappers.Request) -> wrappers.Response:
        if request.method != "GET":
            reason = f"This route answers GET, not {request.method}."
            return respond(request, {"error": reason}, JSON, 405, headers=[("Allow", "GET")])
        try:
            return answer(request)
        except QueryError as error:
            return respond(request, {"error": str(error)}, JSON, 400)
        except errors.PublicError as error:
            answered = {"error": str(error)}
            return respond(request, answered, JSON, error.http_code, headers=error.headers)
        except Exception:
            _logger.exception("Answering %s failed.", request.path)
            reason = "Reading the recording failed. TensorBoard's log in the terminal says why."
            return respond(request, {"error": reason}, JSON, 500)

    return wrappers.Request.application(respond_to)


def respond_once(
    request: wrappers.Request,
    tag: str,
    content_type: str,
    make: Callable[[], Any],
    file_name: str | None = None,
) -> wrappers.Response:
    """Answers with what ``make`` returns, unless who asks has the answer of this tag already.

    With a file name it is a file to be saved, whose parts are made as they are sent.
    """
    # What TensorBoard adds to the answers that go through it, and the tag.
    headers = [
        ("ETag", tag),
        ("Cache-Control", "no-cache, must-revalidate"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if request.if_none_match.contains_weak(tag[3:-1]):
        return wrappers.Response(status=304, content_type=content_type, headers=headers)
    if file_name is None:
        return respond(request, make(), content_type, headers=headers[:1])
    # A lone surrogate has no UTF-8.
    encoded = (part.encode("utf-8", errors="backslashreplace") for part in make())
    headers.append(("Content-Disposition", f'attachment; filename="{file_name}"'))
    return wrappers.Response(encoded, content_type=content_type, headers=headers)


def respond_json(request: wrappers.Request, content: Any) -> wrappers.Response:
    """Answers with JSON, unless who asks has the very same already."""
    text = json_text(content)
    return respond_once(request, entity_tag(text), JSON, lambda: text)


def json_text(content: Any) -> str:
    """Returns what is answered as JSON."""
    return json.dumps(content, allow_nan=False)


def entity_tag(*told: object) -> str:
    """Returns a name for an answer: what follows from the same has the same name.

    It is a weak one, since TensorBoard may compress the answer.
    """
    text = repr((_PROCESS, *told)).encode(errors="surrogatepass")
    return f'W/"{hashlib.blake2b(text, digest_size=16).hexdigest()}"'


def download_name(run: str, name: str, extension: str) -> str:
    """Returns a file name that is safe on every system."""
    stem = re.sub(r"[^A-Za-z0-9-]+", "_", f"{run}_{name}").strip("_")[:_MAX_NAME]
    return f"{stem or 'recording'}.{extension}"
