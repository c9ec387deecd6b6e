"""Evidence for values, as in the seed file."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from app.models.base import StrictModel
from app.models.urls import Url
from app.models.values import Id, Text, Title

MAX_QUOTE_CHARACTERS = 80
"""Quotes are short, so that the text of the page is not republished."""

BASIS_MEANINGS: Mapping[str, str] = {
    "stated": "taken directly from the archived page, possibly reformatted",
    "derived": "follows from the archived page by a rule, which the note states",
    "editorial": "the project's own wording of what the quoted text says",
    "enriched": "from another publication, which is named with its license",
}
"""What each basis of a value means, in the words of every document."""
UNCITED_VALUES = (
    "ids, the order of siblings, links, references to a parent, and the size and digest of the "
    "archived page"
)
"""Values without a citation, as they say nothing about the partnership."""


class Quote(StrictModel):
    """A fragment of an archived text, with its position in Unicode code points from 0."""

    source: Id = Field(description="Id of the quoted source.")
    start: int = Field(ge=0, description="Index of the first code point.")
    end: int = Field(ge=1, description="Index after the last code point.")
    exact: str = Field(
        min_length=1, max_length=MAX_QUOTE_CHARACTERS, description="The fragment itself."
    )
    prefix: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_QUOTE_CHARACTERS,
        description="Text right before the fragment, if it occurs more than once.",
    )
    suffix: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_QUOTE_CHARACTERS,
        description="Text right after the fragment, if it occurs more than once.",
    )

    @property
    def context(self) -> tuple[int, str]:
        """Start and text of the fragment with its prefix and suffix."""
        if self.prefix is None and self.suffix is None:
            return self.start, self.exact
        prefix, suffix = self.prefix or "", self.suffix or ""
        return self.start - len(prefix), f"{prefix}{self.exact}{suffix}"


class Reference(StrictModel):
    """A publication other than the archived page."""

    title: Title = Field(description="Title of the publication.")
    url: Url = Field(description="Where it is published.")
    license: Title = Field(description="Terms of use of its content.")


class Stated(StrictModel):
    """Taken directly from the archived page, possibly reformatted."""

    basis: Literal["stated"]
    quote: Quote
    note: Text | None = None


class Derived(StrictModel):
    """Follows from the archived page by a rule, which the note states."""

    basis: Literal["derived"]
    quote: Quote
    note: Text


class Editorial(StrictModel):
    """The project's own wording of what the quoted text says."""

    basis: Literal["editorial"]
    quote: Quote
    note: Text | None = None


class Enriched(StrictModel):
    """From another publication, which is named with its license."""

    basis: Literal["enriched"]
    reference: Reference
    note: Text | None = None


Evidence = Annotated[Stated | Derived | Editorial | Enriched, Field(discriminator="basis")]
EvidenceByField = dict[str, Annotated[list[Evidence], Field(min_length=1)]]
