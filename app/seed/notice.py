"""The archive notice of a record that states none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from app.models.dates import first_day, last_day
from app.models.header import Metadata
from app.models.notation import count_noun, join_phrases, us_date
from app.seed.seed_file import Entry

_MAX_PUBLISHERS = 3
_CLOSING = "Except for values that are marked as enriched, it contains nothing published later."


class SourceFacts(NamedTuple):
    """What the notice says of a source: publisher, start and end of its archive period."""

    publisher: str | None
    archived_from: str | None
    archived_to: str | None


class NoticeBuilder:
    """Collects what the notice of a seed says: its sources, and the names of their publishers."""

    def __init__(self) -> None:
        self._sources: list[SourceFacts] = []
        self._names: dict[str, str] = {}

    def add(self, entry: Entry) -> None:
        """Collect what the notice says of an entry."""
        if entry.key is None:
            return
        value: dict[str, Any] = entry.value
        if entry.collection == "organizations":
            self._names[value["id"]] = value.get("name", "")
        elif entry.collection == "sources":
            self._sources.append(SourceFacts(*map(value.get, SourceFacts._fields)))

    def with_notice(self, metadata: Metadata) -> Metadata:
        """The metadata of the seed, whose entries are valid, with a notice."""
        if metadata.archive_notice is not None:
            return metadata
        sources = [
            source._replace(publisher=self._names.get(source.publisher or "", source.publisher))
            for source in self._sources
        ]
        return metadata.model_copy(update={"archive_notice": archive_notice(sources)})


def archive_notice(sources: Sequence[SourceFacts]) -> str:
    """What the record restates: the number of archived pages, their publishers and their period."""
    if not sources:
        return "This record restates no archived web page yet."
    facts = "; ".join(_facts(sources))
    verb = "is" if len(sources) == 1 else "are"
    return (
        f"This record restates {count_noun(len(sources), 'archived web page')}, which {verb} no "
        f"longer updated{f' ({facts})' if facts else ''}. {_CLOSING}"
    )


def _facts(sources: Sequence[SourceFacts]) -> Iterator[str]:
    """The publishers, and the first and last date of the archive periods, if stated."""
    publishers = list(dict.fromkeys(source.publisher for source in sources if source.publisher))
    if publishers:
        shown, more = publishers[:_MAX_PUBLISHERS], len(publishers) - _MAX_PUBLISHERS
        yield f"published by: {join_phrases([*shown, *([f'{more:,} more'] if more > 0 else [])])}"
    starts = [source.archived_from for source in sources if source.archived_from]
    ends = [source.archived_to for source in sources if source.archived_to]
    if starts:
        yield f"archived from {us_date(min(starts, key=first_day))}"
    if ends:
        yield f"archived to {us_date(max(ends, key=last_day))}"
