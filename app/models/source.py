"""Sources: the archived pages that the record cites."""

from typing import Annotated, ClassVar

from pydantic import Field

from app.models.base import StrictModel
from app.models.dates import Instant, PartialDate
from app.models.evidence import MAX_QUOTE_CHARACTERS
from app.models.filters import Filter, Sort
from app.models.resource import CitedBy, NotStated, Resource
from app.models.urls import Url
from app.models.values import Id, Sha256, ShortText, Title

Words = Annotated[str, Field(min_length=1, max_length=MAX_QUOTE_CHARACTERS)]


class Furniture(StrictModel):
    """A passage of the archived text that is not about the subject, such as a banner."""

    start: int = Field(ge=0, description="Index of the first code point.")
    end: int = Field(ge=1, description="Index after the last code point.")
    reason: Title = Field(description="Reason why it is excluded from the coverage check.")
    starts_with: Words | None = Field(
        None, exclude=True, description="Its first words, from which `cite` finds its start."
    )
    ends_with: Words | None = Field(
        None,
        exclude=True,
        description="Its last words, from which `cite` finds its end; by default, it is one "
        "sentence or line.",
    )


class Source(Resource):
    """An archived page. Its text is not served; `sha256` lets you verify a copy of it."""

    type: ClassVar[str] = "source"
    collection: ClassVar[str] = "sources"
    references: ClassVar = {"publisher": "organization"}
    uncited_fields: ClassVar = frozenset({"sha256", "bytes", "characters"})
    searchable_fields: ClassVar = ("title", "notices", "url")
    filters: ClassVar = (Filter("publisher", "publisher"),)
    sorts: ClassVar = (Sort("title", "title_key"),)

    publisher: Id | None = Field(description="Organization that published the page.")
    title: Title = Field(description="Title in the project's own words.")
    url: Url | None = Field(description="URL of the archived page.")
    archived_from: PartialDate | None = Field(description="Start of the archived period.")
    archived_to: PartialDate | None = Field(description="End of the archived period.")
    notices: Annotated[list[ShortText], Field(min_length=1)] | None = Field(
        description="Notices on the page about its own status."
    )
    captured: Instant | None = Field(description="Time at which the page was captured, in UTC.")
    memento: Url | None = Field(
        description="URL of that capture in a web archive (RFC 7089). Where it and `captured` are "
        "`null`, the text is as it was handed over."
    )
    extraction_tool: Title | None = Field(
        description="Program that extracted the text from the page's HTML. The digest and all "
        "positions depend on it."
    )
    extraction_version: Title | None = Field(description="Version of `extraction_tool`.")
    sha256: Sha256 = Field(description="SHA-256 of the archived text, hexadecimal.")
    bytes: int = Field(ge=0, description="Length of the archived text in bytes.")
    characters: int = Field(ge=0, description="Length of the archived text in code points.")
    furniture: Annotated[list[Furniture], Field(min_length=1)] | None = Field(
        description="Passages of the text that are not about the subject, such as banners."
    )
    not_stated: NotStated
    evidence: CitedBy
