"""Draft seeds: what copies of their sources tell is filled in, and nothing else is changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.models.evidence import Quote
from app.models.header import Outlines
from app.models.notation import count_noun
from app.models.source import Furniture, Source
from app.seed.captures import ArchivedPage
from app.seed.copies import PageCopy
from app.seed.errors import Issue, SeedError, format_value
from app.seed.json_text import Edit, Node, apply_edits, parse_json, set_members
from app.seed.quotes import Span, find_all
from app.seed.sentences import Coverage, measure_coverage, split_sentences
from app.seed.word_search import context_members, describe_similar

_MAX_LISTED_OCCURRENCES = 4


class Draft:
    """A seed file as it is written; it may lack values and need not be valid.

    Attributes:
        path: The file.
        text: Its text.
        root: Its value, with the place of every part.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path, self.text = path, text
        try:
            self.root = parse_json(text)
        except json.JSONDecodeError as error:
            found = f"line {error.lineno}, column {error.colno}: {error.msg}"
            raise SeedError(path, [Issue("", found, "valid JSON (RFC 8259)")]) from None
        except RecursionError:
            issue = Issue("", "nesting too deep to parse", "the structure of a seed")
            raise SeedError(path, [issue]) from None
        if not isinstance(self.root.content, dict):
            raise SeedError(path, [Issue("", format_value(self.root.value), "an object")])

    @classmethod
    def read(cls, path: Path) -> Draft:
        """Read a draft.

        Raises:
            SeedError: It cannot be read or is not valid JSON.
        """
        try:
            return cls(path, path.read_bytes().decode("utf-8"))
        except OSError as error:
            issue = Issue("", error.strerror or str(error), "a readable file")
        except UnicodeDecodeError as error:
            issue = Issue("", f"byte {error.start} is not UTF-8", "UTF-8")
        raise SeedError(path, [issue]) from None

    def sources(self) -> Iterator[tuple[str, Node]]:
        """Every source, with its JSON pointer."""
        yield from _items(self.root, "sources", "")

    def source_ids(self) -> list[str]:
        """The id of each source; empty for one that has none yet."""
        return [_string(source, "id") for _, source in self.sources()]

    def pages(self) -> list[ArchivedPage]:
        """The page of each source, to be found in web archives."""
        return [
            ArchivedPage(_string(source, "id"), _string(source, "url"))
            for _, source in self.sources()
        ]

    def quotes(self) -> Iterator[tuple[str, Node]]:
        """Every quote that has words, with its JSON pointer."""
        for pointer, node in self.root.walk():
            if pointer.endswith("/quote") and _string(node, "exact"):
                yield pointer, node


@dataclass(frozen=True, slots=True)
class Filled:
    """The result of filling in a draft.

    Attributes:
        draft: The new draft.
        added: JSON pointers of the values that were filled in.
        issues: What could not be filled in, or differs from the copies.
    """

    draft: Draft
    added: Sequence[str]
    issues: Sequence[Issue]


def match_copies(draft: Draft, copies: Sequence[tuple[str, PageCopy]]) -> dict[str, PageCopy]:
    """The copies by the id of their source.

    Args:
        draft: The draft.
        copies: Each with the id of its source; without one, it is that of the only source, or of
            the one whose digest it has, or of whose quotes it has the largest share.

    Raises:
        ValueError: The draft has no such source.
    """
    ids = draft.source_ids()
    if not ids:
        raise ValueError("the seed has no source yet")
    for id_, _ in copies:
        if id_ and id_ not in ids:
            raise ValueError(f"the seed has no source {id_}, only {', '.join(ids)}")
    return {id_ or _matching_source(draft, copy): copy for id_, copy in copies}


def fill_in(draft: Draft, copies: Mapping[str, PageCopy], *, renew: bool = False) -> Filled:
    """Fill in positions, contexts, digests and lengths that a draft leaves out.

    Args:
        draft: The draft.
        copies: Copies of its sources, by id.
        renew: Whether to replace those that are there and differ from the copies.
    """
    filler = _Filler(draft, copies, renew=renew)
    filler.fill_sources()
    filler.fill_quotes()
    filler.fill_outlines()
    if not filler.edits:
        return Filled(draft, (), filler.issues)
    text = apply_edits(draft.text, filler.edits)
    return Filled(Draft(draft.path, text), filler.added, filler.issues)


def measure_draft_coverage(draft: Draft, copies: Mapping[str, PageCopy]) -> dict[str, Coverage]:
    """The coverage of each source that there is a copy of; quotes without a position do not count.

    Args:
        draft: The draft, filled in.
        copies: Copies of its sources, by id.
    """
    furniture = {
        _string(source, "id"): sorted(_spans(node for _, node in _items(source, "furniture", "")))
        for _, source in draft.sources()
    }
    cited = {
        id_: list(_spans(quote for _, quote in draft.quotes() if quote.get("source") == id_))
        for id_ in copies
    }
    return {
        id_: measure_coverage(copy.text, furniture[id_], cited[id_]) for id_, copy in copies.items()
    }


class _Filler:
    """Collects the edits that fill in a draft."""

    def __init__(self, draft: Draft, copies: Mapping[str, PageCopy], *, renew: bool) -> None:
        self.draft, self.copies, self.renew = draft, copies, renew
        self.edits: list[Edit] = []
        self.added: list[str] = []
        self.issues: list[Issue] = []

    def fill_sources(self) -> None:
        """Fill in the digest and length of each source, and the positions of its furniture."""
        for pointer, source in self.draft.sources():
            copy = self.copies.get(_string(source, "id"))
            if copy is None:
                continue
            values = {
                "sha256": copy.sha256,
                "bytes": len(copy.content),
                "characters": len(copy.text),
            }
            self._set(pointer, source, values, Source)
            end = 0
            for location, passage in _items(source, "furniture", pointer):
                end = self._fill_passage(location, passage, copy.text, end)

    def fill_quotes(self) -> None:
        """Fill in the source, position and context of each quote."""
        for pointer, quote in self.draft.quotes():
            exact = quote.get("exact")
            id_ = self._source_of(pointer, quote, exact)
            if id_ is None:
                continue
            text = self.copies[id_].text
            start = self._position_of(pointer, quote, text)
            if start is None:
                continue
            end = start + len(exact)
            values: dict[str, Any] = {"source": id_, "start": start, "end": end}
            if not quote.get("prefix") and not quote.get("suffix"):
                values |= context_members(text, start, end)
            self._set(pointer, quote, values, Quote)

    def fill_outlines(self) -> None:
        """Fill in the digest of the file of outlines."""
        outlines = self.draft.root.content.get("outlines")
        name = _string(outlines, "file") if outlines else ""
        if name and not _string(outlines, "sha256"):
            try:
                content = (self.draft.path.parent / Path(name).name).read_bytes()
            except OSError as error:
                self.issues.append(Issue("/outlines/file", f"{name}: {error.strerror}", "a file"))
            else:
                digest = hashlib.sha256(content).hexdigest()
                self._set("/outlines", outlines, {"sha256": digest}, Outlines)

    def _set(self, pointer: str, node: Node, values: Mapping[str, Any], model: type[Any]) -> None:
        """Set members that are left out; report, or else renew, those with another value."""
        changed = {}
        for key, value in values.items():
            current = node.get(key)
            if current in (None, "") or (current != value and self.renew):
                changed[key] = value
                self.added.append(f"{pointer}/{key}")
            elif current != value:
                expected = f"{format_value(value)}, as in the copy"
                self.issues.append(Issue(f"{pointer}/{key}", format_value(current), expected))
        order = tuple(model.model_fields)
        self.edits += set_members(self.draft.text, node, changed, order)

    def _source_of(self, pointer: str, quote: Node, exact: str) -> str | None:
        """The source of a quote that there is a copy of; else report what is missing."""
        id_ = _string(quote, "source")
        ids = [id_] if id_ else self.draft.source_ids()
        if not id_ and len(ids) > 1:
            ids = [other for other, copy in self.copies.items() if exact in copy.text]
        if len(ids) != 1:
            expected = f"the source of {format_value(exact)}: {_either(self.draft.source_ids())}"
            self.issues.append(Issue(f"{pointer}/source", "nothing", expected))
        elif ids[0] in self.copies:
            return ids[0]
        elif quote.get("start") is None or quote.get("end") is None:
            expected = f"a copy of {ids[0]}: --source {ids[0]}=FILE"
            self.issues.append(Issue(pointer, "a quote without position", expected))
        return None

    def _position_of(self, pointer: str, quote: Node, text: str) -> int | None:
        """Where a quote starts: as it says, or else where its words are; else report why not."""
        exact = _string(quote, "exact")
        start, end = quote.get("start"), quote.get("end")
        if not isinstance(start, int) and isinstance(end, int):
            start = end - len(exact)
        if isinstance(start, int) and start >= 0 and text.startswith(exact, start):
            return start
        starts = list(find_all(text, exact))
        prefix, suffix = _string(quote, "prefix"), _string(quote, "suffix")
        selected = [
            start
            for start in starts
            if text[:start].endswith(prefix) and text.startswith(suffix, start + len(exact))
        ]
        if len(selected) == 1:
            return selected[0]
        found = format_value(exact)
        if not starts:
            self.issues.append(Issue(f"{pointer}/exact", found, describe_similar(text, exact)))
        else:
            found += f", which occurs {count_noun(len(starts), 'time')}"
            found += "" if selected == starts else f", but {len(selected)} times in its context"
            self.issues.append(Issue(pointer, found, _contexts(text, exact, starts)))
        return None

    def _fill_passage(self, pointer: str, passage: Node, text: str, after: int) -> int:
        """Fill in the position of a passage of furniture from its first and last words.

        Args:
            pointer: JSON pointer to the passage.
            passage: The passage.
            text: The text that it is a part of.
            after: End of the passage before it.

        Returns:
            The end of the passage.
        """
        first, last = _string(passage, "starts_with"), _string(passage, "ends_with")
        if not first:
            end = passage.get("end")
            return end if isinstance(end, int) else after
        sentences = [span for span in split_sentences(text, 0, len(text)) if span[0] >= after]
        starts = [span for span in sentences if text.startswith(first, span[0])]
        if len(starts) != 1:
            found = f"{format_value(first)}, with which {len(starts)} sentences or lines start"
            self.issues.append(Issue(f"{pointer}/starts_with", found, "the first words of one"))
            return after
        [(start, end)] = starts
        ends = [span[1] for span in sentences if span[1] >= end and text[: span[1]].endswith(last)]
        if not ends:
            expected = "the last words of that sentence or line, or of one after it"
            self.issues.append(Issue(f"{pointer}/ends_with", format_value(last), expected))
            return after
        self._set(pointer, passage, {"start": start, "end": ends[0]}, Furniture)
        return ends[0]


def _matching_source(draft: Draft, copy: PageCopy) -> str:
    """Id of the source with the digest of a copy, or else with the most of its quotes in it."""

    def likeness(source: Node) -> tuple[bool, float]:
        id_ = _string(source, "id")
        quotes = [quote for _, quote in draft.quotes() if quote.get("source") == id_]
        return copy.likeness(source.get("sha256"), [quote.get("exact") for quote in quotes])

    return _string(max((source for _, source in draft.sources()), key=likeness), "id")


def _items(node: Node, key: str, pointer: str) -> Iterator[tuple[str, Node]]:
    """The objects in a list that is a member of an object, with their JSON pointers."""
    member = node.content.get(key) if isinstance(node.content, dict) else None
    if member is not None and isinstance(member.content, list):
        for index, item in enumerate(member.content):
            if isinstance(item.content, dict):
                yield f"{pointer}/{key}/{index}", item


def _string(node: Node, key: str) -> str:
    """A member that is a string; empty if there is none."""
    value = node.get(key)
    return value if isinstance(value, str) else ""


def _spans(nodes: Iterator[Node]) -> Iterator[Span]:
    """The positions of those that have some."""
    for node in nodes:
        start, end = node.get("start"), node.get("end")
        if isinstance(start, int) and isinstance(end, int):
            yield start, end


def _contexts(text: str, exact: str, starts: Sequence[int]) -> str:
    """What tells occurrences of the same words apart."""
    choices = []
    for start in starts[:_MAX_LISTED_OCCURRENCES]:
        parts: dict[str, Any] = dict(context_members(text, start, start + len(exact)))
        parts = parts or {"start": start}
        members = json.dumps(parts, ensure_ascii=False)[1:-1]
        choices.append(f"{members} (at {start})")
    return _either(choices)


def _either(choices: Sequence[str]) -> str:
    return " or ".join(choices)
