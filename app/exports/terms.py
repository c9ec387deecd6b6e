"""What every file says about the record: its description, its release and its licenses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.archive.archive import Archive


def licenses(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """The license of the facts, then that of the project's own words if there is one."""
    return [terms for name in ("license", "wording_license") if (terms := metadata[name])]


def rights(metadata: Mapping[str, Any]) -> str:
    """Every license in one sentence each."""
    return " ".join(f"{terms['title'].removesuffix('.')}." for terms in licenses(metadata))


def full_description(metadata: Mapping[str, Any]) -> str:
    """The description and the archive notice."""
    return f"{metadata['description']} {metadata['archive_notice']}"


def about_record(archive: Archive) -> dict[str, str]:
    """The metadata of the record as plain text: for the database and the Parquet files."""
    metadata = archive.metadata
    terms, outlines = metadata["wording_license"], metadata["outlines"]
    about = {
        "title": metadata["title"],
        "description": metadata["description"],
        "release": archive.release,
        "release_label": archive.label,
        "created": metadata["modified"],
        "archive_notice": metadata["archive_notice"],
        "license": metadata["license"]["title"],
        "license_url": metadata["license"]["url"],
    }
    if terms is not None:
        about |= {"wording_license": terms["title"], "wording_license_url": terms["url"]}
    if outlines is None:
        return about
    return about | {
        "outlines": outlines["reference"]["title"],
        "outlines_url": outlines["reference"]["url"],
        "outlines_license": outlines["reference"]["license"],
        "outlines_note": outlines["note"],
    }
