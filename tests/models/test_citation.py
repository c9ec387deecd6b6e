"""Citations are rendered exactly as their model would be."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from app.models import Citation, Organization
from app.models.citation import CITATION_COLUMNS, CITATION_ID_PATTERN, citation_rows

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


def ids_of(*evidence: dict[str, Any]) -> list[str]:
    """Ids of the citations for the name of an organization."""
    return [str(row[0]) for row in citation_rows(organization(list(evidence)))]


def quote(exact: str, start: int, **members: Any) -> dict[str, Any]:
    """Evidence that quotes words at a position."""
    end = start + len(exact)
    source = {"source": "page", "start": start, "end": end, "exact": exact}
    return {"basis": "stated", "quote": source, **members}


def reference(title: str, url: str) -> dict[str, Any]:
    """Evidence from another publication."""
    terms = {"title": title, "url": url, "license": "CC0"}
    return {"basis": "enriched", "reference": terms}


@given(words=st.lists(SPECIAL, min_size=1, unique=True), others=st.lists(SPECIAL), data=st.data())
def test_an_id_means_the_same_words_whatever_else_is_cited(
    words: list[str], others: list[str], data: st.DataObject
) -> None:
    """It stays when citations are added, removed or moved, and when basis or note change."""
    own = [quote(text, 10 * index) for index, text in enumerate(words)]
    ids = ids_of(*own)
    assert len({*ids}) == len(ids)
    assert all(re.fullmatch(CITATION_ID_PATTERN, citation_id) for citation_id in ids)
    added = [quote(text, 10_000 + index) for index, text in enumerate(others) if text not in words]
    changed = [{**item, "basis": "editorial", "note": "Another note."} for item in own]
    mixed = data.draw(st.permutations([*changed, *added]))
    found = dict(zip(ids_of(*mixed), mixed, strict=False))
    for citation_id, item in zip(ids, changed, strict=True):
        assert found[citation_id] == item


def test_equal_words_are_told_apart_by_their_order_on_the_page() -> None:
    """Not by their order in the seed, nor by their exact position."""
    first, second = quote("Peru", 10), quote("Peru", 50)
    ids = ids_of(first, second)
    assert len({*ids}) == 2
    assert ids_of(second, first) == ids[::-1]
    assert ids_of(quote("Peru", 11), quote("Peru", 51)) == ids
    assert ids_of(first) == ids[:1]


def test_other_words_sources_and_publications_have_other_ids() -> None:
    """Everything that names what is cited counts."""
    other_source = quote("Peru", 10)
    other_source["quote"]["source"] = "other-page"
    evidence = [
        quote("Peru", 10),
        quote("peru", 10),
        other_source,
        reference("Peru", "https://example.org/a"),
        reference("Peru", "https://example.org/b"),
        reference("peru", "https://example.org/a"),
    ]
    assert len({*ids_of(*evidence)}) == len(evidence)
