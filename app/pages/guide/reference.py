"""The API reference: what the OpenAPI document says of each operation, arranged for reading."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from app.responses.formats import JSON
from app.responses.problems import MEDIA_TYPE

Json = dict[str, Any]

_LIST_PATH = "/v1/awards"
"""A list whose envelope, all that surrounds the items, is that of every list."""
_GROUPS: Mapping[str, Sequence[str]] = {
    "Search": ("q",),
    "Sort and paging": ("sort", "limit", "cursor"),
    "Response": ("include", "facet", "fields", "format"),
}
"""Parameters that have the same meaning everywhere, by the title of their group."""
_GROUP_ORDER = ("Path", "Search", "Filters", "Ranges", "Sort and paging", "Response")
_NO_EXAMPLE = ("cursor", "limit", "sort", "id", *_GROUPS["Response"])
"""Optional parameters that a short example request does without."""
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=[A-Z])")
_REFERENCE = "#/components/schemas/"
_MAX_EXAMPLE_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of an object.

    Attributes:
        name: Its name; that of a nested field has a dot, and `[]` after the name of a list.
        type: Its type, in words; `string` rather than the name of the field itself.
        nullable: Whether it can be null.
        link: Anchor of the object that it holds, if that has a table of its own.
        description: Its meaning, in Markdown.
        values: The allowed values, if they are a closed set.
        example: A value as JSON; None if the example has none.
    """

    name: str
    type: str
    nullable: bool
    link: str | None
    description: str
    values: Sequence[str]
    example: str | None


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """An object that responses have.

    Attributes:
        name: Name of its schema in words: `award`.
        anchor: Fragment of its address.
        description: What it stands for, in Markdown.
        fields: Its fields, in the order of responses.
        is_complete: Whether all of them are always present.
        is_selectable: Whether requests can select some of them.
        example: An object as the API returns it, if the document has one.
    """

    name: str
    anchor: str
    description: str
    fields: Sequence[FieldRow]
    is_complete: bool
    is_selectable: bool
    example: Any


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """A parameter of an operation.

    Attributes:
        name: Its name.
        type: Type of its values, in words.
        description: What it does, in Markdown, without what its whole group says.
        values: The allowed values that can match, if they are a closed set.
        example: A valid value; empty if the document has none.
        required: Whether requests must have it.
        repeatable: Whether requests may have it more than once.
        in_path: Whether it is part of the path.
        default: Value without it, if there is one.
        known: Key of the ids that are known to be valid, if the values are ids.
    """

    name: str
    type: str
    description: str
    values: Sequence[str]
    example: str
    required: bool
    repeatable: bool
    in_path: bool
    default: str | None
    known: str | None


@dataclass(frozen=True, slots=True)
class ParameterGroup:
    """Parameters of one purpose, and the sentences that their descriptions share."""

    title: str
    description: str
    rows: Sequence[ParameterRow]


@dataclass(frozen=True, slots=True)
class Operation:
    """A GET operation.

    Attributes:
        id: Its id in the OpenAPI document.
        anchor: Fragment of its address.
        path: Its path, with parameters in braces.
        summary: What it does, in a few words.
        description: The details, in Markdown.
        groups: Its parameters.
        formats: Media types of its response.
        errors: Status codes of its errors.
        envelope: Fields around the items that only this operation has.
        request: Path and query of an example request.
        response: Its response as JSON, if no object is shown that has it.
        table: The object that its response has.
    """

    id: str
    anchor: str
    path: str
    summary: str
    description: str
    groups: Sequence[ParameterGroup]
    formats: Sequence[str]
    errors: Sequence[int]
    envelope: Sequence[FieldRow]
    request: str
    response: Any
    table: ObjectTable | None


@dataclass(frozen=True, slots=True)
class Tag:
    """Operations on one subject, and the objects that they return."""

    name: str
    anchor: str
    description: str
    objects: Sequence[ObjectTable]
    operations: Sequence[Operation]


@dataclass(frozen=True, slots=True)
class ScalarType:
    """A type of text values that has a name."""

    name: str
    description: str


class Reference:
    """The reference of an OpenAPI document."""

    def __init__(self, document: Json, known_ids: Mapping[str, Sequence[str]]) -> None:
        """Arrange a document.

        Args:
            document: The OpenAPI document.
            known_ids: Some ids that the served record has, by key: the name of a parameter, or the
                name of a tag, a dot and the name of a parameter.
        """
        self._paths: Json = document["paths"]
        self._schemas: Json = document["components"]["schemas"]
        self._tags: list[Json] = document["tags"]
        self._known_ids = known_ids

    @cached_property
    def tags(self) -> Sequence[Tag]:
        """Every tag with its operations, in the order of the document; each object occurs once."""
        shown: set[str] = set()
        return [self._tag(tag, shown) for tag in self._tags]

    @cached_property
    def envelope(self) -> Sequence[FieldRow]:
        """What a list has around its items."""
        schema = _json_content(self._paths[_LIST_PATH]["get"])["schema"]
        return [row for row in self._fields(schema) if not row.name.startswith("data")]

    @cached_property
    def scalars(self) -> Sequence[ScalarType]:
        """The named types of text values that have a description."""
        named = self._schemas.items()
        return [
            ScalarType(_in_words(name), schema["description"])
            for name, schema in named
            if schema.get("type") == "string" and "description" in schema
        ]

    def _tag(self, tag: Json, shown: set[str]) -> Tag:
        operations = [
            self._operation(path, item["get"])
            for path, item in self._paths.items()
            if item["get"]["tags"][0] == tag["name"]
        ]
        tables = {each.table.anchor: each.table for each in operations if each.table}
        new = [table for anchor, table in tables.items() if anchor not in shown]
        shown.update(tables)
        return Tag(tag["name"], f"/{tag['name']}", tag["description"], new, operations)

    def _operation(self, path: str, operation: Json) -> Operation:
        tag, name = operation["tags"][0], operation["operationId"]
        parameters: list[Json] = operation.get("parameters", [])
        content = _json_content(operation)
        table = self._tables.get(self._item_schema(content.get("schema", {})) or "")
        return Operation(
            id=name,
            anchor=f"/{tag}/{name}",
            path=path,
            summary=operation["summary"],
            description=operation["description"],
            groups=self._groups(tag, _without_vain_values(parameters, table)),
            formats=list(operation["responses"]["200"]["content"]),
            errors=[
                int(status)
                for status, response in operation["responses"].items()
                if MEDIA_TYPE in response.get("content", {})
            ],
            envelope=self._own_envelope(content.get("schema", {})),
            request=_example_request(path, parameters),
            response=content.get("example") if table is None or table.example is None else None,
            table=table,
        )

    @cached_property
    def _tables(self) -> Mapping[str, ObjectTable]:
        """The table of each object that responses are made of, by the name of its schema."""
        examples: dict[str, Any] = {}
        selectable: set[str] = set()
        for item in self._paths.values():
            content = _json_content(item["get"])
            name = self._item_schema(content.get("schema", {}))
            if name and examples.get(name) is None:
                examples[name] = _first_item(content.get("example"))
            if name and any(each["name"] == "fields" for each in item["get"].get("parameters", ())):
                selectable.add(name)
        return {
            name: self._table(name, example, examples, is_selectable=name in selectable)
            for name, example in examples.items()
        }

    def _table(
        self, name: str, example: Any, tabled: Mapping[str, Any], *, is_selectable: bool
    ) -> ObjectTable:
        schema = self._schemas[name]
        fields = self._fields(schema, tabled=[other for other in tabled if other != name])
        return ObjectTable(
            name=_in_words(name),
            anchor=_anchor(name),
            description=schema.get("description", ""),
            fields=[_with_example(row, example) for row in fields],
            is_complete=schema["properties"].keys() == set(schema.get("required", ())),
            is_selectable=is_selectable,
            example=example,
        )

    def _item_schema(self, schema: Json) -> str | None:
        """Name of the schema of what a response is about: its items, its `data`, or all of it."""
        body = self._resolve(schema)
        data = body.get("properties", {}).get("data", schema)
        named = data.get("items", data) if data.get("type") == "array" else data
        name: str = named.get("$ref", "").removeprefix(_REFERENCE)
        return name if "properties" in self._schemas.get(name, {}) else None

    def _own_envelope(self, schema: Json) -> Sequence[FieldRow]:
        """Fields of a response around its data that other lists do not have."""
        if "data" not in self._resolve(schema).get("properties", {}):
            return []
        common = {row.name for row in self.envelope}
        rows = self._fields(schema)
        return [row for row in rows if not row.name.startswith("data") and row.name not in common]

    def _fields(
        self, schema: Json, prefix: str = "", tabled: Sequence[str] = ("Included",)
    ) -> list[FieldRow]:
        """The fields of an object, and those of objects in it that have no table."""
        body = self._resolve(schema)
        properties: Json = body.get("properties", {})
        names = dict.fromkeys([*body.get("required", ()), *properties])
        return [
            row
            for name in names
            for row in self._field(f"{prefix}{name}", properties[name], tabled)
        ]

    def _field(self, name: str, schema: Json, tabled: Sequence[str]) -> Iterator[FieldRow]:
        nullable, inner = _without_null(schema)
        is_list = inner.get("type") in ("array", ["array", "null"])
        nullable = nullable or "null" in _as_list(inner.get("type"))
        members = inner.get("prefixItems") or ([inner.get("items", {})] if is_list else [inner])
        objects = [member for member in members if "properties" in self._resolve(member)]
        own = [each for each in objects if _schema_name(each) not in tabled and name != "data"]
        description = schema.get("description") or self._resolve(inner).get("description", "")
        type_ = self._type_in_words(members[0], is_list=is_list, tabled=bool(objects) and not own)
        link = next(
            (_anchor(_schema_name(each)) for each in objects if _schema_name(each) != "Included"),
            None,
        )
        values = [str(value) for value in self._resolve(members[0]).get("enum", ())]
        yield FieldRow(
            name=name,
            type="string" if type_ == name else type_,
            nullable=nullable,
            link=None if own else link,
            description=description,
            values=values,
            example=None,
        )
        for position, each in enumerate(own):
            index = f"[{position if len(own) > 1 else ''}]" if is_list else ""
            yield from self._fields(each, f"{name}{index}.", tabled)

    def _type_in_words(self, schema: Json, *, is_list: bool, tabled: bool = False) -> str:
        name = _schema_name(schema)
        body = self._resolve(schema)
        if "properties" in body:
            words = _in_words(name) if tabled else "object"
        elif name and "enum" not in body:
            words = _in_words(name)
        else:
            words = " or ".join(kind for kind in _as_list(body.get("type")) if kind != "null")
        words = words or "any JSON"
        return f"list of {_plural(words)}" if is_list else words

    def _groups(self, tag: str, parameters: Sequence[Json]) -> Sequence[ParameterGroup]:
        grouped: dict[str, list[Json]] = {title: [] for title in _GROUP_ORDER}
        for parameter in parameters:
            grouped[_group_title(parameter)].append(parameter)
        return [self._group(tag, title, members) for title, members in grouped.items() if members]

    def _group(self, tag: str, title: str, parameters: Sequence[Json]) -> ParameterGroup:
        order = _GROUPS.get(title, [parameter["name"] for parameter in parameters])
        parameters = sorted(parameters, key=lambda parameter: order.index(parameter["name"]))
        sentences = [_SENTENCE_END.split(parameter["description"]) for parameter in parameters]
        counts = Counter(sentence for own in sentences for sentence in own)
        needed = 2 if title == "Ranges" else max(len(parameters), 2)
        shared = [each for each, count in counts.items() if count >= needed]
        rows = [
            self._parameter(tag, parameter, " ".join(each for each in own if each not in shared))
            for parameter, own in zip(parameters, sentences, strict=True)
        ]
        return ParameterGroup(title, " ".join(shared), rows)

    def _parameter(self, tag: str, parameter: Json, description: str) -> ParameterRow:
        schema, name = parameter["schema"], parameter["name"]
        repeatable = schema.get("type") == "array"
        values = schema.get("items", schema)
        keys = (f"{tag}.{name}", name)
        default = self._resolve(values).get("default", schema.get("default"))
        return ParameterRow(
            name=name,
            type=self._type_in_words(values, is_list=False),
            description=description,
            values=[str(value) for value in self._resolve(values).get("enum", ())],
            example=_example_of(parameter),
            required=parameter["required"],
            repeatable=repeatable,
            in_path=parameter["in"] == "path",
            default=None if default is None else str(default),
            known=next((key for key in keys if self._known_ids.get(key)), None),
        )

    def _resolve(self, schema: Json) -> Json:
        """A schema, or the one that it refers to."""
        name = _schema_name(schema)
        resolved: Json = self._schemas[name] if name else schema
        return resolved


def _without_vain_values(parameters: Sequence[Json], table: ObjectTable | None) -> list[Json]:
    """The parameters; `not_stated` only with fields that can be null, as others find nothing."""
    nullable = {row.name for row in table.fields if row.nullable} if table else set()
    shown = []
    for parameter in parameters:
        schema = parameter["schema"]
        if parameter["name"] == "not_stated":
            values = [value for value in schema["items"]["enum"] if value in nullable]
            schema = schema | {"items": schema["items"] | {"enum": values}}
        shown.append(parameter | {"schema": schema})
    return shown


def _json_content(operation: Json) -> Json:
    """Schema and example of the JSON response of an operation; empty if it has none."""
    content: Json = operation["responses"]["200"]["content"].get(JSON.media_type, {})
    return content


def _first_item(example: Any) -> Any:
    """The first item of an example response: of its `data`, or of itself."""
    data = example.get("data", example) if isinstance(example, dict) else example
    return next(iter(data), None) if isinstance(data, list) else data


def _schema_name(schema: Json) -> str:
    name: str = schema.get("$ref", "").removeprefix(_REFERENCE)
    return name


def _without_null(schema: Json) -> tuple[bool, Json]:
    """Whether a schema has the alternative `null`, and the other alternative."""
    alternatives = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return (True, alternatives[0]) if len(alternatives) == 1 else (False, schema)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _in_words(name: str) -> str:
    """The name of a schema in words: `PartialDate` is `partial date`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _anchor(name: str) -> str:
    """Fragment of the address of an object, by the name of its schema."""
    return f"{_in_words(name).replace(' ', '-')}-object"


def _plural(noun: str) -> str:
    if noun == "array":
        return "lists"
    return f"{noun[:-1]}ies" if noun.endswith(("ity", "ory")) else f"{noun}s"


def _with_example(row: FieldRow, example: Any) -> FieldRow:
    """A row with the value that an example has in its field."""
    value = example
    for name in re.sub(r"\[(\d*)\]", lambda index: f".{index[1] or 0}", row.name).split("."):
        if isinstance(value, list):
            value = value[int(name)] if name.isdigit() and int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    text = json.dumps(value, ensure_ascii=False)
    shown = value is not None and len(text) <= _MAX_EXAMPLE_CHARACTERS
    return replace(row, example=text if shown and not isinstance(value, dict) else None)


def _group_title(parameter: Json) -> str:
    name: str = parameter["name"]
    if parameter["in"] == "path":
        return "Path"
    if name.endswith(("__gte", "__lte")):
        return "Ranges"
    return next((title for title, names in _GROUPS.items() if name in names), "Filters")


def _example_of(parameter: Json) -> str:
    """A valid value of a parameter; empty if the document has none."""
    examples = parameter["schema"].get("examples") or [parameter.get("example", "")]
    value = parameter.get("example", examples[0])
    return str(value[0] if isinstance(value, list) else value)


def _example_request(path: str, parameters: Sequence[Json]) -> str:
    """Path and query of a request with the required parameters, and one filter if it has some."""
    pairs = []
    names = {parameter["name"] for parameter in parameters}
    has_filter = "sort" not in names or any(parameter["required"] for parameter in parameters)
    for parameter in parameters:
        name, value = parameter["name"], _example_of(parameter)
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        elif value and (parameter["required"] or (not has_filter and name not in _NO_EXAMPLE)):
            pairs.append((name, value))
            has_filter = True
    return f"{path}?{urlencode(pairs)}" if pairs else path
