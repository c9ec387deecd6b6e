"""Which requests get which format, known before routing: for `Vary` and for the cache key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from app.responses.formats import Format, negotiate_format


@dataclass(frozen=True, slots=True)
class NegotiatedPath:
    """A path, or a template of paths, that offers several formats.

    Attributes:
        path: The path, with parameters in braces.
        pattern: Regular expression that matches the paths of a template.
        formats: The formats, in order of preference.
        has_parameter: Whether the query parameter `format` overrides `Accept`.
    """

    path: str
    pattern: re.Pattern[str]
    formats: tuple[Format, ...]
    has_parameter: bool = False


class Negotiation:
    """What the responses of each path depend on, in addition to the URL.

    `Vary` is the same for every success and 304 of a path, regardless of the request, because
    caches expect one per URL (RFC 9111, 4.1).

    Attributes:
        format_name: Name of the format that `Accept` selects for a path, a raw query and an
            `Accept` header; empty if the response ignores `Accept`. Remembers recent answers.
    """

    def __init__(
        self,
        paths: Iterable[NegotiatedPath] = (),
        is_uncoded: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Create it.

        Args:
            paths: All paths with several formats.
            is_uncoded: Whether a path's responses never have a content coding.
        """
        all_paths = list(paths)
        self._exact = {path.path: path for path in all_paths if "{" not in path.path}
        self._templates = [path for path in all_paths if "{" in path.path]
        self._is_uncoded = is_uncoded
        self.format_name = lru_cache(maxsize=1_024)(self._format_name)

    def vary(self, path: str) -> bytes:
        """The `Vary` header of a path (RFC 9110, 12.5.5); empty if nothing is negotiated."""
        if self._is_uncoded(path):
            return b""
        return b"Accept, Accept-Encoding" if self._find(path) else b"Accept-Encoding"

    def _format_name(self, path: str, query: bytes, accept: bytes) -> str:
        negotiated = self._find(path)
        if negotiated is None or (negotiated.has_parameter and _has_format_parameter(query)):
            return ""
        chosen = negotiate_format(accept, negotiated.formats)
        return chosen.name if chosen else ""

    def _find(self, path: str) -> NegotiatedPath | None:
        exact = self._exact.get(path.removesuffix("\n"))  # Starlette's routes ignore it, too
        if exact is not None:
            return exact
        return next(
            (template for template in self._templates if template.pattern.match(path)), None
        )


def _has_format_parameter(query: bytes) -> bool:
    """Whether a query has the parameter; one whose name is percent-encoded is not recognized."""
    return query.startswith(b"format=") or b"&format=" in query
