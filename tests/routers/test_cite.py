"""`/v1/cite` in each format, of the record and of resources; the `Link` header to cite."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest

from app.exports.citing import FILES, RENDERERS
from app.responses.formats import CSL, Format
from tests.conftest import SEED
from tests.support.problem import assert_problem
from tests.support.published import PUBLIC_URL, PUBLISHED, published_client
from tests.support.releases import SECOND_DAY, corrected_seed
from tests.support.serving import client_for

pytestmark = pytest.mark.anyio

FORMATS = tuple(RENDERERS)
CITE_AS = re.compile(r'<([^<>]+)>; rel="cite-as"')


async def release_path(client: httpx.AsyncClient) -> str:
    """Path of the served release."""
    label = (await client.get("/v1/meta")).json()["data"]["release_label"]
    return f"/v1/releases/{label}"


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
async def test_format_and_accept_select_the_format(
    client: httpx.AsyncClient, format_: Format
) -> None:
    """The parameter and the header give the same response, with the format's media type."""
    by_parameter = await client.get("/v1/cite", params={"format": format_.name})
    by_header = await client.get("/v1/cite", headers={"Accept": format_.media_type})
    assert by_parameter.status_code == 200
    assert by_parameter.content == by_header.content
    for response in (by_parameter, by_header):
        assert response.headers["content-type"] == format_.content_type
        assert response.headers["vary"] == "Accept, Accept-Encoding"


async def test_csl_json_is_the_default(client: httpx.AsyncClient) -> None:
    """Without a preference, and for browsers, the format is CSL-JSON."""
    for accept in ("*/*", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"):
        response = await client.get("/v1/cite", headers={"Accept": accept})
        assert response.headers["content-type"] == CSL.content_type


async def test_json_is_csl_json(client: httpx.AsyncClient) -> None:
    """Clients that accept nothing but JSON get the same bytes."""
    response = await client.get("/v1/cite", headers={"Accept": "application/json"})
    assert response.headers["content-type"] == "application/json"
    assert response.content == (await client.get("/v1/cite")).content


@pytest.mark.parametrize(("name", "format_"), FILES.items())
async def test_each_format_has_a_file(
    client: httpx.AsyncClient, name: str, format_: Format
) -> None:
    """The file of a format is the same as the format of `/v1/cite`, and depends on no header."""
    response = await client.get(f"/v1/cite/{name}", headers={"Accept": "image/png"})
    assert response.headers["content-type"] == format_.content_type
    assert response.headers["vary"] == "Accept-Encoding"
    negotiated = await client.get("/v1/cite", params={"format": format_.name})
    assert response.content == negotiated.content


async def test_the_release_is_named_with_its_address(
    client: httpx.AsyncClient, archive_file: Path
) -> None:
    """Version and address are those of the release: a path, or a URL if `PUBLIC_URL` is set."""
    path = await release_path(client)
    async with published_client(SEED, archive_file) as published:
        for opened, origin in ((client, ""), (published, PUBLIC_URL)):
            for format_ in FORMATS:
                text = (await opened.get("/v1/cite", params={"format": format_.name})).text
                assert re.search(rf'[ "{{]{re.escape(origin + path)}(["}}\r\n])', text)
            (item,) = (await opened.get("/v1/cite")).json()
            assert item["version"] == path.rpartition("/")[2]
            assert "accessed" not in item


async def test_the_record_has_one_author_and_its_source(
    client: httpx.AsyncClient, archive_file: Path
) -> None:
    """The author is the project, with or without a publisher; the archived page is the source."""
    (item,) = (await client.get("/v1/cite")).json()
    title = json.loads(SEED.read_bytes())["title"]
    (source,) = (await client.get("/v1/sources")).json()["data"]
    assert item["title"] == title
    assert item["author"] == [{"literal": f"{title} maintainers"}]
    assert source["url"] in item["note"]
    assert "publisher" not in item
    async with published_client(SEED, archive_file) as published:
        (with_publisher,) = (await published.get("/v1/cite")).json()
    assert with_publisher["author"] == item["author"]
    assert with_publisher["publisher"] == PUBLISHED["publisher_name"]


async def test_a_resource_of_each_type_can_be_cited(client: httpx.AsyncClient) -> None:
    """The title has the resource's own and its record's; the release is the record's."""
    (record,) = (await client.get("/v1/cite")).json()
    resources = (await client.get("/v1/record")).json()["data"]
    del resources["citations"]
    keys = {record["id"]}
    for items in resources.values():
        resource = items[0]
        type_ = resource["links"]["citations"].partition("resource_type=")[2].partition("&")[0]
        query = {"type": type_, "resource": resource["id"]}
        (item,) = (await client.get("/v1/cite", params=query)).json()
        name = resource.get("title") or resource["name"]
        assert item["title"] == f"{name} ({type_} {resource['id']}), in {record['title']}"
        assert {**item, "id": record["id"], "title": record["title"]} == record
        keys.add(item["id"])
    assert len(keys) == 1 + len(resources)


@pytest.mark.parametrize(
    ("query", "parameter", "suggestion"),
    [
        ("typ=award", "typ", "type"),
        ("resource_type=award&resource=peru-ilo", "resource_type", "type"),
        ("type=awards&resource=peru-ilo", "type", "award"),
        ("type=Award&resource=peru-ilo", "type", "award"),
        ("type=thing&resource=x", "type", None),
        ("type=award&type=region&resource=cusco", "type", None),
        ("type=award&resource=Peru-ILO", "resource", "peru-ilo"),
        ("type=award&resource=", "resource", None),
        ("type=award", "resource", None),
        ("resource=peru-ilo", "type", "award"),
        ("resource=nothing-like-this", "type", None),
        ("format=bib", "format", "bibtex"),
        ("format=csl-json", "format", "csl"),
        ("format=RIS", "format", "ris"),
    ],
)
async def test_parameters_are_strict(
    client: httpx.AsyncClient, query: str, parameter: str, suggestion: str | None
) -> None:
    """Each error names the parameter and the closest name or value, if there is one."""
    problem = assert_problem(await client.get(f"/v1/cite?{query}"), 422)
    (error,) = problem["errors"]
    assert (error["parameter"], error["did_you_mean"]) == (parameter, suggestion)


@pytest.mark.parametrize(
    ("resource", "suggestion"), [("peru-iol", "peru-ilo"), ("cusco", None), ("x" * 100, None)]
)
async def test_an_unknown_resource_is_not_found(
    client: httpx.AsyncClient, resource: str, suggestion: str | None
) -> None:
    """The problem names the parameter, the closest id, and where all ids are."""
    response = await client.get("/v1/cite", params={"type": "award", "resource": resource})
    problem = assert_problem(response, 404)
    (error,) = problem["errors"]
    assert (error["parameter"], error["did_you_mean"]) == ("resource", suggestion)
    assert "/v1/awards" in problem["detail"]


async def test_an_unknown_file_is_not_found(client: httpx.AsyncClient) -> None:
    """The problem lists the files."""
    problem = assert_problem(await client.get("/v1/cite/citation.xml"), 404)
    assert all(name in problem["detail"] for name in FILES)


async def test_other_media_types_are_not_acceptable(client: httpx.AsyncClient) -> None:
    """406 lists the media types that there are."""
    response = await client.get("/v1/cite", headers={"Accept": "application/xml"})
    problem = assert_problem(response, 406)
    assert all(format_.media_type in problem["detail"] for format_ in FORMATS)


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/", "text/html"),
        ("/", "*/*"),
        ("/v1/record", "*/*"),
        ("/v1/awards/peru-ilo", "*/*"),
        ("/v1/awards/peru-ilo?include=citations", "*/*"),
        ("/v1/regions/cusco", "*/*"),
    ],
)
async def test_items_record_and_page_say_what_to_cite(
    client: httpx.AsyncClient, archive_file: Path, path: str, accept: str
) -> None:
    """There is one `cite-as` link, also on 304 and for HEAD: the address of the release."""
    release = await release_path(client)
    async with published_client(SEED, archive_file) as published:
        for opened, origin in ((client, ""), (published, PUBLIC_URL)):
            headers = {"Accept": accept, "Host": "elsewhere.example"}
            response = await opened.get(path, headers=headers)
            matching = {**headers, "If-None-Match": response.headers["etag"]}
            not_modified = await opened.get(path, headers=matching)
            assert not_modified.status_code == 304
            for seen in (response, not_modified, await opened.head(path, headers=headers)):
                assert CITE_AS.findall(seen.headers["link"]) == [origin + release]


@pytest.mark.parametrize("path", ["/v1", "/v1/meta", "/v1/awards", "/v1/cite", "/docs"])
async def test_other_responses_have_no_link_to_cite(client: httpx.AsyncClient, path: str) -> None:
    """A list or a document about the API is not what is cited."""
    assert "cite-as" not in (await client.get(path)).headers.get("link", "")


async def test_a_correction_changes_what_is_cited(tmp_path: Path) -> None:
    """The last release is cited, with its date; what it removed is gone, with its successor."""
    seed = corrected_seed(tmp_path)
    retired = seed.data["retired"][0]
    async with client_for(seed.path, tmp_path / "archive.sqlite") as client:
        (record,) = (await client.get("/v1/cite")).json()
        query = {"type": retired["type"], "resource": retired["id"]}
        gone = await client.get("/v1/cite", params=query)
        release = await client.get(record["URL"])
    assert record["version"] == SECOND_DAY
    assert record["issued"] == {"date-parts": [[int(part) for part in SECOND_DAY.split("-")]]}
    assert release.json()["data"]["label"] == SECOND_DAY
    problem = assert_problem(gone, 410)
    (error,) = problem["errors"]
    assert (error["parameter"], error["message"]) == ("resource", problem["detail"])
    assert problem["reason"] == retired["reason"]
    assert [path.rpartition("/")[2] for path in problem["replaced_by"]] == retired["replaced_by"]
