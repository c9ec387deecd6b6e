"""Programs for annotation mark the cited words, and processors of JSON-LD read all of the file."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from playwright.sync_api import Page

from tests.conftest import ROOT, SEED, needs
from tests.support.browsing import TIMEOUT_MS, chromium
from tests.support.environments import install_environment, locked_version
from tests.support.npm import install_packages, package_versions
from tests.support.programs import run
from tests.support.published import published_client
from tests.support.tools_table import check_outcome
from tests.support.web_archives import to_html

pytestmark = [pytest.mark.browser, pytest.mark.node, pytest.mark.process]

ARCHIVES = ROOT / "tests" / "archives"
CONTEXT = ("http://www.w3.org/ns/anno.jsonld", ARCHIVES / "anno-context.json")
"""Address of the context, and the terms of it that the export uses."""
DOCUMENTATION = ROOT / "docs" / "annotations.md"
TOOLS = {
    "quotes": ("@apache-annotator/dom", "find the quotes of"),
    "positions": ("@apache-annotator/dom", "find the positions of"),
    "text-annotator": ("@recogito/text-annotator", "show, as docs/annotations.md says,"),
    "recogito-js": ("@recogito/recogito-js", "show, as docs/annotations.md says,"),
}
"""Package, and what is done with it, for each result of the script."""

Json = dict[str, Any]


@pytest.fixture(scope="module")
def modules() -> Path:
    """The `node_modules` with the libraries."""
    return install_packages(ARCHIVES, "it installs the libraries that show annotations")


@pytest.fixture(scope="module")
def export(own_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The annotations of the shipped record."""
    path = tmp_path_factory.mktemp("annotations") / "annotations.jsonld"

    async def download() -> None:
        async with published_client(SEED, own_archive) as client:
            path.write_bytes((await client.get("/v1/exports/annotations.jsonld")).content)

    anyio.run(download)
    return path


@pytest.fixture(scope="module")
def items(export: Path) -> list[Json]:
    """The annotations, parsed."""
    annotations: list[Json] = json.loads(export.read_bytes())["items"]
    return annotations


@pytest.fixture(scope="module")
def text() -> str:
    """The text of the archived page."""
    path = os.environ.get("SOURCE_PAGE") or pytest.skip("SOURCE_PAGE is not set")
    return Path(path).read_bytes().decode()


@pytest.fixture(scope="module")
def script(modules: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The libraries, and the function in the documentation, as a script for a page."""
    folder = tmp_path_factory.mktemp("script")
    code = re.search(r"```js\n(import .*?)```", DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    assert code is not None
    (folder / "placing.mjs").write_text(code[1], "utf-8")
    bundle = folder / "bundle.js"
    run(
        modules / ".bin" / "esbuild",
        ARCHIVES / "annotators.mjs",
        "--bundle",
        "--format=iife",
        "--loader:.css=empty",
        f"--alias:placing={folder / 'placing.mjs'}",
        f"--outfile={bundle}",
        NODE_PATH=str(modules),
    )
    return bundle.read_text("utf-8")


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page of a browser."""
    with chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        yield page


def show(page: Page, script: str, document: str, call: str, *arguments: object) -> Any:
    """What a function of the script returns in a page with this content."""
    page.set_content(document)
    page.evaluate(script)
    shown = "document.body.firstElementChild"
    return page.evaluate(f"([items, ...others]) => {call}(items, {shown}, ...others)", arguments)


def as_text(text: str) -> str:
    """A page that shows the extracted text as it is. HTML drops a first line break of `pre`."""
    return f'<!DOCTYPE html><meta charset="utf-8"><pre>\n{html.escape(text)}</pre>'


def as_page(text: str) -> str:
    """A web page with the text, in one element."""
    return to_html(text).replace("<body>", "<body><main>").replace("</body>", "</main></body>")


def cited(items: list[Json], text: str, *, skip_bullets: bool) -> Json:
    """The number of visible characters before the cited words, and the words, by annotation."""
    ignored = r"[\s•]" if skip_bullets else r"\s"
    passages = {}
    for item in items:
        position = item["target"][1]["selector"][1]
        start, end = position["start"], position["end"]
        passages[item["id"]] = [len(re.sub(ignored, "", text[:start])), text[start:end]]
    return passages


@pytest.mark.parametrize("kind", ["text", "web page"])
def test_every_quote_is_marked(
    items: list[Json], text: str, script: str, page: Page, kind: str
) -> None:
    """All on the very words that are cited: not on the same words elsewhere."""
    is_text = kind == "text"
    document = as_text(text) if is_text else as_page(text)
    shown = show(page, script, document, "showAnnotations", items, is_text)
    expected = cited(items, text, skip_bullets=not is_text)
    assert list(shown) == list(TOOLS)
    for name, (package, done) in TOOLS.items():
        right = [id_ for id_, passage in expected.items() if shown[name].get(id_) == passage]
        assert right == list(expected), name
        place = "the extracted text" if is_text else "a web page"
        outcome = f"{len(right)} of {len(expected)} on the cited words"
        row = (f"{done} `annotations.jsonld` in {place}", outcome)
        check_outcome("archives", package, package_versions(ARCHIVES)[package], *row)


def test_no_other_words_are_marked_without_the_documentation(
    items: list[Json], text: str, script: str, page: Page
) -> None:
    """On a web page, libraries that need a position show nothing, and no wrong words."""
    shown = show(page, script, as_page(text), "showAsTheyAre", items)
    assert shown == {"text-annotator": {}, "recogito-js": {}}


@pytest.mark.usefixtures("modules")
def test_processors_of_json_ld_agree(export: Path, items: list[Json]) -> None:
    """On the canonical form, in which every member and every id of the file is kept."""
    by_jsonld = run(needs("node", "jsonld runs in it"), ARCHIVES / "canonize.mjs", export, *CONTEXT)
    environment = install_environment(ARCHIVES)
    by_pyld = run(environment / "python", ARCHIVES / "canonize.py", export, *CONTEXT)
    assert by_jsonld == by_pyld
    quads = by_jsonld.splitlines()
    for kind, count in (("Annotation", 1), ("SpecificResource", 2), ("TextPositionSelector", 1)):
        typed = [quad for quad in quads if quad.endswith(f"<http://www.w3.org/ns/oa#{kind}> .")]
        assert len(typed) == count * len(items)
    outcome = "nothing left out; the same canonical form in both"
    versions = {
        "jsonld": package_versions(ARCHIVES)["jsonld"],
        "PyLD": locked_version(ARCHIVES, "pyld"),
    }
    for tool, version in versions.items():
        check_outcome("archives", tool, version, "read `annotations.jsonld`", outcome)
