"""The record: ``seed.json`` read strictly and checked as a whole."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from pydantic import ValidationError

from app.checks import check_outlines, check_record
from app.faults import Fault, SeedError, shown
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

_LONGEST_INTEGER = 19


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


@dataclass(frozen=True, slots=True)
class Record:
    """A checked record.

    Attributes:
        release: SHA-256 of the seed file, hexadecimal: the name of this state of the data.
        size: Length of the seed file in bytes.
        header: What the seed says of the whole.
        resources: Every resource, by type and in the order of the seed.
        outlines: Outline of each region, as a GeoJSON feature, by the region's id.
    """

    release: str
    size: int
    header: Header
    resources: Mapping[str, Sequence[Resource]]
    outlines: Mapping[str, dict[str, Any]]

    def __iter__(self) -> Iterator[Resource]:
        for resources in self.resources.values():
            yield from resources


def load(path: Path) -> Record:
    """Read and check a seed file and the outlines beside it.

    Raises:
        SeedError: Something is wrong; all faults are listed at once.
    """
    content, raw = _parse(path)
    faults = list(_check_header(raw))
    resources: dict[str, list[Resource]] = {}
    placed: list[tuple[str, Resource]] = []
    for model in RESOURCES:
        resources[model.type] = accepted = []
        for index, entry in enumerate(_entries(raw, model)):
            pointer = f"/{model.collection}/{index}"
            try:
                resource = model.model_validate(entry)
            except ValidationError as error:
                faults.extend(_validation_faults(error, entry, pointer))
            else:
                accepted.append(resource)
                placed.append((pointer, resource))
    faults.extend(_duplicate_ids(raw))
    faults.extend(check_record(placed, _known_ids(raw)))
    outlines: dict[str, dict[str, Any]] = {}
    if not any(fault.pointer.startswith("/outlines") for fault in faults):
        outlines, outline_faults = check_outlines(raw.get("outlines"), path, resources["region"])
        faults.extend(outline_faults)
    if faults:
        raise SeedError(path, faults)
    header = Header.model_validate({key: raw[key] for key in raw if key in _HEADER_KEYS})
    release = hashlib.sha256(content).hexdigest()
    return Record(release, len(content), header, resources, outlines)


def seed_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``seed.json``, for editors."""
    schema = Seed.model_json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_HEADER_KEYS = {field.alias or name for name, field in Header.model_fields.items()}


def _parse(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SeedError(
            path, [Fault("", error.strerror or str(error), "a readable file")]
        ) from None
    repeated: list[tuple[dict[str, Any], str]] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            counted = Counter(key for key, _ in items)
            repeated.extend((found, key) for key, count in counted.items() if count > 1)
        return found

    try:
        raw = json.loads(content.decode("utf-8"), object_pairs_hook=pairs, parse_int=_integer)
    except UnicodeDecodeError as error:
        raise SeedError(path, [Fault("", f"byte {error.start} is not UTF-8", "UTF-8")]) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}: {error.msg}"
        raise SeedError(path, [Fault("", where, "valid JSON (RFC 8259)")]) from None
    except RecursionError:
        raise SeedError(path, [Fault("", "nesting too deep to read", "a seed's shape")]) from None
    if not isinstance(raw, dict):
        raise SeedError(path, [Fault("", shown(raw), "an object")])
    if repeated:
        places = dict(_places(raw))
        raise SeedError(
            path,
            [
                Fault(f"{places[id(owner)]}/{_escape(key)}", "the key twice", "each key once")
                for owner, key in repeated
                if id(owner) in places
            ]
            or [Fault("", "a key twice", "each key once")],
        )
    return content, raw


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")


def _places(value: object, pointer: str = "") -> Iterator[tuple[int, str]]:
    if isinstance(value, dict):
        yield id(value), pointer
        for key, member in value.items():
            yield from _places(member, f"{pointer}/{_escape(key)}")
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from _places(member, f"{pointer}/{index}")


def _escape(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _entries(raw: Mapping[str, Any], model: type[Resource]) -> list[Any]:
    entries = raw.get(model.collection)
    return entries if isinstance(entries, list) else []


def _check_header(raw: Mapping[str, Any]) -> Iterator[Fault]:
    collections = {model.collection for model in RESOURCES}
    for key in sorted(collections):
        if key not in raw:
            yield Fault(f"/{key}", "nothing", "a list of resources")
        elif not isinstance(raw[key], list):
            yield Fault(f"/{key}", shown(raw[key]), "a list of resources")
    header = {key: value for key, value in raw.items() if key not in collections}
    try:
        Header.model_validate(header)
    except ValidationError as error:
        yield from _validation_faults(error, header, "")


def _validation_faults(error: ValidationError, entry: Any, pointer: str) -> Iterator[Fault]:
    for detail in error.errors(include_url=False):
        place = pointer
        value = entry
        for step in detail["loc"]:
            inside = isinstance(value, dict) and step in value
            inside = inside or (isinstance(value, list) and isinstance(step, int))
            if inside or step == detail["loc"][-1]:
                place += f"/{_escape(str(step))}"
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


def _known_ids(raw: Mapping[str, Any]) -> dict[str, set[str]]:
    """Ids by type, those of faulty resources too, so that one fault is told once."""
    return {
        model.type: {
            entry["id"]
            for entry in _entries(raw, model)
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        }
        for model in RESOURCES
    }


def _duplicate_ids(raw: Mapping[str, Any]) -> Iterable[Fault]:
    for model in RESOURCES:
        seen: dict[str, int] = {}
        for index, entry in enumerate(_entries(raw, model)):
            name = entry.get("id") if isinstance(entry, dict) else None
            if not isinstance(name, str):
                continue
            if name in seen:
                first = f"/{model.collection}/{seen[name]}/id"
                expected = f"an id that no other {model.type} has (compare {first})"
                yield Fault(f"/{model.collection}/{index}/id", shown(name), expected)
            seen.setdefault(name, index)
