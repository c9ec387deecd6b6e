"""The record: `seed.json` parsed strictly and checked for consistency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.models import RESOURCES, Resource
from app.models.document import Key
from app.models.envelope import ResourceLists
from app.models.header import Metadata, Outlines
from app.seed.checks import SeedChecks
from app.seed.errors import Issue, SeedError
from app.seed.messages import validation_issues
from app.seed.notice import NoticeBuilder
from app.seed.outlines import Outline, check_outlines
from app.seed.retired import invalid_retirements, reused_ids, unlisted_ids
from app.seed.seed_file import SeedFile

MODELS: Mapping[str, type[Resource]] = {model.collection: model for model in RESOURCES}
"""Model of each list of a seed, by its name."""


class Seed(ResourceLists, Metadata):
    """The structure of `seed.json`."""


class SeedStream:
    """A seed file that is read and checked one resource at a time.

    Iterate over it once. `metadata`, `outlines` and `release` are final after the iteration.

    Attributes:
        file: The file.
        metadata: Metadata of the whole record.
        outlines: Outlines by the region's id; a region may have none.
        entry_digests: Digest of the canonical form of each entry, by type and id; only if required.
    """

    metadata: Metadata
    outlines: Mapping[str, Outline]

    def __init__(self, path: Path, *, with_entry_digests: bool = False) -> None:
        self.path, self.outlines = path, {}
        self.file = SeedFile(path)
        self.entry_digests: dict[Key, bytes] = {}
        self._with_entry_digests = with_entry_digests
        self._checks = SeedChecks()

    @cached_property
    def release(self) -> str:
        """SHA-256 of the seed in canonical form (RFC 8785), hexadecimal."""
        return self.file.digest()

    def __iter__(self) -> Iterator[Resource]:
        """Every resource that is valid in itself, in the order of the file.

        Raises:
            SeedError: After the last resource, if the file has any issue; it lists all of them.
        """
        issues: list[Issue] = []
        checks, notice = self._checks, NoticeBuilder()
        for entry in self.file:
            model, pointer = MODELS[entry.collection], entry.pointer
            notice.add(entry)
            if (key := entry.key) is not None:
                issues.extend(checks.add_id(*key, pointer))
                if self._with_entry_digests:
                    self.entry_digests[key] = entry.digest
            try:
                resource = model.model_validate(entry.value)
            except ValidationError as error:
                issues.extend(validation_issues(error, model, entry.value, pointer))
                checks.add_invalid(model.type)
            else:
                issues.extend(checks.add(resource, pointer))
                yield resource
        issues += self.file.issues
        issues.extend(checks.finish())
        issues.extend(self._read_metadata(checks))
        reported = {issue.pointer for issue in issues}
        issues += (issue for issue in self.file.inexact_numbers if issue.pointer not in reported)
        if issues:
            raise SeedError(self.path, issues)
        self.metadata = notice.with_notice(self.metadata)

    def check_retired(self, removed: Mapping[Key, str], retired: Mapping[Key, str]) -> None:
        """Check the retired ids, after the iteration.

        Args:
            removed: Ids of earlier releases that the seed does not have, each with the label of the
                release that removed it.
            retired: Ids that earlier releases retired, with their labels.

        Raises:
            SeedError: An id is used again, is missing from the list, or is in it for no reason.
        """
        issues = [
            *reused_ids(retired, self._checks.pointer_of),
            *unlisted_ids(removed, self.metadata.retired),
            *invalid_retirements(removed, self.metadata.retired, self._checks.pointer_of),
        ]
        if issues:
            raise SeedError(self.path, issues)

    def _read_metadata(self, checks: SeedChecks) -> Iterator[Issue]:
        """Validate what is not a resource: the metadata and the outlines."""
        metadata = self.file.header
        try:
            self.metadata = Metadata.model_validate(metadata)
        except ValidationError as error:
            issues = list(validation_issues(error, Metadata, metadata, ""))
            yield from issues
            if any(issue.pointer.startswith("/outlines") for issue in issues):
                return
        if metadata.get("outlines") is not None:
            declared = Outlines.model_validate(metadata["outlines"])
            self.outlines, issues = check_outlines(declared, self.path, checks.region_codes)
            yield from issues


@dataclass(frozen=True, slots=True)
class Record:
    """A valid record, loaded completely.

    Attributes:
        release: SHA-256 of the seed in canonical form (RFC 8785), hexadecimal.
        metadata: Metadata of the whole record.
        resources: Every resource, by type and in the order of the seed.
    """

    release: str
    metadata: Metadata
    resources: Mapping[str, Sequence[Resource]]

    def __iter__(self) -> Iterator[Resource]:
        for resources in self.resources.values():
            yield from resources


def load_record(path: Path) -> Record:
    """Read and check a seed file and the outlines next to it.

    Raises:
        SeedError: The seed is invalid; all issues are listed at once.
    """
    stream = SeedStream(path)
    resources: dict[str, list[Resource]] = {model.type: [] for model in RESOURCES}
    for resource in stream:
        resources[resource.type].append(resource)
    return Record(stream.release, stream.metadata, resources)


def seed_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `seed.json`, for editors."""
    schema = Seed.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
