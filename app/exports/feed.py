"""The feed of releases (Atom, RFC 4287), for feed readers and for programs that await a release.

It holds only what all readers understand: addresses are absolute, the first `alternate` link of an
entry is a page, `published` equals `updated`, and an entry never changes.
"""

from __future__ import annotations

import sqlite3
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from app.archive.archive import Archive
from app.exports.citing import author_name, release_address
from app.exports.iati import INVALID_IN_XML

FEED_PATH = "/v1/releases.atom"
HISTORY_PATH = "/history"
_MAX_ENTRIES = 100
_NEWEST_RELEASES = f"""
SELECT id, date, note FROM releases WHERE NOT draft ORDER BY position DESC LIMIT {_MAX_ENTRIES}
"""  # noqa: S608 - a constant


def releases_feed(archive: Archive, origin: str, connection: sqlite3.Connection) -> bytes:
    """The feed, the newest release first; a draft is not a release.

    Args:
        archive: The record.
        origin: Public base URL of the API.
        connection: Connection of the current thread.
    """
    releases = [
        (label.decode(), day.decode(), note.decode())
        for label, day, note in connection.execute(_NEWEST_RELEASES)
    ]
    feed = Element("feed", {"xmlns": "http://www.w3.org/2005/Atom", "xml:lang": "en"})
    _add_text(feed, "id", f"{origin}{FEED_PATH}")
    _add_text(feed, "title", f"{archive.metadata['title']}: releases")
    _add_text(
        feed, "updated", _moment(releases[0][1] if releases else archive.metadata["modified"])
    )
    _add_text(SubElement(feed, "author"), "name", author_name(archive.metadata))
    _add_text(feed, "rights", archive.metadata["license"]["title"])
    _add_link(feed, "alternate", f"{origin}{HISTORY_PATH}", "text/html")
    _add_link(feed, "self", f"{origin}{FEED_PATH}", "application/atom+xml")
    for release in releases:
        _add_entry(feed, origin, *release)
    indent(feed)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(feed, "unicode")}\n'.encode()


def _add_entry(feed: Element, origin: str, label: str, day: str, note: str) -> None:
    entry, address = SubElement(feed, "entry"), release_address(label, origin)
    _add_text(entry, "id", address)
    _add_text(entry, "title", f"Release {label}")
    _add_link(entry, "alternate", f"{origin}{HISTORY_PATH}#{label}", "text/html")
    _add_link(entry, "related", address, "application/json")
    _add_text(entry, "published", _moment(day))
    _add_text(entry, "updated", _moment(day))
    _add_text(entry, "summary", note)


def _add_text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text.translate(INVALID_IN_XML)


def _add_link(parent: Element, relation: str, address: str, media_type: str) -> None:
    SubElement(parent, "link", {"rel": relation, "type": media_type, "href": address})


def _moment(day: str) -> str:
    """The start of a day in UTC (RFC 3339)."""
    return f"{day}T00:00:00Z"
