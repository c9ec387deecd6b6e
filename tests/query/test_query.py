"""The query parameters of collections, and list requests parsed from them."""

from __future__ import annotations

from typing import Any

import pytest

from app.archive.archive import COLLECTIONS
from app.models import Resource
from app.query.parameters import parse_query_string
from app.query.query import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    MAX_Q_LENGTH,
    Query,
    collection_parameters,
    includable_fields,
    item_parameters,
    match_expression,
)
from app.responses.problems import InvalidParameters
from tests.support.contract import read_document


@pytest.fixture(autouse=True)
def clear_caches() -> None:
    """Declare the parameters again, whatever was cached before, for example at import."""
    collection_parameters.cache_clear()
    item_parameters.cache_clear()


def spell_out(schema: dict[str, Any], named: dict[str, Any]) -> dict[str, Any]:
    """A schema with the type that it refers to; without `minLength`, as patterns imply it."""
    name = schema.get("$ref", "").rpartition("/")[2]
    referenced = {key: named[name][key] for key in named.get(name, {}) if key != "description"}
    spelled = {**referenced, **schema}
    if "items" in spelled:
        spelled["items"] = spell_out(spelled["items"], named)
    dropped = {"$ref", *(["minLength"] if "pattern" in spelled else [])}
    return {key: value for key, value in spelled.items() if key not in dropped}


def committed(path: str) -> dict[str, tuple[object, ...]]:
    """The query parameters of a path in the committed OpenAPI document."""
    document = read_document()
    parameters: dict[str, tuple[object, ...]] = {}
    for entry in document["paths"][path]["get"]["parameters"]:
        parameter = entry
        if "$ref" in entry:
            parameter = document["components"]["parameters"][entry["$ref"].rsplit("/", 1)[-1]]
        if parameter["in"] == "query":
            schema = spell_out(parameter["schema"], document["components"]["schemas"])
            schema.pop("examples", None)
            signature = parameter.get("style"), parameter.get("explode"), parameter["required"]
            parameters[parameter["name"]] = (parameter["description"], schema, *signature)
    return parameters


def declared(parameters: dict[str, dict[str, Any]]) -> dict[str, tuple[object, ...]]:
    """The same properties of parameters that the code declares."""
    return {
        name: (
            parameter["description"],
            spell_out(parameter["schema"], {}),
            parameter.get("style"),
            parameter.get("explode"),
            parameter["required"],
        )
        for name, parameter in parameters.items()
    }


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_list_parameters_match_the_contract(collection: str) -> None:
    """Every parameter has the committed name, order, description and schema."""
    parameters = {
        name: parameter.openapi() for name, parameter in collection_parameters(collection).items()
    }
    expected = committed(f"/v1/{collection}")
    assert declared(parameters) == expected
    assert list(parameters) == list(expected)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_item_parameters_match_the_contract(collection: str) -> None:
    """A single item has `fields`, `include` if it has references, and no other parameter."""
    parameters = {
        name: parameter.openapi() for name, parameter in item_parameters(collection).items()
    }
    assert declared(parameters) == committed(f"/v1/{collection}/{{id}}")


@pytest.mark.parametrize(
    ("collection", "query_string", "message"),
    [
        (
            "awards",
            b"cursor=!",
            (
                "cursor: expected a cursor from links.next (omit it to start again from the first "
                "page); found '!'."
            ),
        ),
        (
            "awards",
            b"region=A_b",
            "region: expected an id: lowercase letters, digits and single hyphens; found 'A_b'.",
        ),
        (
            "citations",
            b"field=A-b",
            (
                "field: expected a field name: lowercase letters, digits and underscores; "
                "found 'A-b'."
            ),
        ),
        (
            "partnerships",
            b"country=pe",
            (
                "country: expected an uppercase ISO 3166-1 alpha-2 code such as FR; found 'pe'. "
                "Did you mean PE?"
            ),
        ),
        ("awards", b"q=%FF%00a", r"q: expected percent-encoded UTF-8; found '\xff\x00a'."),
        (
            "objectives",
            b"=x",
            f"Unknown parameter ''. Allowed: {', '.join(collection_parameters('objectives'))}.",
        ),
        (
            "objectives",
            b"sort=title&Limits=5&sort=title",
            (
                "Unknown parameter 'Limits'. Did you mean limit? Allowed: "
                f"{', '.join(collection_parameters('objectives'))}. "
                "sort must not be given more than once."
            ),
        ),
        (
            "objectives",
            b"sort=",
            ("sort: expected a value (omit the parameter instead of leaving it empty); found ''."),
        ),
        ("awards", b"limit=0", "limit: expected an integer from 1 to 1000; found '0'."),
    ],
)
def test_errors_state_what_is_expected(collection: str, query_string: bytes, message: str) -> None:
    """An error message says in words which values the parameter allows."""
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(query_string, collection_parameters(collection))
    assert raised.value.detail == message


def test_a_path_without_parameters_allows_none() -> None:
    """Where a path has no parameters, the error says so."""
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(b"limit=5", {})
    assert raised.value.detail == "Unknown parameter 'limit'. This path has no parameters."


@pytest.mark.parametrize(
    ("collection", "query_string", "suggestion"),
    [
        ("partnerships", b"country=pe", "PE"),
        ("partnerships", b"country=per", None),
        ("awards", b"region=Loreto", "loreto"),
        ("awards", b"region=A_b", None),
        ("awards", b"region=" + b"A" * 101, None),
        ("awards", b"region=%FF", None),
        ("awards", b"q=", None),
        ("awards", b"format=jsonl", "ndjson"),
        ("awards", b"fields=titel", "title"),
        ("awards", b"not_stated=ammount", "amount"),
        ("citations", b"id=Award.peru-ilo.title.12345678", "award.peru-ilo.title.12345678"),
        ("awards", b"page=2", "cursor"),
        ("awards", b"offset=10", "cursor"),
        ("awards", b"per_page=5", "limit"),
        ("awards", b"Page_Size=5", "limit"),
        ("awards", b"=x", None),
    ],
)
def test_errors_suggest_what_was_meant(
    collection: str, query_string: bytes, suggestion: str | None
) -> None:
    """A value in the wrong case, or a name from other APIs, gets the valid one as a suggestion."""
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(query_string, collection_parameters(collection))
    (error,) = raised.value.errors or ()
    assert error.did_you_mean == suggestion


@pytest.mark.parametrize(
    ("query_string", "advice"),
    [
        (b"region=cusco,loreto", "region=cusco&region=loreto"),
        (b"region=cusco%2C+loreto", "region=cusco&region=loreto"),
        (b"region=cusco%7Cloreto%7Ca", "region=cusco&region=loreto"),
        (b"region=cusco;loreto", "region=cusco&region=loreto"),
        (b"region=cusco+loreto", "region=cusco&region=loreto"),
        (b"region=%5B%22cusco%22,%22loreto%22%5D", "region=cusco&region=loreto"),
        (b"region=C%C3%BAsco,%FF", "region=C%C3%BAsco&region=%3F"),
        (b"trafficking_form=sex,labor", "trafficking_form=sex&trafficking_form=labor"),
        (b"include=recipient,regions", "include=recipient&include=regions"),
        (b"facet=region,recipient", "facet=region&facet=recipient"),
        (b"fields=title,amount", "fields=title&fields=amount"),
        (b"id=peru-ilo,peru-centro-yanapanakusun", "id=peru-ilo&id=peru-centro-yanapanakusun"),
        (b"region[]=cusco,loreto", "region=cusco&region=loreto"),
    ],
)
def test_a_list_in_one_value_is_told_to_repeat_the_parameter(
    query_string: bytes, advice: str
) -> None:
    """Whatever separates the values, the message shows the parameter repeated for each."""
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(query_string, collection_parameters("awards"))
    (error,) = raised.value.errors or ()
    assert f"Repeat the parameter for several values: {advice}" in error.message


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        (collection, parameter.name)
        for collection in COLLECTIONS
        for parameter in collection_parameters(collection).values()
    ],
)
@pytest.mark.parametrize("brackets", ["[]", "[0]", "%5B%5D"])
def test_brackets_are_told_apart_from_the_name(collection: str, name: str, brackets: str) -> None:
    """A name with brackets is told the name without; a list is shown as a repeated parameter."""
    parameter = collection_parameters(collection)[name]
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(f"{name}{brackets}=x".encode(), collection_parameters(collection))
    (error,) = raised.value.errors or ()
    assert error.did_you_mean == name
    assert (f"sent without brackets: {name}=x&{name}=…" in error.message) == parameter.repeatable


@pytest.mark.parametrize(
    ("query_string", "suggestion"),
    [
        (b"announced[gte]=2017", "announced__gte"),
        (b"filter[region]=cusco", "region"),
        (b"filter[organization]=ilo", "recipient"),
        (b"page[size]=5", "limit"),
        (b"page[limit]=5", "limit"),
        (b"page[cursor]=x", "cursor"),
        (b"regions[]=cusco", "region"),
        (b"organization=ilo", "recipient"),
        (b"Organizations=ilo", "recipient"),
        (b"objectives=x", "objective"),
        (b"ids=peru-ilo", "id"),
        (b"select=title", "fields"),
        (b"fields[awards]=title", "fields"),
        (b"[]=x", None),
        (b"x[y]=z", None),
    ],
)
def test_other_spellings_of_parameters_are_understood(
    query_string: bytes, suggestion: str | None
) -> None:
    """Nested names of other APIs, and the type that a filter refers to, suggest the parameter."""
    with pytest.raises(InvalidParameters) as raised:
        parse_query_string(query_string, collection_parameters("awards"))
    (error,) = raised.value.errors or ()
    assert error.did_you_mean == suggestion
    assert (f"Did you mean {suggestion}?" in error.message) == (suggestion is not None)


REFERENCES = [
    (collection, field, type_)
    for collection, model in COLLECTIONS.items()
    if issubclass(model, Resource)
    for field, type_ in model.references.items()
]


@pytest.mark.parametrize(("collection", "field", "type_"), REFERENCES)
def test_the_name_of_a_collection_leads_to_the_field(
    collection: str, field: str, type_: str
) -> None:
    """`include` and `facet` suggest what leads to a type, given in singular or plural."""
    target = next(name for name, model in COLLECTIONS.items() if model.type == type_)
    filters = {filter_.field: filter_.parameter for filter_ in COLLECTIONS[collection].filters}
    meant = {"include": field} | ({"facet": filters[field]} if field in filters else {})
    for parameter, value in meant.items():
        for name in {type_, target, target.upper()} - {value}:
            with pytest.raises(InvalidParameters) as raised:
                parse_query_string(
                    f"{parameter}={name}".encode(), collection_parameters(collection)
                )
            (error,) = raised.value.errors or ()
            assert error.did_you_mean == value
            assert f"Did you mean {value}?" in error.message


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_every_collection_has_the_common_parameters(collection: str) -> None:
    """`id` and `fields` are everywhere, `not_stated` wherever items have that field."""
    model, parameters = COLLECTIONS[collection], collection_parameters(collection)
    assert parameters["id"].repeatable
    assert parameters["fields"].type.allowed == model.document_fields()
    assert ("not_stated" in parameters) == ("not_stated" in model.document_fields())
    assert ("not_stated" in model.facets()) == ("not_stated" in parameters)
    assert {range_.field for range_ in model.ranges} <= {sort.field for sort in model.sorts}


def test_fields_do_not_change_the_rows() -> None:
    """The identity of a query, and so its cursors, is the same with any fields."""
    whole = Query.from_parameters("awards", {})
    selected = Query.from_parameters("awards", {"fields": ["title"]})
    assert selected.fields == {"id", "title"}
    assert selected.identity == whole.identity
    assert selected.signature == whole.signature


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_includable_fields(collection: str) -> None:
    """Every reference field, and the citations except for citations themselves."""
    model = COLLECTIONS[collection]
    expected = (*model.references, "citations") if issubclass(model, Resource) else ()
    assert includable_fields(model) == expected
    assert bool(expected) == (collection != "citations")


def test_limits_match_the_contract() -> None:
    """200 items by default, at most 1,000 items, at most 200 characters of text."""
    assert (DEFAULT_LIMIT, MAX_LIMIT, MAX_Q_LENGTH) == (200, 1_000, 200)


def test_a_query_without_parameters_is_the_first_page() -> None:
    """Without parameters a query has the default sort order and page size, and nothing else."""
    query = Query.from_parameters("awards", {})
    assert (query.collection, query.sort.field, query.descending) == ("awards", "announced", False)
    assert (query.conditions, query.limit, query.cursor, query.format) == ({}, None, None, None)
    assert (query.include, query.facet, query.fields) == ((), (), frozenset())
    assert query.page_size == DEFAULT_LIMIT
    assert (query.signature, query.bind_values) == ((), {})


def test_a_query_separates_conditions_from_other_parameters() -> None:
    """Only filters, ranges and `q` are conditions; repeated names count once."""
    query = Query.from_parameters(
        "awards",
        {
            "region": ["cusco", "loreto"],
            "recipient": ["ilo"],
            "amount__gte": 5,
            "sort": "-title",
            "limit": 7,
            "cursor": "abc",
            "include": ["regions", "recipient", "regions"],
            "facet": ["region", "region"],
            "format": "json",
        },
    )
    assert query.conditions == {
        "region": ["cusco", "loreto"],
        "recipient": ["ilo"],
        "amount__gte": 5,
    }
    assert (query.sort.field, query.descending) == ("title", True)
    assert (query.limit, query.page_size, query.cursor) == (7, 7, "abc")
    assert query.include == ("regions", "recipient")
    assert query.facet == ("region",)
    assert query.format == "json"


def test_the_shape_has_no_values() -> None:
    """The signature is the sorted names of the conditions and whether each has several values."""
    query = Query.from_parameters(
        "awards", {"region": ["cusco", "loreto"], "objective": ["a"], "amount__lte": 5}
    )
    assert query.signature == (("amount__lte", False), ("objective", False), ("region", True))
    other = Query.from_parameters(
        "awards", {"objective": ["b"], "amount__lte": 6, "region": ["x", "y", "z"]}
    )
    assert other.signature == query.signature


def test_bind_values() -> None:
    """Several values as JSON, one as itself, dates as their first or last day, words for FTS5."""
    query = Query.from_parameters(
        "awards",
        {
            "region": ["cusco", "loreto"],
            "objective": ["a"],
            "amount__gte": 5,
            "announced__gte": "2017-02",
            "announced__lte": "2017-02",
            "ends__lte": "2016",
            "q": "Lima",
        },
    )
    assert query.bind_values == {
        "region": '["cusco", "loreto"]',
        "objective": "a",
        "amount__gte": 5,
        "announced__gte": "2017-02-01",
        "announced__lte": "2017-02-28",
        "ends__lte": "2016-12-31",
        "q": '"lima"*',
    }


@pytest.mark.parametrize(
    ("q", "expression"),
    [
        ("Perú", '"peru"*'),
        ("Perú ", '"peru"'),
        ("child  labor", '"child" "labor"*'),
        ("a\x00b\tc\x7fd", '"a" "b" "c" "d"*'),
        ('say "no"', None),
        ("", '""'),
        ("   ", '""'),
        ("NEAR(a b)", '"near(a" "b)"'),
        ("x AND y", '"x" "and" "y"*'),
    ],
)
def test_words_are_quoted_for_fts5(q: str, expression: str | None) -> None:
    """Each word is quoted, with quotes in it doubled; the last is a prefix if it ends the text."""
    if expression is None:
        assert match_expression(q).startswith('"say" """no"""')
    else:
        assert match_expression(q) == expression


@pytest.mark.parametrize(
    ("values", "rejected"),
    [
        ({}, []),
        ({"include": ["regions"]}, ["include"]),
        ({"facet": ["region"]}, ["facet"]),
        ({"include": ["regions"], "facet": ["region"]}, ["include", "facet"]),
    ],
)
def test_include_and_facet_require_json(values: dict[str, list[str]], rejected: list[str]) -> None:
    """A parameter that a format does not support is rejected by name, with the format it needs."""
    query = Query.from_parameters("awards", dict(values))
    if not rejected:
        query.reject_unsupported_parameters("csv")
        return
    with pytest.raises(InvalidParameters) as raised:
        query.reject_unsupported_parameters("csv")
    errors = raised.value.errors or []
    assert [error.parameter for error in errors] == rejected
    assert [error.message for error in errors] == [
        f"{name} requires format=json; csv does not support it." for name in rejected
    ]


def test_only_csv_has_no_column_for_links() -> None:
    """`fields=links` is rejected for CSV alone."""
    query = Query.from_parameters("awards", {"fields": ["links"]})
    for name in ("ndjson", "geojson"):
        query.reject_unsupported_parameters(name)
    with pytest.raises(InvalidParameters) as raised:
        query.reject_unsupported_parameters("csv")
    assert raised.value.detail == "fields: csv has no column for links; omit it."
