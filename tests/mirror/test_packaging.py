"""`freeze --bag`, `--crate` and `--warc`: accepted by the tools of archives, and reproducible."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.mirror import warc
from app.mirror.check import compare
from app.mirror.freeze import MirrorError, check_target, internal_settings
from app.mirror.packaging import describe_bag, describe_crate
from app.settings import Settings
from tests.conftest import ROOT, SEED
from tests.support.command_line import invoke_cli
from tests.support.environments import install_environment, locked_version
from tests.support.mirrors import freeze, read_manifest, read_tree, verify
from tests.support.npm import install_packages
from tests.support.ports import free_port
from tests.support.programs import end, run, running
from tests.support.published import ENVIRONMENT, PUBLIC_URL, PUBLISHED, copy_archive
from tests.support.serving import fetch
from tests.support.tools_table import check_outcome

ARCHIVES = ROOT / "tests" / "archives"
CRATE, WARC = "ro-crate-metadata.json", "record.warc.gz"
CONTEXT_URL = "https://w3id.org/ro/crate/1.2/context"
ALL = ("--bag", "--crate", "--warc")

Json = dict[str, Any]


@pytest.fixture(scope="module")
def environment() -> Path:
    """Directory with the tools of archives."""
    return install_environment(ARCHIVES)


@pytest.fixture(scope="module")
def bag(exported_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag with the mirror of the shipped record, as a crate and with a web archive."""
    folder = tmp_path_factory.mktemp("bag") / "record"
    freeze(folder, *ALL, "--archive", str(exported_archive), **ENVIRONMENT)
    return folder


@pytest.fixture(scope="module")
def crate(bag: Path) -> dict[str, Json]:
    """The entities of the crate, by id."""
    graph = json.loads((bag / "data" / CRATE).read_bytes())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    return entities


@pytest.mark.process
def test_the_tools_of_bags_accept_the_bag(bag: Path, environment: Path) -> None:
    """Both validate all digests; bagit names the bag's version."""
    assert "is valid" in run(environment / "bagit.py", "--validate", bag, with_stderr=True)
    assert "is valid" in run(environment / "bdbag", "--validate", "full", bag, with_stderr=True)
    oxum = f"Payload-Oxum: {payload_size(bag)}"
    assert oxum in (bag / "bag-info.txt").read_text("utf-8").splitlines()
    files = len([path for path in (bag / "data").rglob("*") if path.is_file()])
    assert payload_size(bag).endswith(f".{files}")
    for tool, done in (("bagit", "--validate"), ("bdbag", "--validate full")):
        version = locked_version(ARCHIVES, tool)
        check_outcome("archives", tool, version, f"`{done}` of `freeze --bag`", "valid")


def payload_size(bag: Path) -> str:
    """Bytes and number of files of a bag's payload."""
    sizes = [path.stat().st_size for path in (bag / "data").rglob("*") if path.is_file()]
    return f"{sum(sizes)}.{len(sizes)}"


@pytest.mark.process
def test_the_bag_says_what_it_is_of(bag: Path) -> None:
    """The publisher, the contact, the release and its date; only dates of the release."""
    lines = (bag / "bag-info.txt").read_text("utf-8").splitlines()
    info = dict(line.split(": ", 1) for line in lines)
    release = json.loads((bag / "data/files/v1/releases/latest.json").read_bytes())["data"]
    assert info["Source-Organization"] == PUBLISHED["publisher_name"]
    assert info["Contact-Email"] == PUBLISHED["contact_email"]
    assert info["Bagging-Date"] == release["date"]
    assert info["External-Identifier"] == f"{PUBLIC_URL}/v1/releases/{release['id']}"
    assert info["External-Description"].endswith(f", release {release['id']}")


@pytest.mark.process
@pytest.mark.node
def test_the_validator_of_crates_accepts_the_crate(
    bag: Path, environment: Path, tmp_path: Path
) -> None:
    """Offline, all that is required holds, and all that is recommended but a ROR identifier."""
    modules = install_packages(ARCHIVES, "a package has the context of RO-Crate 1.2")
    context, cache = modules / "ro-crate" / "lib" / "context.json", tmp_path / "cache"
    run(environment / "python", ARCHIVES / "cache_context.py", cache, CONTEXT_URL, context)
    report = tmp_path / "report.json"
    validate = (
        *("validate", "--offline", "--cache-path", cache, "--skip-availability-check"),
        *("--profile-identifier", "ro-crate-1.2", "--requirement-severity", "recommended"),
        *("--output-format", "json", "--output-file", report),
    )
    validator = environment / "rocrate-validator"
    end(validator, "-y", *validate, bag / "data", seconds=600)  # exits with 1: only recommended
    issues = json.loads(report.read_bytes())["issues"]
    assert {issue["severity"] for issue in issues} == {"RECOMMENDED"}
    assert [issue["message"] for issue in issues if "ROR identifier" not in issue["message"]] == []
    outcome = f"valid; recommended and missing: {len(issues)} ROR identifiers of organizations"
    version = locked_version(ARCHIVES, "roc-validator")
    done = "`validate --offline` of `freeze --crate`, with all that RO-Crate 1.2 recommends"
    check_outcome("archives", "roc-validator", version, done, outcome)


@pytest.mark.process
def test_the_crate_describes_every_export(bag: Path, crate: dict[str, Json]) -> None:
    """With its title, size and digest; every file that is named is there."""
    exports = json.loads((bag / "data/files/v1/exports.json").read_bytes())["data"]
    files = {
        file["url"]: file for file in crate.values() if file["@type"] == "File" if "url" in file
    }
    for export in exports:
        file = files[f"{PUBLIC_URL}{export['path']}"]
        assert file["name"] == export["title"]
        assert file["sha256"] == export["sha256"]
        assert file["contentSize"] == str(export["bytes"])
    named = [entity["@id"] for entity in crate.values() if entity["@type"] in ("File", "Dataset")]
    assert {CRATE, WARC} & {*named} == {WARC}
    assert [name for name in named if not (bag / "data" / name).exists()] == []
    root = crate["./"]
    assert {part["@id"] for part in root["hasPart"]} == {*named} - {"./"}
    references = [root["author"], root["publisher"], root["isBasedOn"], *root["license"]]
    assert all(reference["@id"] in crate for reference in references)


@contextmanager
def replayed(environment: Path, archive: Path, folder: Path) -> Iterator[str]:
    """Base URL at which pywb replays a web archive as it is (`id_`)."""
    run(environment / "wb-manager", "init", "record", cwd=folder)
    run(environment / "wb-manager", "add", "record", archive, cwd=folder)
    port = free_port()
    command = [str(environment / "wayback"), "--bind", "127.0.0.1", "--port", str(port)]
    with running(command, port, folder / "pywb.log", folder) as address:
        yield f"{address}/record/id_"


@pytest.mark.process
def test_the_web_archive_is_valid_and_replayed(
    bag: Path, environment: Path, tmp_path: Path
) -> None:
    """By warcio and pywb: every kind of response as in the mirror, with its media type."""
    archive = bag / "data" / WARC
    assert run(environment / "warcio", "check", archive, with_stderr=True) == ""
    index = run(environment / "warcio", "index", "-f", "warc-type,warc-target-uri", archive)
    records = [json.loads(line) for line in index.splitlines()]
    entries = read_manifest(bag / "data") + read_manifest(bag / "data", 410)
    expected = {f"{PUBLIC_URL}{entry['url']}" for entry in entries}
    for type_ in ("response", "request"):
        urls = [record["warc-target-uri"] for record in records if record["warc-type"] == type_]
        assert len(urls) == len(expected)
        assert {*urls} == expected
    assert [record["warc-type"] for record in records[:1]] == ["warcinfo"]
    paths = ("/", "/v1", "/v1/awards/peru-ilo", "/v1/exports/tables.zip", "/docs/docs.css")
    replayed_entries = [entry for entry in entries if entry["url"] in paths]
    assert len(replayed_entries) == len(paths)
    with replayed(environment, archive, tmp_path) as base:
        for entry in replayed_entries:
            response = fetch(f"{base}/{PUBLIC_URL}{entry['url']}", follow_redirects=True)
            assert response.status_code == 200
            assert response.content == (bag / "data/files" / entry["file"]).read_bytes()
            assert response.headers["content-type"] == entry["media_type"]
    done = "of `freeze --warc`"
    outcome = "valid: the response of every URL, with its request"
    check_outcome(
        "archives", "warcio", locked_version(ARCHIVES, "warcio"), f"`check` {done}", outcome
    )
    outcome = "`/`, an item, an export, `/v1` and a style sheet as sent"
    check_outcome("archives", "pywb", locked_version(ARCHIVES, "pywb"), f"replay {done}", outcome)


@pytest.mark.process
def test_each_record_of_the_web_archive_is_compressed_on_its_own(bag: Path) -> None:
    """So that a record can be read without those before it."""
    content, members = (bag / "data" / WARC).read_bytes(), []
    while content:
        member = zlib.decompressobj(wbits=31)
        members.append(member.decompress(content))
        content = member.unused_data
    assert all(member.startswith(b"WARC/1.1\r\n") for member in members)
    entries = read_manifest(bag / "data") + read_manifest(bag / "data", 410)
    assert len(members) == 1 + 2 * len(entries)


def differing(first: Path, second: Path) -> set[str]:
    """Files that two folders do not both have, with the same content and modification time."""
    trees = read_tree(first), read_tree(second)
    names = {name for tree in trees for name in tree}
    return {name for name in names if trees[0].get(name) != trees[1].get(name)}


@pytest.mark.process
def test_packaging_is_reproducible_and_adds_only_what_is_asked_for(
    bag: Path, mirror: Path, archive_file: Path, tmp_path: Path
) -> None:
    """Another process gives the same bytes and times; what is served is as in the mirror."""
    folder = Path(shutil.copytree(mirror, tmp_path / "again"))
    archive = str(copy_archive(archive_file, tmp_path))
    freeze(folder, *ALL, "--archive", archive, **ENVIRONMENT)
    assert differing(folder, bag) == set()
    assert differing(mirror, bag / "data") == {CRATE, WARC, "mirror.json"}


@pytest.mark.process
def test_verify_checks_a_bag_and_what_is_in_it(bag: Path, exported_archive: Path) -> None:
    """Given as the bag or as its payload."""
    settings = {"ARCHIVE_FILE": str(exported_archive), **ENVIRONMENT}
    result = verify(bag / "data", **settings)
    assert result.returncode == 0, result.stderr
    assert "The bag's files match its manifests" in result.stdout
    assert "The mirror matches the record" in result.stdout


@pytest.mark.anyio
@pytest.mark.process
async def test_the_crate_and_the_web_archive_are_compared(
    bag: Path, exported_archive: Path, tmp_path: Path
) -> None:
    """With those that `freeze` writes now, whatever `mirror.json` says of them."""
    copy = Path(shutil.copytree(bag / "data", tmp_path / "record"))
    for name in (CRATE, WARC):
        (copy / name).write_bytes(b"other")
    settings = Settings(seed_file=SEED, archive_file=exported_archive, **PUBLISHED)
    check = await compare(create_app(internal_settings(settings)), copy, lambda *_: None)
    assert [issue.pointer for issue in check.issues] == [CRATE, WARC]


@pytest.mark.process
@pytest.mark.parametrize("name", [CRATE, WARC])
def test_a_changed_addition_is_named(bag: Path, tmp_path: Path, name: str) -> None:
    """By its digest in `mirror.json`; so is one that was removed."""
    copy = Path(shutil.copytree(bag / "data", tmp_path / "record"))
    (copy / name).write_bytes(b"other")
    for _ in ("changed", "removed"):
        result = invoke_cli("verify", "--mirror", str(copy), **ENVIRONMENT)
        assert result.returncode == 1
        assert f"{name}: found different content" in result.stderr
        (copy / name).unlink(missing_ok=True)


def test_a_web_archive_needs_a_public_url(tmp_path: Path) -> None:
    """It names every response by its URL; nothing is written without."""
    result = invoke_cli("freeze", str(tmp_path / "record"), "--warc")
    assert result.returncode == 2
    assert "PUBLIC_URL" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_web_archive_needs_an_optional_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, the message says how to install it."""
    monkeypatch.setattr(warc, "find_spec", lambda _name: None)
    result = invoke_cli("freeze", str(tmp_path / "record"), "--warc", PUBLIC_URL=PUBLIC_URL)
    assert result.returncode == 2
    assert "requirements-archive.txt" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.anyio
async def test_a_crate_and_a_bag_need_no_settings(archive_file: Path, tmp_path: Path) -> None:
    """They then name the author only, and no addresses."""
    app = create_app(internal_settings(Settings(seed_file=SEED, archive_file=archive_file)))
    async with app.router.lifespan_context(app):
        text, info = describe_crate(app, (), tmp_path), describe_bag(app)
        release = app.state.archive.release
    graph = {entity["@id"]: entity for entity in json.loads(text)["@graph"]}
    assert graph["./"]["author"] == {"@id": "#author"}
    assert "publisher" not in graph["./"]
    assert "null" not in text
    assert info["Source-Organization"] == graph["#author"]["name"]
    assert info["External-Identifier"] == release
    assert "Contact-Email" not in info


def test_a_mirror_can_replace_a_bag_of_one(tmp_path: Path) -> None:
    """But not any other bag."""
    (tmp_path / "data").mkdir()
    with pytest.raises(MirrorError, match="contains other files"):
        check_target(tmp_path)
    (tmp_path / "data" / "mirror.json").write_text("{}")
    check_target(tmp_path)
