"""Full-text search: matches, their order, snippets, pages and errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unicodedata import combining

import httpx
import pytest

from app.query.snippets import split_words
from benchmarks.corpus import write_corpus
from tests.conftest import SeedCopy
from tests.support.oracle import (
    RESOURCES,
    SEARCH_FIELDS,
    TYPES,
    Json,
    Oracle,
    as_list,
    fold,
    matches_words,
    words,
)
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

SEARCH_PATH = "/v1/search"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a generated record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 240)


@pytest.fixture(scope="module")
async def corpus_client(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the application on the generated record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as client:
        yield client


async def search(client: httpx.AsyncClient, q: str, **params: Any) -> list[Json]:
    """The matches of a search, at most 1,000."""
    response = await client.get(SEARCH_PATH, params={"q": q, "limit": 1_000, **params})
    assert response.status_code == 200, response.text
    page = response.json()
    assert set(page) == {"data", "meta", "links"}
    assert page["meta"]["total"] == len(page["data"])
    hits: list[Json] = page["data"]
    return hits


def expected_ids(oracle: Oracle, q: str) -> set[tuple[str, str]]:
    """Type and id of every resource that contains the words, according to plain Python."""
    return {
        (TYPES[collection], resource["id"])
        for collection in RESOURCES
        for resource in oracle.documents[collection]
        if matches_words(q, resource[SEARCH_FIELDS[collection][0]], _body(collection, resource))
    }


def _body(collection: str, resource: Json) -> str:
    """The searched text besides the title."""
    fields = SEARCH_FIELDS[collection][1:]
    return "\n".join(member for field in fields for member in as_list(resource[field]))


@pytest.mark.parametrize("collection", RESOURCES)
async def test_every_resource_is_found_by_its_title(
    client: httpx.AsyncClient, collection: str
) -> None:
    """A search for the title or name of any resource finds it, with a link to it."""
    for resource in (await client.get(f"/v1/{collection}")).json()["data"]:
        title = resource[SEARCH_FIELDS[collection][0]]
        hits = await search(client, title, type=TYPES[collection])
        hit = next(hit for hit in hits if hit["id"] == resource["id"])
        assert set(hit) == {"type", "id", "title", "snippet", "links"}
        assert (hit["type"], hit["title"]) == (TYPES[collection], title)
        assert (await client.get(hit["links"]["self"])).json()["data"] == resource


@pytest.mark.parametrize(
    ("field", "collection", "resource_id", "q"),
    [
        ("aliases", "regions", "cusco", "Cuzco"),
        ("iso_3166_2", "regions", "metropolitan-lima", "PE-LMA"),
        ("short_name", "organizations", "ilo", "ILO"),
        ("supports", "activities", "peru-ilo-national-plan", "2017-2021"),
    ],
)
async def test_other_fields_are_searched(
    client: httpx.AsyncClient, field: str, collection: str, resource_id: str, q: str
) -> None:
    """Aliases, codes and plans are searched too."""
    document = (await client.get(f"/v1/{collection}/{resource_id}")).json()["data"]
    assert document[field]
    assert resource_id in {hit["id"] for hit in await search(client, q, type=TYPES[collection])}


@pytest.mark.parametrize(
    "q",
    [
        "everywhere", "ever", "shelter", "NEAR", "title:x", "(y)", "x*", "under_score", "a|b",
        "prosecution survivor", "tag everywhere", "NOT everywhere", "50% rare", "-w", "enfant",
    ],
)  # fmt: skip
async def test_matches_contain_all_words(
    corpus_client: httpx.AsyncClient, corpus: Path, q: str
) -> None:
    """A search returns exactly the resources that contain all its words, each once."""
    hits = [(hit["type"], hit["id"]) for hit in await search(corpus_client, q)]
    assert len(hits) == len(set(hits))
    assert set(hits) == expected_ids(Oracle(corpus), q) != set()


async def test_title_matches_rank_first(seed: SeedCopy, tmp_path: Path) -> None:
    """A match in a title ranks above matches in other text, even if that is short."""
    body = "A quokka, seen once."
    seed.put("/objectives/0/summary", body)
    seed.put("/activities/0/summary", body)
    long_title = seed.data["awards"][0]["title"] + " and a few more words to make it longer"
    seed.put("/awards/0/title", f"{long_title}, quokka")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = [hit["id"] for hit in await search(client, "quokka")]
    assert hits[0] == seed.data["awards"][0]["id"]
    assert set(hits[1:]) == {seed.data["objectives"][0]["id"], seed.data["activities"][0]["id"]}


async def test_frequent_matches_rank_higher(seed: SeedCopy, tmp_path: Path) -> None:
    """Of two texts with the same length, the one with more occurrences of the word ranks first."""
    seed.put("/objectives/0/title", "Same")
    seed.put("/objectives/1/title", "Same")
    seed.put("/objectives/0/summary", "Quokka wombat wombat wombat.")
    seed.put("/objectives/1/summary", "Quokka quokka quokka wombat.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = [hit["id"] for hit in await search(client, "quokka")]
    assert hits == [seed.data["objectives"][index]["id"] for index in (1, 0)]


@pytest.mark.parametrize(
    "q",
    ["everywhere", "shel", "prosecution survivor", "peru", "perú", "rare", "ete", "дети", "保护"],
)
async def test_marks_cover_the_matches(corpus_client: httpx.AsyncClient, q: str) -> None:
    """Each mark covers exactly one match, in code points; marks are sorted and do not overlap."""
    query_words = words(q)
    for hit in await search(corpus_client, q):
        text, marks = hit["snippet"]["text"], hit["snippet"]["marks"]
        assert marks, hit
        edges = [edge for mark in marks for edge in (mark["start"], mark["end"])]
        assert edges == sorted(edges)
        assert len(text) < 2_000
        for mark in marks:
            marked = text[mark["start"] : mark["end"]]
            assert len(words(marked)) == 1, marked
            assert marked[0].isalnum()
            assert marked[-1].isalnum() or combining(marked[-1])
            assert any(fold(marked).startswith(word) for word in query_words)
            assert not text[mark["end"] :][:1].isalnum()


async def test_snippets_are_plain_text(corpus_client: httpx.AsyncClient) -> None:
    """A snippet is an excerpt of the resource's own text; markup in it is not changed."""
    hits = await search(corpus_client, "tag")
    assert any("<b>tag</b>" in hit["snippet"]["text"] for hit in hits)
    for hit in hits:
        document = (await corpus_client.get(hit["links"]["self"])).json()["data"]
        collection = next(name for name, type_ in TYPES.items() if type_ == hit["type"])
        full_text = f"{document[SEARCH_FIELDS[collection][0]]}\n{_body(collection, document)}"
        assert hit["snippet"]["text"].strip("…") in full_text


@pytest.mark.parametrize("type_", [TYPES[collection] for collection in RESOURCES])
async def test_type_filters_matches(
    corpus_client: httpx.AsyncClient, corpus: Path, type_: str
) -> None:
    """With `type`, only resources of that type match."""
    hits = await search(corpus_client, "everywhere", type=type_)
    expected = {match for match in expected_ids(Oracle(corpus), "everywhere") if match[0] == type_}
    assert {(hit["type"], hit["id"]) for hit in hits} == expected != set()


async def test_repeated_types_mean_or(corpus_client: httpx.AsyncClient) -> None:
    """Repeated, `type` means OR, and all matches are sorted by relevance together."""
    both = await search(corpus_client, "everywhere", type=["award", "region"])
    all_types = await search(corpus_client, "everywhere")
    assert both == [hit for hit in all_types if hit["type"] in ("award", "region")]


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("centro yana", True),
        ("yanapanakusun cent", True),
        ("yana centro", False),
        ("yana ", False),
        ("yanapanakusun ", True),
        ("y", True),
        ("apanakusun", False),
    ],
)
async def test_the_last_word_matches_as_a_prefix(
    client: httpx.AsyncClient, q: str, found: bool
) -> None:
    """The last word matches as a prefix, for search as you type; other words match as a whole."""
    ids = {hit["id"] for hit in await search(client, q)}
    assert ("centro-yanapanakusun" in ids) == found


@pytest.mark.parametrize(
    ("text", "q"),
    [
        ("Perú", "peru"),
        ("Peru", "PERÚ"),
        ("ñandú", "NANDU"),
        ("nandu", "ñandú"),
        ("Ελλάδα", "ελλαδα"),
        ("ελλαδα", "ΕΛΛΆΔΑ"),
        ("ЗАЩИТА", "защита"),
        ("İstanbul", "istanbul"),
        ("Łódź", "lodz"),
        ("lodz", "ŁÓDŹ"),
        ("København", "kobenhavn"),
        ("Œuvre", "oeuvre"),
        ("Hœuvres", "hoeu"),
        ("oeuvre", "ŒUVRE"),
        ("Đakovo", "dakovo"),
        ("Straße", "strass"),
        ("strasse", "Straße"),
        ("Æsir", "aesi"),
        ("Þórður", "thordur"),
        ("Diyarbak\u0131r", "DIYARBAKIR"),
        ("naïve", "nai\u0308ve"),
        ("nai\u0308ve", "naïve"),
        ("naïveté", "nai\u0308"),
        ("café", "cafe\u0301"),
        ("cafétéria", "cafe\u0301"),
    ],
)
async def test_accents_and_case_are_ignored(
    seed: SeedCopy, tmp_path: Path, text: str, q: str
) -> None:
    """Words match with or without accents, precomposed or decomposed, in either case."""
    seed.put("/objectives/2/summary", f"One word, {text}, among others.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = await search(client, q, type="objective")
    assert [hit["id"] for hit in hits] == [seed.data["objectives"][2]["id"]]
    snippet = hits[0]["snippet"]
    assert [snippet["text"][mark["start"] : mark["end"]] for mark in snippet["marks"]] == [text]


UNUSUAL_QUERIES = [
    '"', '""', '"""', '"unclosed', 'he"llo', "'", "''", "AND", "OR", "NOT", "NEAR", "AND OR NOT",
    "peru AND", "NOT peru", "NEAR(peru ilo, 2)", "*", "**", "per*", "*peru", "^", "^peru", "-peru",
    "- peru", "title:", "title:peru", "title : peru", "{title body}: peru", ":", "(", ")", "()",
    "(peru", "peru)", "((((((((((", "+", "peru + ilo", "\\", "%", "_", ";", "--", "/*", "?1", ":q",
    "$q", "\x00", "peru\x00ilo", "\x00peru", "\x01\x02\x03", "\x02peru\x03", "\x7f", "\t", "\n",
    "\r\n", " ", "   ", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u202e", "\ud7ff", "\ufffd",
    "\uffff", "\U0010ffff", "👩🏽\u200d🚒", "🇵🇪", "e\u0301" * 100, "\u0301", "حماية", "שלום",
    "\u202bשלם", "कार्य", "เด็ก", "儿童", "a" * 200, "a " * 100, "\U0001f600" * 200, '"' * 200,
    "*" * 200, "(" * 200, "AND " * 50, "ﬁ", "ß", "İ", "0" * 200, "1e999", "null", "undefined",
]  # fmt: skip


@pytest.mark.parametrize("path", [SEARCH_PATH, "/v1/awards", "/v1/regions"])
@pytest.mark.parametrize("q", UNUSUAL_QUERIES)
async def test_any_text_is_a_valid_query(client: httpx.AsyncClient, path: str, q: str) -> None:
    """`q` has no operators: any text of up to 200 characters is searched for, with status 200."""
    response = await client.get(path, params={"q": q})
    assert response.status_code == 200, response.text
    page = response.json()
    assert page["meta"]["total"] == len(page["data"])
    again = await client.get(page["links"]["self"])
    assert again.json() == page


@pytest.mark.parametrize(
    "q", ['"', "''", "*", "^", "-", ":", "()", "...", "«»", "!?", " ", "\x00", "👩🏽\u200d🚒", "—"]
)
async def test_punctuation_alone_matches_nothing(client: httpx.AsyncClient, q: str) -> None:
    """A query without words is valid and matches nothing."""
    assert await search(client, q) == []


@pytest.mark.parametrize(
    ("q", "plain_q"),
    [
        ("peru*", "peru"),
        ('"peru"', "peru "),
        ("-peru", "peru"),
        ("^peru", "peru"),
        ("(peru", "peru"),
        ("peru\x00trafficking", "peru trafficking"),
        ("  peru \t trafficking", "peru trafficking"),
        ("trafficking peru ", "peru trafficking "),
        ("title:peru", "title peru"),
        ("peru - ilo", "peru ilo"),
    ],
)
async def test_punctuation_around_words_is_ignored(
    client: httpx.AsyncClient, q: str, plain_q: str
) -> None:
    """Operators of other search engines have no effect on the words next to them."""
    hits, plain_hits = await search(client, q), await search(client, plain_q)
    assert {hit["id"] for hit in hits} <= {hit["id"] for hit in plain_hits}
    if "title" not in q:
        assert hits


@pytest.mark.parametrize("operator", ["AND", "OR", "NOT"])
async def test_operators_are_words(corpus_client: httpx.AsyncClient, operator: str) -> None:
    """The name of an operator is searched for like any other word."""
    hits = await search(corpus_client, f"shelter {operator} ")
    assert hits == await search(corpus_client, f"shelter {operator.lower()} ")
    for hit in hits:
        document = (await corpus_client.get(hit["links"]["self"])).json()["data"]
        assert operator in str(document)


@pytest.mark.parametrize("path", [SEARCH_PATH, "/v1/awards"])
@pytest.mark.parametrize("length", [201, 10_000])
async def test_a_long_query_is_rejected(client: httpx.AsyncClient, path: str, length: int) -> None:
    """More than 200 characters are rejected with the maximum, and are not repeated in full."""
    problem = assert_problem(await client.get(path, params={"q": "a" * length}), 422)
    assert [error["parameter"] for error in problem["errors"]] == ["q"]
    assert "200" in problem["detail"]
    assert len(problem["detail"]) < 500


@pytest.mark.parametrize("path", [SEARCH_PATH, "/v1/awards"])
@pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%c3", "peru%80", "%f5%80%80%80", "%c0%af"])
async def test_invalid_utf8_is_rejected(client: httpx.AsyncClient, path: str, raw: str) -> None:
    """Bytes that are not UTF-8, including lone surrogates, are an error in `q`."""
    problem = assert_problem(await client.get(f"{path}?q={raw}"), 422)
    assert [error["parameter"] for error in problem["errors"]] == ["q"]


@pytest.mark.parametrize("q", ["%", "%2", "%zz", "a%", "%25", "a+b", "a%2Bb", "a%26b", "a%00b"])
async def test_malformed_percent_encoding_is_read_literally(
    client: httpx.AsyncClient, q: str
) -> None:
    """Malformed percent-encoding is read literally, as in browsers."""
    response = await client.get(f"{SEARCH_PATH}?q={q}")
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=a&q=b", "q"),
        ("q=a&type=citation", "type"),
        ("q=a&type=", "type"),
        ("q=a&type=awards", "type"),
        ("q=a&limit=0", "limit"),
        ("q=a&limit=1001", "limit"),
        ("q=a&limit=1.0", "limit"),
        ("q=a&limit=1&limit=2", "limit"),
        ("q=a&cursor=", "cursor"),
        ("q=a&cursor=a&cursor=b", "cursor"),
        ("q=a&sort=title", "sort"),
        ("q=a&format=csv", "format"),
        ("q=a&Type=award", "Type"),
    ],
)
async def test_invalid_parameters_are_rejected(
    client: httpx.AsyncClient, query: str, parameter: str
) -> None:
    """A missing `q` and any unknown or invalid parameter is an error that names the parameter."""
    problem = assert_problem(await client.get(f"{SEARCH_PATH}?{query}"), 422)
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    if parameter in ("type", "Type"):
        assert problem["errors"][0]["allowed"]
        assert problem["errors"][0]["did_you_mean"] or query.endswith("=")


@pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
@pytest.mark.parametrize("q", ["shelter", "everywhere training"])
async def test_pages_contain_each_match_once(
    corpus_client: httpx.AsyncClient, q: str, limit: int
) -> None:
    """The pages contain every match once, in the order of the unpaginated list."""
    url: str | None = str(httpx.URL(SEARCH_PATH, params={"q": q, "limit": limit}))
    paged_hits: list[Json] = []
    while url:
        response = await corpus_client.get(url)
        page = response.json()
        paged_hits += page["data"]
        assert len(paged_hits) <= page["meta"]["total"]
        url = page["links"]["next"]
        assert response.links.get("next", {}).get("url") == url
        assert len(page["data"]) == limit or url is None
    assert paged_hits == await search(corpus_client, q)


async def _next_cursor(client: httpx.AsyncClient, q: str = "everywhere", **params: Any) -> str:
    page = (await client.get(SEARCH_PATH, params={"q": q, "limit": 2, **params})).json()
    return httpx.URL(page["links"]["next"]).params["cursor"]


def assert_invalid_cursor(response: httpx.Response) -> None:
    """Check that the cursor is rejected with the advice to start again."""
    problem = assert_problem(response, 422)
    assert [error["parameter"] for error in problem["errors"]] == ["cursor"]
    assert "start again" in problem["detail"].lower()


async def test_a_modified_cursor_is_rejected(corpus_client: httpx.AsyncClient) -> None:
    """A cursor with any character changed, removed or added is invalid."""
    cursor = await _next_cursor(corpus_client)
    modified = {cursor[:index] + cursor[index + 1 :] for index in range(len(cursor))}
    for index in range(len(cursor)):
        modified |= {f"{cursor[:index]}{other}{cursor[index + 1 :]}" for other in "AB"}
    modified |= {cursor + "A", "A" + cursor, "A", "_-", cursor * 2}
    for invalid in modified - {cursor}:
        params: dict[str, Any] = {"q": "everywhere", "limit": 2, "cursor": invalid}
        assert_invalid_cursor(await corpus_client.get(SEARCH_PATH, params=params))


@pytest.mark.parametrize(
    "other",
    [{"q": "everywher"}, {"q": "training"}, {"type": "award"}, {"type": ["award", "region"]}],
)
async def test_a_cursor_of_another_search_is_rejected(
    corpus_client: httpx.AsyncClient, other: dict[str, Any]
) -> None:
    """A cursor is valid only for the words and types that it was made for."""
    cursor = await _next_cursor(corpus_client)
    params: dict[str, Any] = {"q": "everywhere", "limit": 2, **other, "cursor": cursor}
    assert_invalid_cursor(await corpus_client.get(SEARCH_PATH, params=params))
    next_url = (await corpus_client.get("/v1/awards?limit=1")).json()["links"]["next"]
    params["cursor"] = httpx.URL(next_url).params["cursor"]
    assert_invalid_cursor(await corpus_client.get(SEARCH_PATH, params=params))


async def test_a_cursor_allows_another_page_size(corpus_client: httpx.AsyncClient) -> None:
    """`limit` may change from page to page."""
    params: dict[str, Any] = {
        "q": "everywhere",
        "cursor": await _next_cursor(corpus_client),
        "limit": 5,
    }
    page = (await corpus_client.get(SEARCH_PATH, params=params)).json()
    assert page["data"] == (await search(corpus_client, "everywhere"))[2:7]


@pytest.mark.parametrize("space", [chr(code) for code in range(0x3001) if chr(code).isspace()])
def test_words_are_split_at_every_space(space: str) -> None:
    """Every Unicode space separates words."""
    assert split_words(f"Año{space}nuevo") == [("ano", 0, 3), ("nuevo", 4, 9)]
