"""Pagination of collections, and validation of their query parameters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from benchmarks.corpus import write_corpus
from tests.support.oracle import (
    CHOICES,
    CLOSED_FILTERS,
    FACETS,
    FILTERS,
    INCLUDES,
    RESOURCES,
    SEARCH_FIELDS,
    TYPES,
    Json,
    Oracle,
    range_parameters,
    sorts,
)
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

SORT_CASES = [(name, sort) for name in TYPES for sort in sorts(name)]
ITEMS = [
    "/v1/partnerships/us-peru-cpc",
    "/v1/objectives/peru-prevention",
    "/v1/awards/peru-ilo",
    "/v1/activities/peru-ilo-prosecutions",
    "/v1/regions/cusco",
    "/v1/organizations/ilo",
    "/v1/sources/us-peru-cpc-page",
]
CITATION = "/v1/citations/award.peru-ilo.announced.647810ad"
PATHS_WITHOUT_PARAMETERS = ["/v1", "/v1/meta", "/v1/record"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a generated record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 72)


@pytest.fixture(scope="module")
async def corpus_client(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on the generated record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as client:
        yield client


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> Oracle:
    """Expected results for the generated record."""
    return Oracle(corpus)


async def read_all_pages(client: httpx.AsyncClient, url: str) -> tuple[list[Json], set[str]]:
    """Rows and cursors of all pages; `links.next` and the `Link` header must agree."""
    rows: list[Json] = []
    cursors: set[str] = set()
    next_url: str | None = url
    while next_url:
        response = await client.get(next_url)
        page = response.json()
        rows += page["data"]
        next_url = page["links"]["next"]
        assert response.links.get("next", {}).get("url") == next_url
        if next_url:
            cursor = httpx.URL(next_url).params["cursor"]
            assert cursor not in cursors
            cursors.add(cursor)
    return rows, cursors


def assert_parameter_error(response: httpx.Response, parameter: str) -> Json:
    """Check that this parameter has the only error and return the error."""
    problem = assert_problem(response, 422)
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    error: Json = problem["errors"][0]
    assert parameter in error["message"]
    assert error["message"] in problem["detail"]
    return error


def assert_invalid_cursor(response: httpx.Response) -> None:
    """Check that the cursor is rejected with the advice to start again."""
    assert "start again" in assert_parameter_error(response, "cursor")["message"].lower()


async def second_page_cursor(client: httpx.AsyncClient, path: str, **params: Any) -> str:
    """Cursor of the second page, with two items per page."""
    page = (await client.get(path, params={"limit": 2, **params})).json()
    return httpx.URL(page["links"]["next"]).params["cursor"]


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize(("collection", "sort"), SORT_CASES)
async def test_pages_contain_each_row_once(
    corpus_client: httpx.AsyncClient, oracle: Oracle, collection: str, sort: str, limit: int
) -> None:
    """With every sort order and page size: each row once, null last, ties sorted by id."""
    rows, cursors = await read_all_pages(
        corpus_client, f"/v1/{collection}?sort={sort}&limit={limit}"
    )
    expected = oracle.select(collection, {"sort": [sort]})
    assert [row["id"] for row in rows] == [row["id"] for row in expected]
    assert rows == expected
    assert len(cursors) == (len(rows) - 1) // limit


@pytest.mark.parametrize("format_", ["csv", "ndjson"])
@pytest.mark.parametrize("sort", ["announced", "-announced", "-ends", "title"])
async def test_csv_and_ndjson_have_pages(
    corpus_client: httpx.AsyncClient, format_: str, sort: str
) -> None:
    """With `limit`, CSV and NDJSON are paginated too, with the next page in the `Link` header."""
    url: str | None = f"/v1/awards?format={format_}&sort={sort}&limit=4"
    lines: list[bytes] = []
    while url:
        response = await corpus_client.get(url)
        page_lines = response.content.splitlines(keepends=True)
        lines += page_lines if format_ == "ndjson" or not lines else page_lines[1:]
        url = response.links.get("next", {}).get("url")
    unpaged = await corpus_client.get(f"/v1/awards?format={format_}&sort={sort}")
    assert "next" not in unpaged.links
    assert b"".join(lines) == unpaged.content


async def test_a_stream_can_start_at_a_cursor(
    corpus_client: httpx.AsyncClient, oracle: Oracle
) -> None:
    """Without `limit`, a stream that starts at a cursor contains all remaining rows."""
    cursor = await second_page_cursor(corpus_client, "/v1/regions")
    rest = await corpus_client.get("/v1/regions", params={"format": "ndjson", "cursor": cursor})
    assert len(rest.content.splitlines()) == len(oracle.documents["regions"]) - 2


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v1/awards", {}),
        ("/v1/awards", {"sort": "-announced"}),
        ("/v1/awards", {"sort": "ends"}),
        ("/v1/activities", {"q": "everywhere", "sort": "-title"}),
        ("/v1/citations", {"basis": ["stated", "derived"], "sort": "-id"}),
    ],
)
async def test_a_modified_cursor_is_rejected(
    corpus_client: httpx.AsyncClient, path: str, params: dict[str, Any]
) -> None:
    """A cursor with any character changed, removed or added is invalid."""
    cursor = await second_page_cursor(corpus_client, path, **params)
    modified = {cursor[:index] + cursor[index + 1 :] for index in range(len(cursor))}
    for index in range(len(cursor)):
        modified |= {f"{cursor[:index]}{other}{cursor[index + 1 :]}" for other in "ABQ_"}
    modified |= {cursor + "A", "A" + cursor, "A", "_-", "0" * 200}
    for invalid in modified - {cursor}:
        response = await corpus_client.get(path, params={"limit": 2, **params, "cursor": invalid})
        assert_invalid_cursor(response)


@pytest.mark.parametrize("template", ["{}=", "{}==", "{}+", " {}", "{}/", "{}é", "{0}{0}{0}{0}{0}"])
async def test_a_malformed_cursor_is_rejected(
    corpus_client: httpx.AsyncClient, template: str
) -> None:
    """A cursor with characters that no cursor has is rejected with the same advice."""
    cursor = template.format(await second_page_cursor(corpus_client, "/v1/awards"))
    assert_invalid_cursor(await corpus_client.get("/v1/awards", params={"cursor": cursor}))


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("/v1/awards", {"sort": "-announced"}),
        ("/v1/awards", {"sort": "ends"}),
        ("/v1/awards", {"region": "p0-region-0"}),
        ("/v1/awards", {"announced__gte": "2000"}),
        ("/v1/awards", {"q": "everywhere"}),
        ("/v1/awards", {"format": "csv", "trafficking_form": "sex"}),
        ("/v1/awards", {"format": "ndjson", "sort": "title"}),
        ("/v1/activities", {}),
        ("/v1/objectives", {}),
        ("/v1/citations", {}),
        ("/v1/regions", {"format": "geojson"}),
    ],
)
async def test_a_cursor_of_another_query_is_rejected(
    corpus_client: httpx.AsyncClient, path: str, other: dict[str, Any]
) -> None:
    """A cursor is valid only for the collection, filters and sort order that it was made for."""
    cursor = await second_page_cursor(corpus_client, "/v1/awards")
    assert_invalid_cursor(await corpus_client.get(path, params={**other, "cursor": cursor}))


@pytest.mark.parametrize(("q", "other_q"), [("a", "ab"), ("everywhere", "everywhere ")])
async def test_a_cursor_of_other_words_is_rejected(
    corpus_client: httpx.AsyncClient, q: str, other_q: str
) -> None:
    """The words of `q` are part of the query."""
    cursor = await second_page_cursor(corpus_client, "/v1/activities", q=q)
    params = {"q": other_q, "cursor": cursor}
    assert_invalid_cursor(await corpus_client.get("/v1/activities", params=params))


async def test_a_cursor_allows_another_page_size_and_content(
    corpus_client: httpx.AsyncClient, oracle: Oracle
) -> None:
    """`limit`, `include`, `facet` and `fields` may change from page to page."""
    cursor = await second_page_cursor(corpus_client, "/v1/awards")
    params: dict[str, Any] = {"cursor": cursor, "limit": 3, "include": "regions", "facet": "region"}
    page = (await corpus_client.get("/v1/awards", params=params)).json()
    assert page["data"] == oracle.select("awards", {})[2:5]
    assert page["meta"]["total"] == len(oracle.documents["awards"])
    page = (await corpus_client.get("/v1/awards", params={**params, "fields": "title"})).json()
    assert [row["id"] for row in page["data"]] == [
        row["id"] for row in oracle.select("awards", {})[2:5]
    ]
    assert {*page["data"][0]} == {"id", "title"}


@pytest.mark.parametrize("collection", [*TYPES, "search"])
@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "999999999999999999999999", "1.5", "1e2", "0x10", "+5", "05", "ten",
     "٣", "\uff11", "1_0", " 5", "5 ", "NaN", "true", "null", "\x00"],
)  # fmt: skip
async def test_an_invalid_limit_is_rejected(
    client: httpx.AsyncClient, collection: str, limit: str
) -> None:
    """A limit that is not an integer from 1 to 1,000 is rejected, not clamped."""
    params = {"limit": limit, **({"q": "peru"} if collection == "search" else {})}
    error = assert_parameter_error(await client.get(f"/v1/{collection}", params=params), "limit")
    assert "from 1 to 1000" in error["message"]


@pytest.mark.parametrize("collection", TYPES)
async def test_limit_bounds(client: httpx.AsyncClient, collection: str) -> None:
    """1 and 1,000 are valid limits; the default is 200."""
    for limit in (1, 1_000):
        page = (await client.get(f"/v1/{collection}", params={"limit": limit})).json()
        assert page["meta"]["limit"] == limit
        assert len(page["data"]) == min(limit, page["meta"]["total"])
    assert (await client.get(f"/v1/{collection}")).json()["meta"]["limit"] == 200


def single_value_parameters(collection: str) -> list[str]:
    """Parameters of a collection that can be given once."""
    q = ["q"] if collection in RESOURCES else []
    return [*range_parameters(collection), *q, "sort", "limit", "cursor", "format"]


def repeatable_parameters(collection: str) -> list[str]:
    """Parameters of a collection that can be repeated."""
    include = ["include"] if collection in RESOURCES else []
    facet = ["facet"] if FACETS[collection] else []
    return [*FILTERS[collection], *include, *facet, "fields"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *(
            (f"/v1/{collection}", name)
            for collection in TYPES
            for name in (*single_value_parameters(collection), *repeatable_parameters(collection))
        ),
        *((path, name) for path in ITEMS for name in ("include", "fields")),
    ],
)
async def test_an_empty_value_is_rejected(client: httpx.AsyncClient, path: str, name: str) -> None:
    """No parameter may be empty, with or without an equals sign."""
    for query in (f"{name}=", name):
        error = assert_parameter_error(await client.get(f"{path}?{query}"), name)
        assert "value" in error["message"]


VALID_VALUES = {"sort": "{}", "limit": "5", "cursor": "abc", "format": "json", "q": "peru"}


@pytest.mark.parametrize(
    ("collection", "name"),
    [(collection, name) for collection in TYPES for name in single_value_parameters(collection)],
)
async def test_a_repeated_value_is_rejected(
    client: httpx.AsyncClient, collection: str, name: str
) -> None:
    """A parameter with a single value is rejected if it is repeated, even with the same value."""
    value = VALID_VALUES.get(name, "2017").format(sorts(collection)[0])
    query = urlencode([(name, value), (name, value)])
    error = assert_parameter_error(await client.get(f"/v1/{collection}?{query}"), name)
    assert "more than once" in error["message"]


@pytest.mark.parametrize(
    ("collection", "name"),
    [(collection, name) for collection in TYPES for name in repeatable_parameters(collection)],
)
async def test_lists_are_repeated_parameters(
    client: httpx.AsyncClient, collection: str, name: str
) -> None:
    """Several values are sent as repeated parameters; commas do not separate values."""
    valid_values = {
        "include": [*INCLUDES.get(collection, {}), "citations"],
        "facet": FACETS[collection],
        "fields": ["links", "id"],
        "not_stated": [SEARCH_FIELDS.get(collection, ("",))[0]],
        **CHOICES,
    }
    if (collection, name) == ("citations", "id"):
        valid_values["id"] = [f"award.peru-ilo.title.1234567{number}" for number in (1, 2)]
    values = list(valid_values.get(name, ["US", "PE"] if name == "country" else ["name", "title"]))
    query = urlencode([(name, value) for value in values])
    assert (await client.get(f"/v1/{collection}?{query}")).status_code == 200
    assert_parameter_error(await client.get(f"/v1/{collection}", params={name: "peru,ilo"}), name)


CLOSED_SETS = [
    *((collection, "sort", sorts(collection)) for collection in TYPES),
    *(
        (collection, "format", ["json", "csv", "ndjson", *geojson])
        for collection in TYPES
        for geojson in [["geojson"] if collection == "regions" else []]
    ),
    *((collection, "include", [*INCLUDES[collection], "citations"]) for collection in RESOURCES),
    *((collection, "facet", list(FACETS[collection])) for collection in TYPES),
    *(
        (collection, name, list(CHOICES[name]))
        for collection, names in FILTERS.items()
        for name in names
        if name in CHOICES
    ),
]


@pytest.mark.parametrize(("collection", "name", "allowed"), CLOSED_SETS)
async def test_an_error_lists_allowed_values(
    client: httpx.AsyncClient, collection: str, name: str, allowed: list[str]
) -> None:
    """A value outside a closed set is rejected with the set and the closest value in it."""
    for value in allowed:
        response = await client.get(f"/v1/{collection}", params={name: value})
        assert response.status_code == 200
    misspelled = f"{allowed[-1]}x"
    error = assert_parameter_error(
        await client.get(f"/v1/{collection}", params={name: misspelled}), name
    )
    assert set(error["allowed"]) == set(allowed)
    assert error["did_you_mean"] == allowed[-1]
    error = assert_parameter_error(await client.get(f"/v1/{collection}", params={name: "☃"}), name)
    assert set(error["allowed"]) == set(allowed)
    assert error["did_you_mean"] is None
    uppercase = allowed[-1].upper()
    error = assert_parameter_error(
        await client.get(f"/v1/{collection}", params={name: uppercase}), name
    )
    assert error["did_you_mean"] == allowed[-1]


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        *(
            ("/v1/awards", name, value)
            for name in ("announced__gte", "announced__lte", "ends__gte", "ends__lte")
            for value in ("2017-02-30", "2017-13", "17", "2017-1", "2017-6-15", "20170615", "0000",
                          "2017-06-15T00:00:00Z", "\uff12017", "2017-", "-2017", "2017-06-15 ")
        ),
        *(
            ("/v1/partnerships", name, value)
            for name in ("investment_amount__gte", "investment_amount__lte")
            for value in ("-1", "1.0", "1e6", "5,000,000", "$5", str(2**53), "1" * 400, "\uff15")
        ),
        *(
            (f"/v1/{collection}", name, value)
            for collection, names in FILTERS.items()
            for name in names
            if name not in CLOSED_FILTERS and name not in ("country", "field")
            for value in ("Peru", "-x", "x-", "a--b", "a b", "a/b", "a" * 101, "a\n", "\x00", "é")
        ),
        *(("/v1/regions", "country", value) for value in ("pe", "P", "PER", "P1", "\uff30E")),
        *(("/v1/citations", "field", value) for value in ("Title", "1a", "a-b", "a\n", "ä")),
    ],
)  # fmt: skip
async def test_a_value_of_the_wrong_type_is_rejected(
    client: httpx.AsyncClient, path: str, name: str, value: str
) -> None:
    """A value of the wrong type is rejected; the message states what is expected."""
    error = assert_parameter_error(await client.get(path, params={name: value}), name)
    assert "expected" in error["message"]
    assert error["allowed"] is None


@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "%c3%28"])
@pytest.mark.parametrize("name", ["region", "announced__gte", "sort", "limit", "cursor", "include"])
async def test_invalid_utf8_is_rejected(client: httpx.AsyncClient, name: str, value: str) -> None:
    """Bytes that are not UTF-8 are an error of their parameter."""
    assert_parameter_error(await client.get(f"/v1/awards?{name}={value}"), name)


@pytest.mark.parametrize(
    ("path", "name", "suggestion"),
    [
        *((f"/v1/{collection}", "limits", "limit") for collection in TYPES),
        *((f"/v1/{collection}", "Sort", "sort") for collection in TYPES),
        *((f"/v1/{collection}", "LIMIT", "limit") for collection in TYPES),
        *((f"/v1/{collection}", "cursors", "cursor") for collection in TYPES),
        ("/v1/awards", "regions", "region"),
        ("/v1/awards", "recipients", "recipient"),
        ("/v1/awards", "announced_gte", "announced__gte"),
        ("/v1/partnerships", "investment_amount__gt", "investment_amount__gte"),
        ("/v1/organizations", "roles", "role"),
        ("/v1/search", "types", "type"),
        *((path, "includes", "include") for path in ITEMS),
    ],
)
async def test_a_misspelled_parameter_has_a_suggestion(
    client: httpx.AsyncClient, path: str, name: str, suggestion: str
) -> None:
    """A name that is similar to a parameter's is rejected with that parameter as a suggestion."""
    query = f"{name}=peru" + ("&q=peru" if path == "/v1/search" else "")
    error = assert_parameter_error(await client.get(f"{path}?{query}"), name)
    assert error["did_you_mean"] == suggestion
    assert suggestion in error["allowed"]
    assert suggestion in error["message"]


@pytest.mark.parametrize(
    "path",
    [
        *PATHS_WITHOUT_PARAMETERS,
        CITATION,
        *ITEMS,
        *(f"/v1/{collection}" for collection in TYPES),
        "/v1/search?q=peru",
    ],
)
@pytest.mark.parametrize(
    "name", ["zzz", "data[]", "limit ", "%20limit", "☃", "a" * 3_000, "%00", "__proto__", "="]
)
async def test_an_unknown_parameter_is_rejected_everywhere(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    """Every path under /v1 rejects parameters that it does not have and lists those it has."""
    separator = "&" if "?" in path else "?"
    problem = assert_problem(await client.get(f"{path}{separator}{name}=1"), 422)
    (error,) = problem["errors"]
    assert (
        error["parameter"] == httpx.QueryParams(f"{name}=1").multi_items()[0][0][:59]
        or len(name) > 60
    )
    assert len(error["parameter"]) <= 60
    _, _, collection = path.removeprefix("/v1").partition("/")
    if path in PATHS_WITHOUT_PARAMETERS:
        assert error["allowed"] == []
    elif path in ITEMS:
        assert error["allowed"] == ["include", "fields"]
    elif path == CITATION:
        assert error["allowed"] == ["fields"]
    elif collection in TYPES:
        assert set(error["allowed"]) == {
            *single_value_parameters(collection),
            *repeatable_parameters(collection),
        }
    else:
        assert set(error["allowed"]) == {"q", "type", "limit", "cursor"}


@pytest.mark.parametrize("path", ITEMS)
async def test_items_reject_list_parameters(client: httpx.AsyncClient, path: str) -> None:
    """A single item has the parameters `include` and `fields` and no other."""
    for name, value in {"limit": "5", "sort": "title", "format": "json", "facet": "region"}.items():
        error = assert_parameter_error(await client.get(path, params={name: value}), name)
        assert error["allowed"] == ["include", "fields"]
    error = assert_parameter_error(
        await client.get(path, params={"include": "citation"}), "include"
    )
    assert error["did_you_mean"] == "citations"


async def test_all_errors_are_reported_at_once(client: httpx.AsyncClient) -> None:
    """All errors of a request are reported, up to 20, in the order sent."""
    query = "regon=cusco&limit=0&sort=up&announced__gte=x&limit=1&limit=2"
    problem = assert_problem(await client.get(f"/v1/awards?{query}"), 422)
    names = [error["parameter"] for error in problem["errors"]]
    assert names[:4] == ["regon", "limit", "sort", "announced__gte"]
    many = "&".join(f"x{number}=1" for number in range(500))
    problem = assert_problem(await client.get(f"/v1/awards?{many}"), 422)
    assert 1 <= len(problem["errors"]) <= 20


@pytest.mark.parametrize(
    "query", ["&&&", "limit=5&", "&limit=5", "sort=title&limit=5&&", "%6c%69mit=5", "limit=%35"]
)
async def test_query_strings_are_parsed_like_forms(client: httpx.AsyncClient, query: str) -> None:
    """Empty pairs are skipped and names are percent-decoded, as in HTML forms."""
    assert (await client.get(f"/v1/awards?{query}")).status_code == 200


@pytest.mark.parametrize(
    ("collection", "name"),
    [
        (collection, name)
        for collection, names in FILTERS.items()
        for name in names
        if name not in CLOSED_FILTERS
    ],
)
async def test_an_unknown_value_matches_nothing(
    client: httpx.AsyncClient, collection: str, name: str
) -> None:
    """A valid filter value that no item has gives an empty list in every format."""
    value = {"country": "ZZ", "field": "no_such"}.get(name, "no-such")
    if (collection, name) == ("citations", "id"):
        value = "award.no-such.title.12345678"
    params = {name: value}
    page = (await client.get(f"/v1/{collection}", params=params)).json()
    assert (page["data"], page["meta"]["total"], page["links"]["next"]) == ([], 0, None)
    lines = await client.get(f"/v1/{collection}", params={**params, "format": "ndjson"})
    assert (lines.status_code, lines.content) == (200, b"")
    table = await client.get(f"/v1/{collection}", params={**params, "format": "csv"})
    assert (table.status_code, table.content.count(b"\r\n")) == (200, 1)
