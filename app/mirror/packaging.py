"""The forms in which archives take in a mirror: BagIt, RO-Crate and WARC."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from app import __version__
from app.exports.citing import author_name, release_address
from app.mirror.asgi_client import AsgiClient
from app.mirror.crate import CRATE, CrateFile, CrateSubject, render_crate
from app.mirror.entries import MANIFEST, Entry
from app.mirror.warc import WARC, WARC_MEDIA_TYPE, WarcFile, open_warc
from app.responses.formats import NDJSON

ADDITIONS = (WARC, CRATE)
"""Files that a mirror may have besides those of its manifest."""


@dataclass(frozen=True, slots=True)
class Packaging:
    """The forms in which archives take in a mirror.

    Attributes:
        bag: Whether the mirror is put into a bag (BagIt).
        crate: Whether it is described as a research object (RO-Crate).
        warc: Whether it has its responses as a web archive (WARC), too; this needs a public URL.
    """

    bag: bool = False
    crate: bool = False
    warc: bool = False


def new_warc(app: FastAPI, directory: Path) -> AbstractContextManager[WarcFile]:
    """Create the web archive of an application's responses in a directory."""
    origin = app.state.settings.public_url
    return open_warc(directory / WARC, AsgiClient(app), origin, app.state.archive.date)


def describe_crate(app: FastAPI, pages: Iterable[Entry], directory: Path) -> str:
    """The description of an application's mirror in a directory as a research object."""
    archive = app.state.archive
    rows = archive.connection.execute("SELECT title, url FROM sources ORDER BY rowid")
    sources = [(title.decode(), url.decode()) for title, url in rows if url is not None]
    settings = app.state.settings
    subject = CrateSubject(archive.metadata, archive.label, archive.date, sources, settings)
    others = (
        CrateFile(
            directory / MANIFEST,
            "Manifest of the mirror",
            "URL, media type, size and SHA-256 of every file.",
            NDJSON.media_type,
        ),
        CrateFile(
            directory / WARC,
            "Web archive",
            "The same responses as a web archive, without content coding.",
            WARC_MEDIA_TYPE,
        ),
    )
    return render_crate(subject, pages, [file for file in others if file.path.exists()])


def describe_bag(app: FastAPI) -> dict[str, str]:
    """What `bag-info.txt` says of the record. Its date is that of the release."""
    settings, archive = app.state.settings, app.state.archive
    metadata, origin = archive.metadata, settings.public_url
    address = origin and release_address(archive.label, origin)
    elements = {
        "Source-Organization": settings.publisher_name or author_name(metadata),
        "Contact-Name": settings.contact_name,
        "Contact-Email": settings.contact_email,
        "External-Description": f"{metadata['title']}, release {archive.label}",
        "External-Identifier": address or archive.release,
        "Bagging-Date": archive.date,
        "Bag-Software-Agent": f"cpc-record {__version__}",
    }
    return {label: value for label, value in elements.items() if value}
