"""The archive notice of a record that states none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.models.dates import first_day, last_day
from app.models.notation import count_noun, join_phrases, us_date

_MAX_PUBLISHERS = 3
_CLOSING = "Except for values that are marked as enriched, it contains nothing published later."


class ArchivedPage(NamedTuple):
    """A source of the record: name of its publisher, start and end of its archive period."""

    publisher: str | None
    archived_from: str | None
    archived_to: str | None


def archive_notice(pages: Sequence[ArchivedPage]) -> str:
    """What the record restates: the number of archived pages, their publishers and their period."""
    if not pages:
        return "This record restates no archived web page yet."
    facts = "; ".join(_facts(pages))
    verb = "is" if len(pages) == 1 else "are"
    return (
        f"This record restates {count_noun(len(pages), 'archived web page')}, which {verb} no "
        f"longer updated{f' ({facts})' if facts else ''}. {_CLOSING}"
    )


def _facts(pages: Sequence[ArchivedPage]) -> Iterator[str]:
    """The publishers, and the first and last date of the archive periods, if stated."""
    publishers = list(dict.fromkeys(page.publisher for page in pages if page.publisher))
    if publishers:
        shown, more = publishers[:_MAX_PUBLISHERS], len(publishers) - _MAX_PUBLISHERS
        yield f"published by: {join_phrases([*shown, *([f'{more:,} more'] if more > 0 else [])])}"
    starts = [page.archived_from for page in pages if page.archived_from]
    ends = [page.archived_to for page in pages if page.archived_to]
    if starts:
        yield f"archived from {us_date(min(starts, key=first_day))}"
    if ends:
        yield f"archived to {us_date(max(ends, key=last_day))}"
