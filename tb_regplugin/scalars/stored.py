"""Compositions that somebody stored in a log directory, as events; and their texts."""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import math
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, types_pb2

from tb_regplugin.names import COMPOSITIONS_PLUGIN_NAME, shortened
from tb_regplugin.scalars.composition import Composition, Part, Weight, logged_tags
from tb_regplugin.scalars.tags import Role, parse

VERSION = 1

_ROLES: tuple[Role, ...] = get_args(Role)
# Between the tags of a product of logged weights.
_TIMES = "*"


def stored_tag(total: str | None) -> str:
    """Returns the tag of a total's composition: there is one for each, and the last stands."""
    return f"composition/{hashlib.sha256((total or '').encode()).hexdigest()[:16]}"


def stored_event(
    total: str | None, composition: Composition | None, wall_time: float
) -> event_pb2.Event:
    """Returns the event that stores a total's composition, or with None takes it away.

    Its step is the time in seconds: a later one takes the earlier one's place, and is the one that
    TensorBoard keeps of the tag.
    """
    document: dict[str, Any] = {"version": VERSION, "total": total}
    if composition is not None:
        document["parts"] = [
            {
                "tag": part.tag,
                "weight": list(part.weight) if isinstance(part.weight, tuple) else part.weight,
                "role": part.role,
            }
            for part in composition.parts
        ]
    text = json.dumps(document, sort_keys=True).encode()
    value = summary_pb2.Summary.Value(
        tag=stored_tag(total),
        tensor=tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[text]),
        metadata=summary_pb2.SummaryMetadata(
            plugin_data={"plugin_name": COMPOSITIONS_PLUGIN_NAME},
            data_class=summary_pb2.DATA_CLASS_TENSOR,
        ),
    )
    return event_pb2.Event(wall_time=wall_time, step=int(wall_time), summary={"value": [value]})


def read_stored(documents: Mapping[str, bytes | str]) -> tuple[list[Composition], list[str]]:
    """Reads stored compositions by their tags: those that stand, and what cannot be read."""
    found, problems = [], []
    for tag, document in documents.items():
        try:
            if (composition := _decode(document)) is not None:
                found.append(composition)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            reason = shortened(f"{type(error).__name__}: {error}")
            problems.append(f"The stored composition {shortened(tag)!r} is left out. {reason}")
    return found, problems


def parse_part(text: str, tags: Collection[str]) -> Part:
    """Reads ``TAG[=WEIGHT][:ROLE]`` of a run with these tags, which may hold such signs themselves.

    Raises:
      ValueError: There is no such tag, or the weight is none.

    Example:
      >>> parse_part("g_loss=d_weight*factor:penalty", ["g_loss", "d_weight", "factor"])
      Part(tag='g_loss', weight=('d_weight', 'factor'), role='penalty')
    """
    before, _, last = text.rpartition(":")
    role: Role | None = None
    if text not in tags and last in _ROLES:
        text, role = before, next(each for each in _ROLES if each == last)
    tag, weight = text, ""
    if text not in tags and "=" in text:
        tag, _, weight = text.rpartition("=")
    check_tag(tag, tags)
    return Part(tag, _weight(weight, tags) if weight else 1.0, role or parse(tag).role)


def read_composition(text: str, tags: Collection[str]) -> Composition:
    """Reads a composition of a run with these tags, as somebody edits it: see ``stored_event``.

    A weight may also be text, as ``parse_part`` takes it.

    Raises:
      ValueError: It is malformed, or the run has no such tags.
    """
    try:
        found = json.loads(text)
        for part in found["parts"]:
            if isinstance(part["weight"], str):
                part["weight"] = _weight(part["weight"], tags)
                if isinstance(part["weight"], tuple):
                    part["weight"] = list(part["weight"])
        composition = _decode_parts(found)
    except (TypeError, KeyError, RecursionError) as error:
        reason = shortened(f"{type(error).__name__}: {error}")
        raise ValueError(
            f"The composition cannot be read ({reason}). It has a total, or null, and parts, each "
            "with tag, weight and role."
        ) from error
    names = [part.tag for part in composition.parts]
    for tag in [*names, *([] if composition.total is None else [composition.total])]:
        check_tag(tag, tags)
    for part in composition.parts:
        for tag in logged_tags(part.weight):
            check_tag(tag, tags)
    check_once(composition.total, names)
    return replace(composition, stored=False)


def check_once(total: str | None, parts: Sequence[str]) -> None:
    """Raises a ``ValueError`` where there is no part, or a scalar is in a composition twice."""
    if not parts:
        raise ValueError("A composition needs at least one part: give --part TAG for each.")
    if len(set(parts)) < len(parts) or total in parts:
        raise ValueError("A scalar can be in a composition only once, as its total or as a part.")


def compose_command(log_dir: str, run: str, composition: Composition) -> str:
    """Returns the line that stores a composition for everyone, quoted for a shell.

    Example:
      >>> parts = Part("a loss", 0.5, "data"), Part("kl", 1.0, "penalty")
      >>> print(compose_command("logs", "train", Composition("loss", parts)))
      tb-regplugin compose logs --run train --total loss --part 'a loss=0.5:data' --part kl:penalty
    """
    words = ["tb-regplugin", "compose", log_dir, "--run", run]
    if composition.total is not None:
        words += ["--total", composition.total]
    for part in composition.parts:
        factors = part.weight if isinstance(part.weight, tuple) else (part.weight,)
        weight = _TIMES.join(map(str, factors))
        words += ["--part", f"{part.tag}{'' if part.weight == 1 else f'={weight}'}:{part.role}"]
    return shlex.join(words)


def check_tag(tag: str, tags: Collection[str]) -> None:
    """Raises a ``ValueError`` with the nearest names where a run has no such tag."""
    if tag not in tags:
        near = difflib.get_close_matches(tag, tags, n=3, cutoff=0.4) or sorted(tags)[:3]
        names = ", ".join(map(repr, near))
        raise ValueError(f"The run has no scalar {tag!r}. The nearest are {names}.")


def _weight(text: str, tags: Collection[str]) -> Weight:
    factors = [_factor(each) for each in ((text,) if text in tags else text.split(_TIMES))]
    try:
        for tag in logged_tags(tuple(factors)):
            check_tag(tag, tags)
    except ValueError as error:
        raise ValueError(f"The weight {text!r} is not a finite number. {error}") from error
    return factors[0] if isinstance(factors[0], float) and len(factors) == 1 else tuple(factors)


def _factor(text: str) -> float | str:
    with contextlib.suppress(ValueError):
        if math.isfinite(number := float(text)):
            return number
    return text


def _decode(document: bytes | str) -> Composition | None:
    found = json.loads(document)
    if found["version"] > VERSION:
        raise ValueError(f"it has version {found['version']}; update tb_regplugin to see it")
    if "parts" not in found:
        return None
    return _decode_parts(found)


def _decode_parts(found: dict[str, Any]) -> Composition:
    total = found["total"]
    if total is not None and not isinstance(total, str):
        raise ValueError(f"its total is {total!r}")
    parts = tuple(_decode_part(part) for part in found["parts"])
    return Composition(total, parts, stored=True)


def _decode_part(part: dict[str, Any]) -> Part:
    tag, weight, role = part["tag"], part["weight"], part["role"]
    if isinstance(weight, list):
        weight = tuple(weight)
    for factor in weight if isinstance(weight, tuple) else (weight,):
        is_tag = isinstance(weight, tuple) and isinstance(factor, str)
        is_number = type(factor) in (int, float) and math.isfinite(factor)
        if not is_tag and not is_number:
            raise ValueError(f"the weight of {tag!r} is {weight!r}")
    if not isinstance(tag, str) or role not in _ROLES:
        raise ValueError(f"a part is {tag!r} with the role {role!r}")
    return Part(tag, weight, role)
