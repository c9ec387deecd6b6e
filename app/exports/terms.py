"""What every file says about the record: its description and its licenses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def licenses(metadata: Mapping[str, Any]) -> list[dict[str, str]]:
    """The license of the facts, then that of the project's own words if there is one."""
    return [terms for name in ("license", "wording_license") if (terms := metadata[name])]


def rights(metadata: Mapping[str, Any]) -> str:
    """Every license in one sentence each."""
    return " ".join(f"{terms['title'].removesuffix('.')}." for terms in licenses(metadata))


def full_description(metadata: Mapping[str, Any]) -> str:
    """The description and the archive notice."""
    return f"{metadata['description']} {metadata['archive_notice']}"
