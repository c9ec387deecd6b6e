"""Metadata of the whole record, from the top of the seed file."""

from typing import Annotated, Literal

from pydantic import Field

from app.models.base import StrictModel
from app.models.dates import Day
from app.models.evidence import Reference
from app.models.release import Retirement, Stamp
from app.models.urls import Url
from app.models.values import FILE_NAME_PATTERN, Sha256, ShortText, Text, Title

SEED_ONLY_FIELDS: frozenset[str] = frozenset({"schema_name", "shape", "release", "retired"})
"""Fields that are about the seed as a file, not about the record."""


class License(StrictModel):
    """Terms of use of the record, or of a part of it."""

    title: Text = Field(description="The terms, in one sentence.")
    url: Url = Field(description="Explanation of the terms.")


class Outlines(StrictModel):
    """The GeoJSON file of region outlines: an enrichment, identified by its SHA-256."""

    file: str = Field(
        pattern=FILE_NAME_PATTERN, description="File name, in the directory of the seed file."
    )
    sha256: Sha256
    reference: Reference = Field(description="Origin of the outlines.")
    note: Text = Field(description="Accuracy and limits of the outlines.")


class Metadata(StrictModel):
    """Metadata of the whole record."""

    schema_name: str | None = Field(
        None, alias="$schema", description="JSON Schema of the file, for editors."
    )
    shape: Literal[2] = Field(description="Version of the structure of this file.")
    release: Stamp | None = Field(
        None, description="Label and reason of the release; written by `cpc-record release`."
    )
    title: Title = Field(description="Name of the record.")
    description: Text = Field(description="Subject and content of the record, in a few sentences.")
    keywords: Annotated[list[ShortText], Field(min_length=1)] = Field(
        description="Search terms for data catalogs."
    )
    modified: Day = Field(description="Day of the last change to the record.")
    archive_notice: Text | None = Field(
        None,
        description="Scope and limits of the record; derived from its sources where it is null.",
    )
    license: License = Field(description="License of the facts.")
    wording_license: License | None = Field(
        None,
        description="License of the project's own words: titles, summaries and notes.",
    )
    outlines: Outlines | None = Field(
        None, description="Outlines of the regions; a record without a map has none."
    )
    retired: list[Retirement] = Field(
        default_factory=list,
        description="Every resource that an earlier release has and this one has not.",
    )
