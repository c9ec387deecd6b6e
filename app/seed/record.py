"""The record: ``seed.json`` read strictly and checked as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from app.models import (
    RESOURCES,
    Activity,
    Award,
    Objective,
    Organization,
    Partnership,
    Region,
    Resource,
    Source,
)
from app.models.header import Header
from app.seed.checks import SeedChecks, check_outlines
from app.seed.errors import Issue, SeedError, format_value
from app.seed.reader import SeedReader, escape_pointer


class Seed(Header):
    """The shape of ``seed.json``."""

    title: ClassVar[str] = "Seed of an archived program record"

    partnerships: list[Partnership]
    objectives: list[Objective]
    awards: list[Award]
    activities: list[Activity]
    regions: list[Region]
    organizations: list[Organization]
    sources: list[Source]


_MODELS = {model.collection: model for model in RESOURCES}


class SeedStream:
    """A seed file that is read and checked a resource at a time.

    Iterate over it once. What is known only at the end, the attributes, is there afterwards.

    Attributes:
        release: SHA-256 of the seed file, hexadecimal: the name of this state of the data.
        size: Length of the seed file in bytes.
        header: What the seed says of the whole.
        outlines: Outline of each region, as a GeoJSON feature, by the region's id.
    """

    header: Header
    outlines: Mapping[str, dict[str, Any]]

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = SeedReader(path, _MODELS)

    @property
    def release(self) -> str:
        """SHA-256 of the seed file, hexadecimal."""
        return self._reader.release

    @property
    def bytes_read(self) -> int:
        """Bytes that were read so far."""
        return self._reader.done

    @property
    def size(self) -> int:
        """Length of the seed file in bytes."""
        return self._reader.length

    def __iter__(self) -> Iterator[Resource]:
        """Every resource whose own shape is right, in the order of the file.

        Raises:
            SeedError: After the last one, if anything is wrong; all issues are listed at once.
        """
        issues: list[Issue] = []
        checks = SeedChecks()
        for collection, index, entry in self._reader.entries():
            model, pointer = _MODELS[collection], f"/{collection}/{index}"
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                issues.extend(checks.name(model.type, entry["id"], pointer))
            try:
                resource = model.model_validate(entry)
            except ValidationError as error:
                issues.extend(_validation_issues(error, entry, pointer))
            else:
                issues.extend(checks.add(resource, pointer))
                yield resource
        issues += self._reader.issues
        issues.extend(checks.finish())
        issues.extend(self._finish(checks))
        if issues:
            raise SeedError(self.path, issues)

    def _finish(self, checks: SeedChecks) -> Iterator[Issue]:
        """Check and keep what is not a resource."""
        header = self._reader.header
        try:
            self.header = Header.model_validate(header)
        except ValidationError as error:
            issues = list(_validation_issues(error, header, ""))
            yield from issues
            if any(issue.pointer.startswith("/outlines") for issue in issues):
                return
        self.outlines, issues = check_outlines(header["outlines"], self.path, checks.codes)
        yield from issues


@dataclass(frozen=True, slots=True)
class Record:
    """A checked record, all of it at hand.

    Attributes:
        release: SHA-256 of the seed file, hexadecimal.
        header: What the seed says of the whole.
        resources: Every resource, by type and in the order of the seed.
    """

    release: str
    header: Header
    resources: Mapping[str, Sequence[Resource]]

    def __iter__(self) -> Iterator[Resource]:
        for resources in self.resources.values():
            yield from resources


def load_record(path: Path) -> Record:
    """Read and check a seed file and the outlines beside it.

    Raises:
        SeedError: Something is wrong; all issues are listed at once.
    """
    reading = SeedStream(path)
    resources: dict[str, list[Resource]] = {model.type: [] for model in RESOURCES}
    for resource in reading:
        resources[resource.type].append(resource)
    return Record(reading.release, reading.header, resources)


def seed_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``seed.json``, for editors."""
    schema = Seed.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _validation_issues(error: ValidationError, entry: Any, pointer: str) -> Iterator[Issue]:
    for detail in error.errors(include_url=False):
        place = pointer
        value = entry
        for step in detail["loc"]:
            inside = isinstance(value, dict) and step in value
            inside = inside or (isinstance(value, list) and isinstance(step, int))
            if inside or step == detail["loc"][-1]:
                place += f"/{escape_pointer(str(step))}"
            if inside:
                value = value[step]
        match detail["type"]:
            case "missing":
                yield Issue(place, "nothing", "a value (null where the source gives none)")
            case "extra_forbidden":
                yield Issue(place, format_value(detail["input"]), "no such key")
            case _:
                yield Issue(place, format_value(detail["input"]), _plain(detail["msg"]))


def _plain(message: str) -> str:
    """What pydantic says was wrong, as what would be right."""
    lowered = message[:1].lower() + message[1:]
    return lowered.removeprefix("value error, ").removeprefix("expected ")
