"""Pages of collections, and what their parameters refuse."""

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
    FACETS,
    FILTERS,
    INCLUDES,
    RESOURCES,
    TYPES,
    Json,
    Oracle,
    range_parameters,
    sorts,
)
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

ORDERS = [(name, sort) for name in TYPES for sort in sorts(name)]
ITEMS = [
    "/v1/partnerships/us-peru-cpc",
    "/v1/objectives/peru-prevention",
    "/v1/awards/peru-ilo",
    "/v1/activities/peru-ilo-prosecutions",
    "/v1/regions/cusco",
    "/v1/organizations/ilo",
    "/v1/sources/us-peru-cpc-page",
]
CITATION = "/v1/citations/award.peru-ilo.announced.1"
BARE = ["/v1", "/v1/meta", "/v1/record", CITATION]
"""Paths that take no parameters."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a made-up record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 72)


@pytest.fixture(scope="module")
async def made_up(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the made-up record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as opened:
        yield opened


@pytest.fixture(scope="module")
def oracle(corpus: Path) -> Oracle:
    """What the made-up record should answer."""
    return Oracle(corpus)


async def walk(client: httpx.AsyncClient, url: str) -> tuple[list[Json], set[str]]:
    """Every row along the next links, and every cursor; body and header must agree."""
    rows: list[Json] = []
    cursors: set[str] = set()
    following: str | None = url
    while following:
        response = await client.get(following)
        page = response.json()
        rows += page["data"]
        following = page["links"]["next"]
        assert response.links.get("next", {}).get("url") == following
        if following:
            cursor = httpx.URL(following).params["cursor"]
            assert cursor not in cursors
            cursors.add(cursor)
    return rows, cursors


def assert_refused(response: httpx.Response, parameter: str) -> Json:
    """The one fault is this parameter's; returns what is said of it."""
    problem = assert_problem(response, 422)
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    error: Json = problem["errors"][0]
    assert parameter in error["message"]
    assert error["message"] in problem["detail"]
    return error


def assert_start_again(response: httpx.Response) -> None:
    """The cursor is refused, and the client told to start again."""
    assert "start again" in assert_refused(response, "cursor")["message"].lower()


async def cursor_of(client: httpx.AsyncClient, path: str, **asked: Any) -> str:
    """The cursor of the second page."""
    page = (await client.get(path, params={"limit": 2, **asked})).json()
    return httpx.URL(page["links"]["next"]).params["cursor"]


@pytest.mark.parametrize("limit", [1, 2, 7])
@pytest.mark.parametrize(("collection", "sort"), ORDERS)
async def test_every_walk_gives_each_row_once(
    made_up: httpx.AsyncClient, oracle: Oracle, collection: str, sort: str, limit: int
) -> None:
    """Under every sort and page size: each row once, null last, ties by id."""
    rows, cursors = await walk(made_up, f"/v1/{collection}?sort={sort}&limit={limit}")
    expected = oracle.select(collection, {"sort": [sort]})
    assert [row["id"] for row in rows] == [one["id"] for one in expected]
    assert rows == expected
    assert len(cursors) == (len(rows) - 1) // limit


@pytest.mark.parametrize("form", ["csv", "ndjson"])
@pytest.mark.parametrize("sort", ["announced", "-announced", "-ends", "title"])
async def test_pages_of_other_formats(made_up: httpx.AsyncClient, form: str, sort: str) -> None:
    """With `limit`, CSV and NDJSON come in pages too, linked by the header."""
    url: str | None = f"/v1/awards?format={form}&sort={sort}&limit=4"
    lines: list[bytes] = []
    while url:
        response = await made_up.get(url)
        found = response.content.splitlines(keepends=True)
        lines += found if form == "ndjson" or not lines else found[1:]
        url = response.links.get("next", {}).get("url")
    whole = await made_up.get(f"/v1/awards?format={form}&sort={sort}")
    assert "next" not in whole.links
    assert b"".join(lines) == whole.content


async def test_a_cursor_without_a_limit_gives_the_rest(
    made_up: httpx.AsyncClient, oracle: Oracle
) -> None:
    """A stream may begin at a cursor, and then gives all that follows."""
    cursor = await cursor_of(made_up, "/v1/regions")
    rest = await made_up.get("/v1/regions", params={"format": "ndjson", "cursor": cursor})
    assert len(rest.content.splitlines()) == len(oracle.documents["regions"]) - 2


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/awards", {}),
        ("/v1/awards", {"sort": "-announced"}),
        ("/v1/awards", {"sort": "ends"}),
        ("/v1/activities", {"q": "everywhere", "sort": "-title"}),
        ("/v1/citations", {"basis": ["stated", "derived"], "sort": "-id"}),
    ],
)
async def test_a_tampered_cursor_is_refused(
    made_up: httpx.AsyncClient, path: str, asked: dict[str, Any]
) -> None:
    """Whichever character is changed, left out or added: start again."""
    cursor = await cursor_of(made_up, path, **asked)
    spoiled = {cursor[:at] + cursor[at + 1 :] for at in range(len(cursor))}
    for at in range(len(cursor)):
        spoiled |= {f"{cursor[:at]}{other}{cursor[at + 1 :]}" for other in "ABQ_"}
    for one in (spoiled | {cursor + "A", "A" + cursor, "A", "_-", "0" * 200}) - {cursor}:
        assert_start_again(await made_up.get(path, params={"limit": 2, **asked, "cursor": one}))


@pytest.mark.parametrize("spoil", ["{}=", "{}==", "{}+", " {}", "{}/", "{}é", "{0}{0}{0}{0}{0}"])
async def test_a_cursor_in_another_alphabet_is_refused(
    made_up: httpx.AsyncClient, spoil: str
) -> None:
    """A cursor that cannot be one is refused with the same advice."""
    cursor = spoil.format(await cursor_of(made_up, "/v1/awards"))
    assert_start_again(await made_up.get("/v1/awards", params={"cursor": cursor}))


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
async def test_a_cursor_of_another_query_is_refused(
    made_up: httpx.AsyncClient, path: str, other: dict[str, Any]
) -> None:
    """A cursor is good for the collection, the filters and the sort that gave it."""
    cursor = await cursor_of(made_up, "/v1/awards")
    assert_start_again(await made_up.get(path, params={**other, "cursor": cursor}))


@pytest.mark.parametrize(("was", "becomes"), [("a", "ab"), ("everywhere", "everywhere ")])
async def test_a_cursor_of_other_words_is_refused(
    made_up: httpx.AsyncClient, was: str, becomes: str
) -> None:
    """The words are part of the query."""
    cursor = await cursor_of(made_up, "/v1/activities", q=was)
    asked = {"q": becomes, "cursor": cursor}
    assert_start_again(await made_up.get("/v1/activities", params=asked))


@pytest.mark.parametrize("collection", TYPES)
async def test_a_cursor_of_another_release_is_refused(
    made_up: httpx.AsyncClient, tmp_path: Path, collection: str
) -> None:
    """A cursor is good for the release that gave it."""
    path = f"/v1/{collection}"
    cursor = await cursor_of(made_up, path)
    other = write_corpus(tmp_path, 72, 2)
    async with client_for(other, tmp_path / "archive.sqlite") as client:
        assert (await client.get(path)).status_code == 200
        assert_start_again(await client.get(path, params={"cursor": cursor}))


async def test_a_cursor_is_good_for_other_shapes(
    made_up: httpx.AsyncClient, oracle: Oracle
) -> None:
    """Size of page, `include` and `facet` may change on the way."""
    cursor = await cursor_of(made_up, "/v1/awards")
    asked: dict[str, Any] = {"cursor": cursor, "limit": 3, "include": "regions", "facet": "region"}
    page = (await made_up.get("/v1/awards", params=asked)).json()
    assert page["data"] == oracle.select("awards", {})[2:5]
    assert page["meta"]["total"] == len(oracle.documents["awards"])


@pytest.mark.parametrize("collection", [*TYPES, "search"])
@pytest.mark.parametrize(
    "limit",
    ["0", "-1", "1001", "999999999999999999999999", "1.5", "1e2", "0x10", "+5", "05", "ten",
     "٣", "\uff11", "1_0", " 5", "5 ", "NaN", "true", "null", "\x00"],
)  # fmt: skip
async def test_limit_is_never_clamped(
    client: httpx.AsyncClient, collection: str, limit: str
) -> None:
    """A limit that is no whole number from 1 to 1,000 is refused with the bounds."""
    asked = {"limit": limit, **({"q": "peru"} if collection == "search" else {})}
    error = assert_refused(await client.get(f"/v1/{collection}", params=asked), "limit")
    assert "from 1 to 1000" in error["message"]


@pytest.mark.parametrize("collection", TYPES)
async def test_limit_bounds(client: httpx.AsyncClient, collection: str) -> None:
    """1 and 1,000 are limits; without one it is 200."""
    for limit in (1, 1_000):
        page = (await client.get(f"/v1/{collection}", params={"limit": limit})).json()
        assert page["meta"]["limit"] == limit
        assert len(page["data"]) == min(limit, page["meta"]["total"])
    assert (await client.get(f"/v1/{collection}")).json()["meta"]["limit"] == 200


def single(collection: str) -> list[str]:
    """Parameters of a collection that take one value."""
    words = ["q"] if collection in RESOURCES else []
    return [*range_parameters(collection), *words, "sort", "limit", "cursor", "format"]


def repeatable(collection: str) -> list[str]:
    """Parameters of a collection that may be repeated."""
    include = ["include"] if collection in RESOURCES else []
    facet = ["facet"] if FACETS[collection] else []
    return [*FILTERS[collection], *include, *facet]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        *((f"/v1/{one}", name) for one in TYPES for name in (*single(one), *repeatable(one))),
        *((path, "include") for path in ITEMS),
    ],
)
async def test_empty_is_refused(client: httpx.AsyncClient, path: str, name: str) -> None:
    """No parameter may be empty, with or without its equals sign."""
    for query in (f"{name}=", name):
        error = assert_refused(await client.get(f"{path}?{query}"), name)
        assert "value" in error["message"]


GOOD = {"sort": "{}", "limit": "5", "cursor": "abc", "format": "json", "q": "peru"}


@pytest.mark.parametrize(
    ("collection", "name"), [(one, name) for one in TYPES for name in single(one)]
)
async def test_repeated_is_refused(client: httpx.AsyncClient, collection: str, name: str) -> None:
    """Where one value is meant, two are refused, even the same two."""
    value = GOOD.get(name, "2017").format(sorts(collection)[0])
    query = urlencode([(name, value), (name, value)])
    error = assert_refused(await client.get(f"/v1/{collection}?{query}"), name)
    assert "more than once" in error["message"]


@pytest.mark.parametrize(
    ("collection", "name"), [(one, name) for one in TYPES for name in repeatable(one)]
)
async def test_lists_are_repeated_keys(
    client: httpx.AsyncClient, collection: str, name: str
) -> None:
    """Several values are several keys; a comma does not part them."""
    pool = {
        "include": [*INCLUDES.get(collection, {}), "citations"],
        "facet": FACETS[collection],
        **CHOICES,
    }
    values = list(pool.get(name, ["US", "PE"] if name == "country" else ["name", "title"]))
    query = urlencode([(name, value) for value in values])
    assert (await client.get(f"/v1/{collection}?{query}")).status_code == 200
    assert_refused(await client.get(f"/v1/{collection}", params={name: "peru,ilo"}), name)


CLOSED = [
    *((one, "sort", sorts(one)) for one in TYPES),
    *(
        (one, "format", ["json", "csv", "ndjson", *(["geojson"] if one == "regions" else [])])
        for one in TYPES
    ),
    *((one, "include", [*INCLUDES[one], "citations"]) for one in RESOURCES),
    *((one, "facet", list(FACETS[one])) for one in TYPES),
    *(
        (one, name, list(CHOICES[name]))
        for one, names in FILTERS.items()
        for name in names
        if name in CHOICES
    ),
]


@pytest.mark.parametrize(("collection", "name", "allowed"), CLOSED)
async def test_closed_sets_say_what_is_allowed(
    client: httpx.AsyncClient, collection: str, name: str, allowed: list[str]
) -> None:
    """A value outside a closed set is refused with the set and the nearest value in it."""
    for value in allowed:
        response = await client.get(f"/v1/{collection}", params={name: value})
        assert response.status_code == 200
    misspelt = f"{allowed[-1]}x"
    error = assert_refused(await client.get(f"/v1/{collection}", params={name: misspelt}), name)
    assert set(error["allowed"]) == set(allowed)
    assert error["did_you_mean"] == allowed[-1]
    far = assert_refused(await client.get(f"/v1/{collection}", params={name: "☃"}), name)
    assert set(far["allowed"]) == set(allowed)
    assert far["did_you_mean"] is None
    shouted = allowed[-1].upper()
    error = assert_refused(await client.get(f"/v1/{collection}", params={name: shouted}), name)
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
            if name not in CHOICES and name not in ("country", "field")
            for value in ("Peru", "-x", "x-", "a--b", "a b", "a/b", "a" * 101, "a\n", "\x00", "é")
        ),
        *(("/v1/regions", "country", value) for value in ("pe", "P", "PER", "P1", "\uff30E")),
        *(("/v1/citations", "field", value) for value in ("Title", "1a", "a-b", "a\n", "ä")),
    ],
)  # fmt: skip
async def test_mistyped_is_refused(
    client: httpx.AsyncClient, path: str, name: str, value: str
) -> None:
    """A value of the wrong type is refused, and said what was expected and found."""
    error = assert_refused(await client.get(path, params={name: value}), name)
    assert "expected" in error["message"]
    assert error["allowed"] is None


@pytest.mark.parametrize("value", ["%ff", "%ed%a0%80", "%c3%28"])
@pytest.mark.parametrize("name", ["region", "announced__gte", "sort", "limit", "cursor", "include"])
async def test_what_is_no_text_is_refused(client: httpx.AsyncClient, name: str, value: str) -> None:
    """Bytes that are not UTF-8 are a fault of the parameter that has them."""
    assert_refused(await client.get(f"/v1/awards?{name}={value}"), name)


@pytest.mark.parametrize(
    ("path", "sent", "meant"),
    [
        *((f"/v1/{one}", "limits", "limit") for one in TYPES),
        *((f"/v1/{one}", "Sort", "sort") for one in TYPES),
        *((f"/v1/{one}", "LIMIT", "limit") for one in TYPES),
        *((f"/v1/{one}", "cursors", "cursor") for one in TYPES),
        ("/v1/awards", "regions", "region"),
        ("/v1/awards", "recipients", "recipient"),
        ("/v1/awards", "announced_gte", "announced__gte"),
        ("/v1/partnerships", "investment_amount__gt", "investment_amount__gte"),
        ("/v1/organizations", "roles", "role"),
        ("/v1/search", "types", "type"),
        *((path, "includes", "include") for path in ITEMS),
    ],
)
async def test_a_misspelt_parameter_is_told_the_nearest(
    client: httpx.AsyncClient, path: str, sent: str, meant: str
) -> None:
    """A name that is nearly a parameter's is refused with the parameter that was meant."""
    query = f"{sent}=peru" + ("&q=peru" if path == "/v1/search" else "")
    error = assert_refused(await client.get(f"{path}?{query}"), sent)
    assert error["did_you_mean"] == meant
    assert meant in error["allowed"]
    assert meant in error["message"]


@pytest.mark.parametrize(
    "path", [*BARE, *ITEMS, *(f"/v1/{one}" for one in TYPES), "/v1/search?q=peru"]
)
@pytest.mark.parametrize(
    "sent", ["zzz", "data[]", "limit ", "%20limit", "☃", "a" * 3_000, "%00", "__proto__", "="]
)
async def test_an_unknown_parameter_is_refused_everywhere(
    client: httpx.AsyncClient, path: str, sent: str
) -> None:
    """No path under /v1 lets a parameter pass that it does not take; it lists what it takes."""
    mark = "&" if "?" in path else "?"
    problem = assert_problem(await client.get(f"{path}{mark}{sent}=1"), 422)
    (error,) = problem["errors"]
    assert (
        error["parameter"] == httpx.QueryParams(f"{sent}=1").multi_items()[0][0][:59]
        or len(sent) > 60
    )
    assert len(error["parameter"]) <= 60
    _, _, resource = path.removeprefix("/v1").partition("/")
    if path in BARE:
        assert error["allowed"] == []
    elif path in ITEMS:
        assert error["allowed"] == ["include"]
    elif resource in TYPES:
        assert set(error["allowed"]) == {*single(resource), *repeatable(resource)}
    else:
        assert set(error["allowed"]) == {"q", "type", "limit", "cursor"}


@pytest.mark.parametrize("path", ITEMS)
async def test_items_refuse_what_lists_take(client: httpx.AsyncClient, path: str) -> None:
    """A single item takes `include` and nothing else."""
    for name, value in {"limit": "5", "sort": "title", "format": "json", "facet": "region"}.items():
        error = assert_refused(await client.get(path, params={name: value}), name)
        assert error["allowed"] == ["include"]
    error = assert_refused(await client.get(path, params={"include": "citation"}), "include")
    assert error["did_you_mean"] == "citations"


async def test_every_fault_is_told_at_once(client: httpx.AsyncClient) -> None:
    """A request with several faults is told all of them, in the order sent."""
    query = "regon=cusco&limit=0&sort=up&announced__gte=x&limit=1&limit=2"
    problem = assert_problem(await client.get(f"/v1/awards?{query}"), 422)
    named = [error["parameter"] for error in problem["errors"]]
    assert named[:4] == ["regon", "limit", "sort", "announced__gte"]
    flood = "&".join(f"x{number}=1" for number in range(500))
    problem = assert_problem(await client.get(f"/v1/awards?{flood}"), 422)
    assert 1 <= len(problem["errors"]) <= 20


@pytest.mark.parametrize(
    "query", ["&&&", "limit=5&", "&limit=5", "sort=title&limit=5&&", "%6c%69mit=5", "limit=%35"]
)
async def test_spelling_of_the_query_does_not_matter(client: httpx.AsyncClient, query: str) -> None:
    """Empty pairs are skipped and percent-encoded names are read, as browsers and forms do."""
    assert (await client.get(f"/v1/awards?{query}")).status_code == 200


@pytest.mark.parametrize(
    ("collection", "name"),
    [(one, name) for one, names in FILTERS.items() for name in names if name not in CHOICES],
)
async def test_a_value_that_names_nothing_finds_nothing(
    client: httpx.AsyncClient, collection: str, name: str
) -> None:
    """A well-formed value that no item has gives an empty list in every format."""
    value = {"country": "ZZ", "field": "no_such"}.get(name, "no-such")
    asked = {name: value}
    page = (await client.get(f"/v1/{collection}", params=asked)).json()
    assert (page["data"], page["meta"]["total"], page["links"]["next"]) == ([], 0, None)
    lines = await client.get(f"/v1/{collection}", params={**asked, "format": "ndjson"})
    assert (lines.status_code, lines.content) == (200, b"")
    table = await client.get(f"/v1/{collection}", params={**asked, "format": "csv"})
    assert (table.status_code, table.content.count(b"\r\n")) == (200, 1)
