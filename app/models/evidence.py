"""What a value rests on, as the seed file holds it beside the value."""

from typing import Annotated, Literal

from pydantic import Field

from app.models.base import StrictModel
from app.models.values import Slug, Text, Title, Url

MAX_QUOTE_CHARACTERS = 80
"""Most characters that one quoted fragment may have."""


class Quote(StrictModel):
    """A fragment of an archived text and where it stands, in Unicode code points from 0."""

    source: Slug = Field(description="Id of the source whose archived text is quoted.")
    start: int = Field(ge=0, description="Index of the first code point.")
    end: int = Field(ge=1, description="Index after the last code point.")
    exact: str = Field(
        min_length=1, max_length=MAX_QUOTE_CHARACTERS, description="The fragment itself."
    )


class Reference(StrictModel):
    """A published reference other than the archived page."""

    title: Title = Field(description="What the reference is called.")
    url: Url = Field(description="Where it is published.")
    license: Title = Field(description="The terms under which its content may be used.")


class Stated(StrictModel):
    """The page says it, be it in other notation."""

    basis: Literal["stated"]
    quote: Quote
    note: Text | None = None


class Derived(StrictModel):
    """It follows from the page by a rule, which the note gives."""

    basis: Literal["derived"]
    quote: Quote
    note: Text


class Editorial(StrictModel):
    """The project's own wording of what the quoted fragment says."""

    basis: Literal["editorial"]
    quote: Quote
    note: Text | None = None


class Enriched(StrictModel):
    """From another published reference, not from the page."""

    basis: Literal["enriched"]
    reference: Reference
    note: Text | None = None


Evidence = Annotated[Stated | Derived | Editorial | Enriched, Field(discriminator="basis")]
EvidenceByField = dict[str, Annotated[list[Evidence], Field(min_length=1)]]
