"""The record: `seed.json` parsed strictly and checked for consistency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from app.models import RESOURCES, Resource
from app.models.envelope import ResourceLists
from app.models.header import Metadata, Outlines
from app.seed.checks import SeedChecks
from app.seed.errors import Issue, SeedError
from app.seed.messages import validation_issues
from app.seed.outlines import Outline, check_outlines
from app.seed.reader import SeedReader

_MODELS = {model.collection: model for model in RESOURCES}


class Seed(ResourceLists, Metadata):
    """The structure of `seed.json`."""


class SeedStream:
    """A seed file that is read and checked one resource at a time.

    Iterate over it once. `metadata`, `outlines` and `release` are final after the iteration.

    Attributes:
        metadata: Metadata of the whole record.
        outlines: Outlines by the region's id; a region may have none.
    """

    metadata: Metadata
    outlines: Mapping[str, Outline]

    def __init__(self, path: Path) -> None:
        self.path, self.outlines = path, {}
        self._reader = SeedReader(path, _MODELS)

    @property
    def release(self) -> str:
        """SHA-256 of the seed file, hexadecimal: the id of this version of the data."""
        return self._reader.release

    @property
    def bytes_read(self) -> int:
        """Bytes read so far."""
        return self._reader.bytes_read

    @property
    def size(self) -> int:
        """Length of the seed file in bytes."""
        return self._reader.size

    def __iter__(self) -> Iterator[Resource]:
        """Every resource that is valid in itself, in the order of the file.

        Raises:
            SeedError: After the last resource, if the file has any issue; it lists all of them.
        """
        issues: list[Issue] = []
        checks = SeedChecks()
        for collection, index, entry in self._reader.entries():
            model, pointer = _MODELS[collection], f"/{collection}/{index}"
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                issues.extend(checks.add_id(model.type, entry["id"], pointer))
            try:
                resource = model.model_validate(entry)
            except ValidationError as error:
                issues.extend(validation_issues(error, model, entry, pointer))
            else:
                issues.extend(checks.add(resource, pointer))
                yield resource
        issues += self._reader.issues
        issues.extend(checks.finish())
        issues.extend(self._read_metadata(checks))
        if issues:
            raise SeedError(self.path, issues)

    def _read_metadata(self, checks: SeedChecks) -> Iterator[Issue]:
        """Validate what is not a resource: the metadata and the outlines."""
        metadata = self._reader.metadata
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
        release: SHA-256 of the seed file, hexadecimal.
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
