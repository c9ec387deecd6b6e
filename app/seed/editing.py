"""What the commands for editing a seed report."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.models.evidence import MAX_QUOTE_CHARACTERS
from app.models.notation import count_noun, one_line
from app.seed.copies import PageCopy
from app.seed.drafts import Draft, Filled, fill_in, measure_draft_coverage
from app.seed.errors import Issue, format_value, name_differences
from app.seed.messages import FILLED_IN_BY_CITE
from app.seed.sentences import long_sentences
from app.seed.skeleton import write_skeleton
from app.seed.word_search import describe_similar, excerpt, find_quotes

_MAX_SENTENCE_CHARACTERS = 60
"""Length to which sentences are shown."""
_MAX_OCCURRENCES = 10
"""Occurrences that are listed."""
_MAX_ISSUES = 20
"""Issues that are listed while a seed is edited, so that they fit a screen."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a command prints.

    Attributes:
        output: Lines for programs to read.
        messages: Lines for people.
        failed: Whether something is missing or wrong.
    """

    output: Sequence[str]
    messages: Sequence[str] = ()
    failed: bool = False


def new_draft(path: Path, url: str, source_id: str, copy: PageCopy) -> Draft:
    """The skeleton of a seed for a page, with the digest and the length of a copy."""
    draft = Draft(path, write_skeleton(url, source_id, str(date.today())))  # noqa: DTZ011 - local
    return fill_in(draft, {source_id: copy}).draft


def report_quotes(text: str, words: str, source_id: str) -> Report:
    """Each occurrence of words in a text as a quote; or what the text has instead."""
    if len(words) > MAX_QUOTE_CHARACTERS:
        count = f"{MAX_QUOTE_CHARACTERS} characters, not {len(words)}"
        return Report((), [f"A quote has at most {count}."], failed=True)
    quotes = find_quotes(text, words)
    if not quotes:
        found, nearest = format_value(words), describe_similar(text, words)
        return Report((), [f"found no {found}; expected {nearest}"], failed=True)
    listed = quotes[:_MAX_OCCURRENCES]
    source = {"source": source_id} if source_id else {}
    output = [json.dumps({**source, **quote}, ensure_ascii=False) for quote in listed]
    messages = [
        f"The page's words look like these, but are others{named}."
        for named in dict.fromkeys(name_differences(words, quote["exact"]) for quote in listed)
        if named
    ]
    sentences = long_sentences(text)
    if any(q["start"] <= start and end <= q["end"] for q in listed for start, end in sentences):
        messages.append("This is a whole sentence; quote only a part of it.")
    if len(quotes) > 1:
        messages.append(f"{len(quotes)} occurrences; use the one that supports the value:")
        messages += [f"  {excerpt(text, quote['start'], quote['end'])}" for quote in listed]
    if len(quotes) > len(listed):
        messages.append(f"  and {len(quotes) - len(listed)} more: quote more words")
    return Report(output, messages)


def report_filled(filled: Filled, *, check: bool) -> Report:
    """The number of values filled in, or the pointers of those left out; and the issues."""
    state = "left out" if check else "filled in"
    output = [f"{filled.draft.path}: {count_noun(len(filled.added), 'value')} {state}"]
    missing = [f"{pointer}: left out" for pointer in filled.added] if check else []
    messages = [*missing, *map(str, filled.issues)]
    return Report(output, messages, failed=bool(messages))


def report_coverage(draft: Draft, copies: Mapping[str, PageCopy]) -> Report:
    """The share of the sentences of each page that are cited, and the start of each other one."""
    output = []
    coverages = measure_draft_coverage(draft, copies)
    for id_, coverage in coverages.items():
        output.append(f"{id_}: {coverage.ratio} cited, {coverage.share:.0%}")
        for start, end in coverage.uncited:
            sentence = one_line(copies[id_].text[start:end])
            output.append(f"  {start} to {end}: {_shorten(sentence)}")
    return Report(output, failed=any(coverage.uncited for coverage in coverages.values()))


def report_state(
    draft: Draft, copies: Mapping[str, PageCopy], errors_of: Callable[[Draft], Sequence[Issue]]
) -> Report:
    """All that a draft lacks: its errors once it is filled in, and its coverage.

    Args:
        draft: The draft.
        copies: Copies of its sources, by id.
        errors_of: Returns the errors of a draft.
    """
    filled = fill_in(draft, copies)
    issues = [*filled.issues, *_without_unfilled(errors_of(filled.draft), filled.issues)]
    output = [f"{draft.path}: {count_noun(len(issues), 'issue')}"]
    output += [f"  {issue}" for issue in issues[:_MAX_ISSUES]]
    if len(issues) > _MAX_ISSUES:
        output.append(f"  and {len(issues) - _MAX_ISSUES} more")
    if filled.added:
        output.append(
            f"  {count_noun(len(filled.added), 'value')} left out, to be filled in by cite"
        )
    coverage = report_coverage(filled.draft, copies)
    return Report([*output, *coverage.output], failed=bool(issues) or coverage.failed)


def _without_unfilled(errors: Sequence[Issue], unfilled: Sequence[Issue]) -> Iterator[Issue]:
    """The errors, except for values that are missing where `cite` reports why it cannot fill in."""
    places = {issue.pointer for issue in unfilled}
    places |= {place.rpartition("/")[0] for place in places}
    for error in errors:
        place = error.pointer.rpartition("/")[0]
        if error.expected != FILLED_IN_BY_CITE or place not in places:
            yield error


def _shorten(text: str) -> str:
    shortened = text[: _MAX_SENTENCE_CHARACTERS - 1]
    return text if len(text) <= _MAX_SENTENCE_CHARACTERS else f"{shortened}…"
