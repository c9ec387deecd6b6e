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
from app.seed.errors import Fault, SeedError, shown
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
    def done(self) -> int:
        """Bytes that were read so far."""
        return self._reader.done

    @property
    def length(self) -> int:
        """Bytes that there are to read."""
        return self._reader.length

    @property
    def size(self) -> int:
        """Length of the seed file in bytes."""
        return self._reader.size

    def __iter__(self) -> Iterator[Resource]:
        """Every resource whose own shape is right, in the order of the file.

        Raises:
            SeedError: After the last one, if anything is wrong; all faults are listed at once.
        """
        faults: list[Fault] = []
        checks = SeedChecks()
        for collection, index, entry in self._reader.entries():
            model, pointer = _MODELS[collection], f"/{collection}/{index}"
            if isinstance(entry, dict) and isinstance(entry.get("id"), str):
                faults.extend(checks.name(model.type, entry["id"], pointer))
            try:
                resource = model.model_validate(entry)
            except ValidationError as error:
                faults.extend(_validation_faults(error, entry, pointer))
            else:
                faults.extend(checks.add(resource, pointer))
                yield resource
        faults += self._reader.faults
        faults.extend(checks.finish())
        faults.extend(self._finish(checks))
        if faults:
            raise SeedError(self.path, faults)

    def _finish(self, checks: SeedChecks) -> Iterator[Fault]:
        """Check and keep what is not a resource."""
        header = self._reader.header
        try:
            self.header = Header.model_validate(header)
        except ValidationError as error:
            faults = list(_validation_faults(error, header, ""))
            yield from faults
            if any(fault.pointer.startswith("/outlines") for fault in faults):
                return
        self.outlines, faults = check_outlines(header["outlines"], self.path, checks.codes)
        yield from faults


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
        SeedError: Something is wrong; all faults are listed at once.
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


def _validation_faults(error: ValidationError, entry: Any, pointer: str) -> Iterator[Fault]:
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
                yield Fault(place, "nothing", "a value (null where the source gives none)")
            case "extra_forbidden":
                yield Fault(place, shown(detail["input"]), "no such key")
            case _:
                yield Fault(place, shown(detail["input"]), _plain(detail["msg"]))


def _plain(message: str) -> str:
    """What pydantic says was wrong, as what would be right."""
    lowered = message[:1].lower() + message[1:]
    return lowered.removeprefix("value error, ").removeprefix("expected ")
