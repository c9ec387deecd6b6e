"""Reads `Link` headers (RFC 8288)."""

from __future__ import annotations

import re
from typing import NamedTuple

_LINK = re.compile(r'<(?P<target>[^>]+)>(?P<attributes>(?:; [a-z]+="[^"]*")*)(?:, |$)')
_ATTRIBUTE = re.compile(r'; ([a-z]+)="([^"]*)"')


class Link(NamedTuple):
    """A link: its target, its relation, and the media type of the target if that is stated."""

    target: str
    relation: str
    type: str | None


def parse_links(header: str) -> list[Link]:
    """The links of a header, in its order; all of it must be links."""
    links, end = [], 0
    for found in _LINK.finditer(header):
        assert found.start() == end, header
        end = found.end()
        attributes = dict(_ATTRIBUTE.findall(found["attributes"]))
        links.append(Link(found["target"], attributes["rel"], attributes.get("type")))
    assert end == len(header), header
    return links


def targets(header: str, relation: str) -> list[str]:
    """Targets of the links with this relation."""
    return [link.target for link in parse_links(header) if link.relation == relation]
