"""What a seed file says of the whole record."""

from pydantic import Field

from app.models.base import StrictModel
from app.models.dates import Day
from app.models.evidence import Reference
from app.models.values import Sha256, Text, Url


class License(StrictModel):
    """The terms under which the record may be used."""

    title: Text = Field(description="The terms, in a sentence.")
    url: Url = Field(description="Where the terms are explained.")


class Outlines(StrictModel):
    """The file of region outlines, an enrichment, pinned by its digest."""

    file: str = Field(pattern=r"^[a-z0-9._-]+$", description="Name, beside the seed file.")
    sha256: Sha256
    reference: Reference = Field(description="Where the outlines come from.")
    note: Text = Field(description="How far they can be trusted.")


class Header(StrictModel):
    """What a seed file says of the whole record."""

    schema_name: str | None = Field(
        None, alias="$schema", description="The JSON Schema that an editor checks against."
    )
    modified: Day = Field(description="Day on which the record was last changed.")
    archive_notice: Text = Field(description="What the record is and is not.")
    license: License
    outlines: Outlines
