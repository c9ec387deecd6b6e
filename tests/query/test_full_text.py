"""Search over every type: what is found, in which order, and marked where."""

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
    SEARCHED,
    TYPES,
    Json,
    Oracle,
    fold,
    found_by,
    members,
    words,
)
from tests.support.problem import assert_problem
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

SEARCH = "/v1/search"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seed file of a made-up record."""
    return write_corpus(tmp_path_factory.mktemp("corpus"), 240)


@pytest.fixture(scope="module")
async def made_up(corpus: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application on the made-up record."""
    async with client_for(corpus, corpus.with_name("archive.sqlite")) as opened:
        yield opened


async def find(client: httpx.AsyncClient, q: str, **params: Any) -> list[Json]:
    """The hits of a search, at most 1,000."""
    response = await client.get(SEARCH, params={"q": q, "limit": 1_000, **params})
    assert response.status_code == 200, response.text
    page = response.json()
    assert set(page) == {"data", "meta", "links"}
    assert page["meta"]["total"] == len(page["data"])
    hits: list[Json] = page["data"]
    return hits


def expected_ids(oracle: Oracle, q: str) -> set[tuple[str, str]]:
    """Type and id of every resource that has the words, found in plain Python."""
    return {
        (TYPES[name], one["id"])
        for name in RESOURCES
        for one in oracle.documents[name]
        if found_by(q, one[SEARCHED[name][0]], _body(name, one))
    }


def _body(collection: str, one: Json) -> str:
    fields = SEARCHED[collection][1:]
    return "\n".join(member for field in fields for member in members(one[field]))


@pytest.mark.parametrize("collection", RESOURCES)
async def test_every_resource_is_found_by_its_title(
    client: httpx.AsyncClient, collection: str
) -> None:
    """Every resource of every type is found by its title or name, with where to get it."""
    for one in (await client.get(f"/v1/{collection}")).json()["data"]:
        title = one[SEARCHED[collection][0]]
        hits = await find(client, title, type=TYPES[collection])
        hit = next(hit for hit in hits if hit["id"] == one["id"])
        assert set(hit) == {"type", "id", "title", "snippet", "links"}
        assert (hit["type"], hit["title"]) == (TYPES[collection], title)
        assert (await client.get(hit["links"]["self"])).json()["data"] == one


@pytest.mark.parametrize(
    ("field", "collection", "name", "q"),
    [
        ("aliases", "regions", "cusco", "Cuzco"),
        ("iso_3166_2", "regions", "metropolitan-lima", "PE-LMA"),
        ("short_name", "organizations", "ilo", "ILO"),
        ("supports", "activities", "peru-ilo-national-plan", "2017-2021"),
    ],
)
async def test_other_text_is_searched_too(
    client: httpx.AsyncClient, field: str, collection: str, name: str, q: str
) -> None:
    """Other names, codes and plans lead to their resource."""
    document = (await client.get(f"/v1/{collection}/{name}")).json()["data"]
    assert document[field]
    assert name in {hit["id"] for hit in await find(client, q, type=TYPES[collection])}


@pytest.mark.parametrize(
    "q",
    [
        "everywhere", "ever", "shelter", "NEAR", "title:x", "(y)", "x*", "under_score", "a|b",
        "prosecution survivor", "tag everywhere", "NOT everywhere", "50% rare", "-w", "enfant",
    ],
)  # fmt: skip
async def test_what_is_found_is_what_has_the_words(
    made_up: httpx.AsyncClient, corpus: Path, q: str
) -> None:
    """The hits of a search are exactly the resources that have all its words, once each."""
    hits = [(hit["type"], hit["id"]) for hit in await find(made_up, q)]
    assert len(hits) == len(set(hits))
    assert set(hits) == expected_ids(Oracle(corpus), q) != set()


async def test_a_title_counts_more_than_a_body(seed: SeedCopy, tmp_path: Path) -> None:
    """A hit in a title comes before any in a body, even where the body is short."""
    body = "A quokka, seen once."
    seed.put("/objectives/0/summary", body)
    seed.put("/activities/0/summary", body)
    long = seed.data["awards"][0]["title"] + " and whatever else there is to say of it"
    seed.put("/awards/0/title", f"{long}, quokka")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = [hit["id"] for hit in await find(client, "quokka")]
    assert hits[0] == seed.data["awards"][0]["id"]
    assert set(hits[1:]) == {seed.data["objectives"][0]["id"], seed.data["activities"][0]["id"]}


async def test_more_of_a_word_counts_more(seed: SeedCopy, tmp_path: Path) -> None:
    """Of two texts of one length, the one that says the word oftener comes first."""
    seed.put("/objectives/0/title", "Same")
    seed.put("/objectives/1/title", "Same")
    seed.put("/objectives/0/summary", "Quokka wombat wombat wombat.")
    seed.put("/objectives/1/summary", "Quokka quokka quokka wombat.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = [hit["id"] for hit in await find(client, "quokka")]
    assert hits == [seed.data["objectives"][place]["id"] for place in (1, 0)]


@pytest.mark.parametrize(
    "q",
    ["everywhere", "shel", "prosecution survivor", "peru", "perú", "rare", "ete", "дети", "保护"],
)
async def test_marks_stand_at_the_matches(made_up: httpx.AsyncClient, q: str) -> None:
    """Every mark covers a match and nothing else, in code points, in order and apart."""
    sought = words(q)
    for hit in await find(made_up, q):
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
            assert any(fold(marked).startswith(one) for one in sought)
            assert not text[mark["end"] :][:1].isalnum()


async def test_snippets_are_plain_text(made_up: httpx.AsyncClient) -> None:
    """A snippet is a stretch of the resource's own text; markup in it is left as it is."""
    hits = await find(made_up, "tag")
    assert any("<b>tag</b>" in hit["snippet"]["text"] for hit in hits)
    for hit in hits:
        document = (await made_up.get(hit["links"]["self"])).json()["data"]
        name = next(name for name, kind in TYPES.items() if kind == hit["type"])
        whole = f"{document[SEARCHED[name][0]]}\n{_body(name, document)}"
        assert hit["snippet"]["text"].strip("…") in whole


@pytest.mark.parametrize("kind", [TYPES[name] for name in RESOURCES])
async def test_type_narrows(made_up: httpx.AsyncClient, corpus: Path, kind: str) -> None:
    """`type` leaves hits of one type; every type is there to be left."""
    hits = await find(made_up, "everywhere", type=kind)
    wanted = {one for one in expected_ids(Oracle(corpus), "everywhere") if one[0] == kind}
    assert {(hit["type"], hit["id"]) for hit in hits} == wanted != set()


async def test_types_are_alternatives(made_up: httpx.AsyncClient) -> None:
    """Repeated, `type` means OR, in one order of relevance."""
    both = await find(made_up, "everywhere", type=["award", "region"])
    every = await find(made_up, "everywhere")
    assert both == [hit for hit in every if hit["type"] in ("award", "region")]


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
async def test_the_last_word_may_be_a_beginning(
    client: httpx.AsyncClient, q: str, found: bool
) -> None:
    """As one types: the last word may be the beginning of one, those before must be whole."""
    ids = {hit["id"] for hit in await find(client, q)}
    assert ("centro-yanapanakusun" in ids) == found


@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ("Perú", "peru"),
        ("Peru", "PERÚ"),
        ("ñandú", "NANDU"),
        ("nandu", "ñandú"),
        ("Ελλάδα", "ελλαδα"),
        ("ελλαδα", "ΕΛΛΆΔΑ"),
        ("ЗАЩИТА", "защита"),
        ("İstanbul", "istanbul"),
        ("naïve", "nai\u0308ve"),
        ("nai\u0308ve", "naïve"),
        ("naïveté", "nai\u0308"),
        ("café", "cafe\u0301"),
        ("cafétéria", "cafe\u0301"),
    ],
)
async def test_accents_and_case_do_not_matter(
    seed: SeedCopy, tmp_path: Path, written: str, asked: str
) -> None:
    """With or without accents, composed or not, in either case: asked one way, found another."""
    seed.put("/objectives/2/summary", f"One word, {written}, among others.")
    async with client_for(seed.write(), tmp_path / "archive.sqlite") as client:
        hits = await find(client, asked, type="objective")
    assert [hit["id"] for hit in hits] == [seed.data["objectives"][2]["id"]]
    snippet = hits[0]["snippet"]
    assert [snippet["text"][mark["start"] : mark["end"]] for mark in snippet["marks"]] == [written]


AWKWARD = [
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


@pytest.mark.parametrize("path", [SEARCH, "/v1/awards", "/v1/regions"])
@pytest.mark.parametrize("q", AWKWARD)
async def test_any_words_are_safe(client: httpx.AsyncClient, path: str, q: str) -> None:
    """Nothing in `q` is an operator: any text of up to 200 characters is looked for, and 200."""
    response = await client.get(path, params={"q": q})
    assert response.status_code == 200, response.text
    page = response.json()
    assert page["meta"]["total"] == len(page["data"])
    again = await client.get(page["links"]["self"])
    assert again.json() == page


@pytest.mark.parametrize(
    "q", ['"', "''", "*", "^", "-", ":", "()", "...", "«»", "!?", " ", "\x00", "👩🏽\u200d🚒", "—"]
)
async def test_punctuation_alone_finds_nothing(client: httpx.AsyncClient, q: str) -> None:
    """What holds no word is no fault and finds nothing."""
    assert await find(client, q) == []


@pytest.mark.parametrize(
    ("q", "same"),
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
    client: httpx.AsyncClient, q: str, same: str
) -> None:
    """Operators of other search engines mean no more than the words beside them."""
    found, plain = await find(client, q), await find(client, same)
    assert {hit["id"] for hit in found} <= {hit["id"] for hit in plain}
    if "title" not in q:
        assert found


@pytest.mark.parametrize("operator", ["AND", "OR", "NOT"])
async def test_operators_are_words(made_up: httpx.AsyncClient, operator: str) -> None:
    """An operator is looked for like any other word."""
    hits = await find(made_up, f"shelter {operator} ")
    assert hits == await find(made_up, f"shelter {operator.lower()} ")
    for hit in hits:
        document = (await made_up.get(hit["links"]["self"])).json()["data"]
        assert operator in str(document)


@pytest.mark.parametrize("path", [SEARCH, "/v1/awards"])
@pytest.mark.parametrize("length", [201, 10_000])
async def test_too_long_is_refused(client: httpx.AsyncClient, path: str, length: int) -> None:
    """More than 200 characters are refused with the limit, and not echoed at length."""
    problem = assert_problem(await client.get(path, params={"q": "a" * length}), 422)
    assert [error["parameter"] for error in problem["errors"]] == ["q"]
    assert "200" in problem["detail"]
    assert len(problem["detail"]) < 500


@pytest.mark.parametrize("path", [SEARCH, "/v1/awards"])
@pytest.mark.parametrize("raw", ["%ff", "%ed%a0%80", "%c3", "peru%80", "%f5%80%80%80", "%c0%af"])
async def test_what_is_no_text_is_refused(client: httpx.AsyncClient, path: str, raw: str) -> None:
    """Bytes that are not UTF-8, lone surrogates among them, are a fault of `q`."""
    problem = assert_problem(await client.get(f"{path}?q={raw}"), 422)
    assert [error["parameter"] for error in problem["errors"]] == ["q"]


@pytest.mark.parametrize("q", ["%", "%2", "%zz", "a%", "%25", "a+b", "a%2Bb", "a%26b", "a%00b"])
async def test_raw_queries_are_safe(client: httpx.AsyncClient, q: str) -> None:
    """Broken percent-encoding is read literally, as browsers do."""
    response = await client.get(f"{SEARCH}?q={q}")
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
async def test_what_search_does_not_take(
    client: httpx.AsyncClient, query: str, parameter: str
) -> None:
    """A missing `q` and anything that search does not take is a 422 that names it."""
    problem = assert_problem(await client.get(f"{SEARCH}?{query}"), 422)
    assert [error["parameter"] for error in problem["errors"]] == [parameter]
    if parameter in ("type", "Type"):
        assert problem["errors"][0]["allowed"]
        assert problem["errors"][0]["did_you_mean"] or query.endswith("=")


@pytest.mark.parametrize("limit", [1, 2, 7, 1_000])
@pytest.mark.parametrize("q", ["shelter", "everywhere training"])
async def test_pages_give_each_hit_once(made_up: httpx.AsyncClient, q: str, limit: int) -> None:
    """Walking the pages gives every hit once, in the order of the whole; the header agrees."""
    url: str | None = str(httpx.URL(SEARCH, params={"q": q, "limit": limit}))
    walked: list[Json] = []
    while url:
        response = await made_up.get(url)
        page = response.json()
        walked += page["data"]
        assert len(walked) <= page["meta"]["total"]
        url = page["links"]["next"]
        linked = response.links.get("next", {}).get("url")
        assert linked == url
        assert len(page["data"]) == limit or url is None
    assert walked == await find(made_up, q)


async def _next_cursor(client: httpx.AsyncClient, q: str = "everywhere", **params: Any) -> str:
    asked = {"q": q, "limit": 2, **params}
    page = (await client.get(SEARCH, params=asked)).json()
    return httpx.URL(page["links"]["next"]).params["cursor"]


def assert_start_again(response: httpx.Response) -> None:
    """The cursor is refused, and the client told to start again."""
    problem = assert_problem(response, 422)
    assert [error["parameter"] for error in problem["errors"]] == ["cursor"]
    assert "start again" in problem["detail"].lower()


async def test_a_tampered_cursor_is_refused(made_up: httpx.AsyncClient) -> None:
    """Whichever character is changed, left out or added: start again."""
    cursor = await _next_cursor(made_up)
    spoiled = [cursor[:at] + cursor[at + 1 :] for at in range(len(cursor))]
    for at, character in enumerate(cursor):
        spoiled += [
            f"{cursor[:at]}{other}{cursor[at + 1 :]}" for other in "AB" if other != character
        ]
    for one in {*spoiled, cursor + "A", "A" + cursor, "A", "_-", cursor * 2} - {cursor}:
        assert_start_again(
            await made_up.get(SEARCH, params={"q": "everywhere", "limit": 2, "cursor": one})
        )


@pytest.mark.parametrize(
    "other",
    [{"q": "everywher"}, {"q": "training"}, {"type": "award"}, {"type": ["award", "region"]}],
)
async def test_a_cursor_of_another_search_is_refused(
    made_up: httpx.AsyncClient, other: dict[str, Any]
) -> None:
    """A cursor is good for the words and types that gave it."""
    cursor = await _next_cursor(made_up)
    asked = {"q": "everywhere", "limit": 2, **other, "cursor": cursor}
    assert_start_again(await made_up.get(SEARCH, params=asked))
    listed = (await made_up.get("/v1/awards?limit=1")).json()["links"]["next"]
    foreign = httpx.URL(listed).params["cursor"]
    assert_start_again(await made_up.get(SEARCH, params={**asked, "cursor": foreign}))


async def test_a_cursor_of_another_release_is_refused(
    made_up: httpx.AsyncClient, tmp_path: Path
) -> None:
    """A cursor is good for the release that gave it."""
    other = write_corpus(tmp_path, 240, 2)
    cursor = await _next_cursor(made_up)
    async with client_for(other, tmp_path / "archive.sqlite") as client:
        asked: dict[str, Any] = {"q": "everywhere", "limit": 2, "cursor": cursor}
        assert_start_again(await client.get(SEARCH, params=asked))


async def test_a_cursor_is_good_for_any_size_of_page(made_up: httpx.AsyncClient) -> None:
    """The page size may change on the way."""
    asked: dict[str, Any] = {"q": "everywhere", "cursor": await _next_cursor(made_up), "limit": 5}
    page = (await made_up.get(SEARCH, params=asked)).json()
    assert page["data"] == (await find(made_up, "everywhere"))[2:7]


@pytest.mark.parametrize("space", [chr(code) for code in range(0x3001) if chr(code).isspace()])
def test_no_word_reaches_across_a_space(space: str) -> None:
    """So text is split between spaces, whatever kind of space it is."""
    assert split_words(f"Año{space}nuevo") == [("ano", 0, 3), ("nuevo", 4, 9)]
