"""Paths that a client probably wants instead of one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import quote

from starlette.routing import BaseRoute, Match, Route

from app.responses.problems import NotFound, closest_match

_MAX_PATH_CHARACTERS = 200
"""Characters of a path that is compared with others."""


def path_not_found(path: str, routes: Sequence[BaseRoute]) -> NotFound:
    """The error for an unknown path: it suggests the one that is probably meant."""
    trimmed = "/" + "/".join(filter(None, path.split("/")))
    if trimmed != path and _exists(trimmed, routes):
        detail = f"Paths have no trailing slash and no empty segment; use {trimmed}."
        return NotFound(detail, suggestion=trimmed)
    templates = [route.path for route in routes if isinstance(route, Route)]
    suggestion = closest_match(trimmed, [path for path in templates if "{" not in path])
    suggestion = _similar_template(trimmed, templates) or suggestion
    hint = f"Did you mean {suggestion}?" if suggestion else "See /v1 for every collection."
    return NotFound(hint, suggestion=suggestion)


def nearest_path(path: str, routes: Sequence[BaseRoute], *, itself: bool = False) -> str:
    """The longest path that exists and that a path begins with; `/` if there is none.

    Args:
        path: The path.
        routes: Those that exist.
        itself: Whether it may be the path itself.
    """
    segments = path.strip("/").split("/")[: None if itself else -1]
    parents = ("/" + "/".join(segments[:count]) for count in range(len(segments), 0, -1))
    return next((parent for parent in parents if _exists(parent, routes)), "/")


def _exists(path: str, routes: Sequence[BaseRoute]) -> bool:
    """Whether a route has this path."""
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in routes)


def _similar_template(path: str, templates: Iterable[str]) -> str | None:
    """A path with the parameters of this one, and fixed segments that are similar to its own."""
    segments = path[:_MAX_PATH_CHARACTERS].split("/")
    for template in templates:
        fixed = template.split("/")
        if "{" not in template or len(fixed) != len(segments):
            continue
        pairs = list(zip(segments, fixed, strict=True))
        if all(name.startswith("{") or closest_match(part, [name]) for part, name in pairs[1:]):
            return "/".join(
                quote(part, errors="replace") if name.startswith("{") else name
                for part, name in pairs
            )
    return None
