"""Citations are rendered exactly as their model would be."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.models import Citation, Organization
from app.models.citation import CITATION_COLUMNS, citation_rows

LINE = st.text(min_size=1, max_size=80).filter(
    lambda text: all(ord(character) > 31 for character in text)
)
SPECIAL = LINE | st.sampled_from(['"', "\\", 'a\\"b', "%s", "{name}", "\x7f", "\u2028", "😀", "é"])
TITLE = SPECIAL.filter(lambda text: "\x7f" not in text)
NOTE = st.none() | TITLE | st.just("two\nlines\tand a tab")


def organization(evidence: list[dict[str, Any]]) -> Organization:
    """An organization with the evidence for its name."""
    return Organization.model_validate(
        {
            "id": "ilo",
            "name": "International Labor Organization",
            "short_name": None,
            "kind": "ngo",
            "roles": None,
            "not_stated": [],
            "evidence": {"name": evidence},
        }
    )


@given(exact=SPECIAL, note=NOTE, start=st.integers(0, 10**6))
def test_a_quote_is_rendered_as_by_its_model(exact: str, note: str | None, start: int) -> None:
    """The JSON equals that of the model for any quote and note, and the columns agree."""
    quote = {"source": "page", "start": start, "end": start + len(exact), "exact": exact}
    [row] = citation_rows(organization([{"basis": "stated", "quote": quote, "note": note}]))
    columns = dict(zip(CITATION_COLUMNS, row, strict=True))
    citation = Citation.model_validate_json(str(columns["document"]))
    assert citation.model_dump_json() == columns["document"]
    assert citation.target is not None
    quoted, position = citation.target.selector
    assert (quoted.exact, citation.note) == (exact, note) == (columns["exact"], columns["note"])
    assert (position.start, position.end) == (columns["start"], columns["end"])


@given(title=TITLE, note=NOTE)
def test_a_reference_is_rendered_as_by_its_model(title: str, note: str | None) -> None:
    """The same is true of a citation of another reference."""
    reference = {"title": title, "url": "https://example.org/?a=1&b=%222%22", "license": title}
    evidence = {"basis": "enriched", "reference": reference, "note": note}
    [row] = citation_rows(organization([evidence]))
    columns = dict(zip(CITATION_COLUMNS, row, strict=True))
    citation = Citation.model_validate_json(str(columns["document"]))
    assert citation.model_dump_json() == columns["document"]
    assert citation.reference is not None
    assert citation.reference.model_dump() == reference
    assert columns["reference_title"] == title
    assert citation.target is None
