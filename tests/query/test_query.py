"""What can be asked of a collection, and a request that asks it."""

from __future__ import annotations

import pytest

from app.archive.archive import COLLECTIONS
from app.models import Resource
from app.query.parameters import parse_query_string as read_query
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
from tests.support.contract import read


@pytest.fixture(autouse=True)
def clear() -> None:
    """What was declared before, at import say, is declared anew."""
    collection_parameters.cache_clear()
    item_parameters.cache_clear()


def committed(path: str) -> dict[str, tuple[object, ...]]:
    """What the committed contract says of the query parameters of a path."""
    document = read()
    described: dict[str, tuple[object, ...]] = {}
    for one in document["paths"][path]["get"]["parameters"]:
        parameter = one
        if "$ref" in one:
            parameter = document["components"]["parameters"][one["$ref"].rsplit("/", 1)[-1]]
        if parameter["in"] == "query":
            schema = {key: value for key, value in parameter["schema"].items() if key != "examples"}
            shape = parameter.get("style"), parameter.get("explode"), parameter["required"]
            described[parameter["name"]] = (parameter["description"], schema, *shape)
    return described


def declared(names: dict[str, dict[str, object]]) -> dict[str, tuple[object, ...]]:
    """The same of what the code declares."""
    return {
        name: (
            one["description"],
            one["schema"],
            one.get("style"),
            one.get("explode"),
            one["required"],
        )
        for name, one in names.items()
    }


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_a_list_takes_what_the_contract_says(collection: str) -> None:
    """Every parameter has the name, order, text and bounds that are committed."""
    taken = {name: one.openapi() for name, one in collection_parameters(collection).items()}
    expected = committed(f"/v1/{collection}")
    assert declared(taken) == expected
    assert list(taken) == list(expected)


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_an_item_takes_what_the_contract_says(collection: str) -> None:
    """A single item takes `include` where it has references, and nothing else."""
    taken = {name: one.openapi() for name, one in item_parameters(collection).items()}
    assert declared(taken) == committed(f"/v1/{collection}/{{id}}")


@pytest.mark.parametrize(
    ("collection", "sent", "message"),
    [
        (
            "awards",
            b"cursor=!",
            "cursor: expected the cursor of a links.next; start again without it; found '!'.",
        ),
        (
            "awards",
            b"region=A_b",
            "region: expected an id: lower-case letters, digits and single hyphens; found 'A_b'.",
        ),
        (
            "citations",
            b"field=A-b",
            (
                "field: expected a field's name: lower-case letters, digits and underscores; "
                "found 'A-b'."
            ),
        ),
        (
            "partnerships",
            b"country=pe",
            "country: expected an ISO 3166-1 alpha-2 code in capitals such as PE; found 'pe'.",
        ),
        ("awards", b"q=%FF%00a", r"q: expected percent-encoded UTF-8; found '\xff\x00a'."),
        (
            "objectives",
            b"=x",
            (
                "An empty name is not a parameter of this path, which takes "
                f"{', '.join(collection_parameters('objectives'))}."
            ),
        ),
        ("awards", b"limit=0", "limit: expected a whole number from 1 to 1000; found '0'."),
    ],
)
def test_what_would_be_right_is_said(collection: str, sent: bytes, message: str) -> None:
    """A refusal says in words what the parameter takes."""
    with pytest.raises(InvalidParameters) as refused:
        read_query(sent, collection_parameters(collection))
    assert refused.value.detail == message


@pytest.mark.parametrize(
    ("collection", "sent", "meant"),
    [
        ("partnerships", b"country=pe", "PE"),
        ("partnerships", b"country=per", None),
        ("awards", b"region=Loreto", "loreto"),
        ("awards", b"region=A_b", None),
        ("awards", b"region=" + b"A" * 101, None),
        ("awards", b"region=%FF", None),
        ("awards", b"q=", None),
        ("awards", b"format=jsonl", "ndjson"),
        ("awards", b"page=2", "cursor"),
        ("awards", b"offset=10", "cursor"),
        ("awards", b"per_page=5", "limit"),
        ("awards", b"Page_Size=5", "limit"),
        ("awards", b"=x", None),
    ],
)
def test_what_was_meant_is_told(collection: str, sent: bytes, meant: str | None) -> None:
    """A value in the wrong case, and what other APIs call it, are told as they are here."""
    with pytest.raises(InvalidParameters) as refused:
        read_query(sent, collection_parameters(collection))
    (error,) = refused.value.errors or ()
    assert error.did_you_mean == meant


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_what_can_be_included(collection: str) -> None:
    """Every reference field, and the citations of what has any."""
    model = COLLECTIONS[collection]
    cited = (*model.references, "citations") if issubclass(model, Resource) else ()
    assert includable_fields(model) == cited
    assert bool(cited) == (collection != "citations")


def test_bounds_are_those_of_the_contract() -> None:
    """200 items unless told, 1,000 at most, 200 characters of text."""
    assert (DEFAULT_LIMIT, MAX_LIMIT, MAX_Q_LENGTH) == (200, 1_000, 200)


def test_nothing_asked_is_the_first_page() -> None:
    """Without parameters a query has the collection's own order and nothing else."""
    query = Query.from_parameters("awards", {})
    assert (query.collection, query.sort.field, query.descending) == ("awards", "announced", False)
    assert (query.conditions, query.limit, query.cursor, query.format) == ({}, None, None, None)
    assert (query.include, query.facet) == ((), ())
    assert query.page_size == DEFAULT_LIMIT
    assert (query.shape, query.bind_values) == ((), {})


def test_what_is_asked_is_sorted_out() -> None:
    """Conditions are told from what shapes the answer; repeated names count once."""
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


def test_statements_are_told_apart_by_shape_alone() -> None:
    """The shape has names in order and whether there are several values, and no value."""
    query = Query.from_parameters(
        "awards", {"region": ["cusco", "loreto"], "objective": ["a"], "amount__lte": 5}
    )
    assert query.shape == (("amount__lte", False), ("objective", False), ("region", True))
    other = Query.from_parameters(
        "awards", {"objective": ["b"], "amount__lte": 6, "region": ["x", "y", "z"]}
    )
    assert other.shape == query.shape


def test_values_are_bound_as_statements_take_them() -> None:
    """Several as JSON, one as itself, dates as the day that is compared, words as full text."""
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
def test_words_are_phrases_whatever_is_in_them(q: str, expression: str | None) -> None:
    """Each word is quoted, a quote in it doubled; the last may be a beginning while it is open."""
    if expression is None:
        assert match_expression(q).startswith('"say" """no"""')
    else:
        assert match_expression(q) == expression


@pytest.mark.parametrize(
    ("asked", "blamed"),
    [
        ({}, []),
        ({"include": ["regions"]}, ["include"]),
        ({"facet": ["region"]}, ["facet"]),
        ({"include": ["regions"], "facet": ["region"]}, ["include", "facet"]),
    ],
)
def test_only_json_has_an_envelope(asked: dict[str, list[str]], blamed: list[str]) -> None:
    """What has no place in a format is refused by name, with what would be right."""
    query = Query.from_parameters("awards", dict(asked))
    if not blamed:
        query.reject_json_only_parameters("csv")
        return
    with pytest.raises(InvalidParameters) as refused:
        query.reject_json_only_parameters("csv")
    errors = refused.value.errors or []
    assert [error.parameter for error in errors] == blamed
    assert [error.message for error in errors] == [
        f"{name} needs format=json; csv has no place for it." for name in blamed
    ]
