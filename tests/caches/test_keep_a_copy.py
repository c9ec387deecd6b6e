"""The programs of the guide that keep a copy: over real corrections, behind real caches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from app.pages.guide.context import DEFAULT_BASE_URL
from tests.caches.origin import Origin, running_origin, wait_until
from tests.caches.proxies import nginx_with_rate_limit, running_proxy
from tests.conftest import ROOT, needs
from tests.support.browsing import TIMEOUT_MS, chromium, serve_directory
from tests.support.history import FIRST, REMOVED, SECOND, SUCCESSOR, THIRD
from tests.support.programs import end

pytestmark = [
    pytest.mark.server,
    pytest.mark.process,
    pytest.mark.web_server,
    pytest.mark.browser,
    pytest.mark.node,
]

Json = dict[str, Any]
Update = Callable[[], Json]
"""Updates a copy with one of the programs, and returns it."""
Program = tuple[str, str]
"""Interpreter and file of a program."""

EXAMPLES = ROOT / "examples" / "keep-a-copy"
PROGRAMS = [(sys.executable, "keep_a_copy.py"), ("node", "keep_a_copy.mjs")]
COPY = "copy.json"
UPDATE_IN_BROWSER = """async () => {
  const { keepUpToDate } = await import("/keep_a_copy.mjs");
  window.copy = await keepUpToDate(window.copy ?? {});
  return window.copy;
}"""
READ_FIRST_PAGE = """async (base) => {
  const page = await (await fetch(base + "/v1/citations?limit=50")).json();
  return page.meta;
}"""
WALK = """async (base) => {
  const pages = [];
  let path = "/v1/citations?limit=50";
  while (path) {
    const page = await (await fetch(base + path)).json();
    pages.push(page);
    path = page.links.next;
  }
  return pages;
}"""


def programs(folder: Path, base_url: str) -> Path:
    """The programs with another base URL, in a folder."""
    folder.mkdir(exist_ok=True)
    for _, name in PROGRAMS:
        text = (EXAMPLES / name).read_text("utf-8")
        assert DEFAULT_BASE_URL in text
        (folder / name).write_text(text.replace(DEFAULT_BASE_URL, base_url), "utf-8")
    return folder


def run(folder: Path, interpreter: str, name: str) -> Json:
    """Run a program, and read the copy that it keeps."""
    completed = end(needs(interpreter, "it runs the program"), name, COPY, cwd=folder)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stderr == ""
    copy: Json = json.loads((folder / COPY).read_text("utf-8"))
    assert completed.stdout.startswith(copy["meta"]["release_label"])
    return copy


@contextmanager
def browser_page(folder: Path) -> Iterator[Page]:
    """A page of another origin, which has the files of a folder."""
    (folder / "index.html").write_text("<!doctype html><title>Copy</title>", "utf-8")
    with serve_directory(folder) as url, chromium() as browser:
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(f"{url}/")
        yield page


def released(origin: Origin, label: str) -> Json:
    """The items of a release by path, without links, from the origin itself."""
    record = json.loads(origin.direct(f"/v1/releases/{label}/record").body)
    items = [item for items in record["data"].values() for item in items]
    return {item.pop("links")["self"]: item for item in items}


def test_every_program_comes_through_corrections(tmp_path: Path) -> None:
    """Behind nginx's cache, each program has the right copy after each of two corrections.

    The first one changes a value and replaces an activity, the second one adds a citation. Only
    the first copy is downloaded as a whole.
    """
    with ExitStack() as stack:
        origin = stack.enter_context(running_origin(1, FIRST))
        nginx = stack.enter_context(running_proxy("nginx", origin))
        page = stack.enter_context(browser_page(programs(tmp_path / "browser", nginx.url)))
        updates: list[Update] = [partial(page.evaluate, UPDATE_IN_BROWSER)]
        for program in PROGRAMS:
            folder = programs(tmp_path / program[1], nginx.url)
            updates.append(partial(run, folder, *program))
        for label in (FIRST, SECOND, THIRD):
            origin.publish(label)
            expected = released(origin, label)
            for update in updates:
                wait_until(
                    partial(updates_to, update, label, expected), f"the copy is that of {label}"
                )
        assert f"/v1/activities/{REMOVED}" not in expected
        assert f"/v1/activities/{SUCCESSOR}" in expected
        requested = [head[""].split()[1] for head in origin.all_requests()]
        downloads = [path for path in requested if path.endswith("/record")]
        assert len(set(downloads)) == 1
        assert sum(path.startswith("/v1/changes") for path in requested) >= 2


def updates_to(update: Update, label: str, expected: Json) -> bool:
    """Whether an updated copy is that of a release; if so, it must have these items."""
    copy = update()
    if copy["meta"]["release_label"] != label:
        return False
    assert copy["items"] == expected
    return True


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """The API at the second release."""
    with running_origin(1, SECOND) as running:
        yield running


@pytest.mark.parametrize("program", PROGRAMS, ids=["Python", "JavaScript"])
def test_retry_after_is_respected(tmp_path: Path, origin: Origin, program: Program) -> None:
    """Where each second request is 503 with `Retry-After`, the programs wait and have the copy."""
    with running_proxy("nginx", origin, nginx_with_rate_limit) as nginx:
        wait_until(lambda: nginx.request("/v1/meta").status == 503, "nginx limits requests")
        copy = run(programs(tmp_path, nginx.url), *program)
        assert copy["items"] == released(origin, SECOND)


@pytest.mark.parametrize("program", PROGRAMS, ids=["Python", "JavaScript"])
def test_a_damaged_or_unknown_copy_is_replaced(
    tmp_path: Path, origin: Origin, program: Program
) -> None:
    """A copy of a release that the server does not have, or with another value, starts over."""
    folder = programs(tmp_path, origin.url)
    copy = run(folder, *program)
    older = json.loads(origin.direct(f"/v1/releases/{FIRST}").body)["data"]["digest"]
    for release in ("0" * 64, older):
        copy["meta"]["release"] = release
        damaged = json.dumps({**copy, "etag": '"other"'})
        (folder / COPY).write_text(damaged, "utf-8")
        copy = run(folder, *program)
        assert copy["items"] == released(origin, SECOND)


def test_a_walk_in_a_browser_comes_through_a_correction(tmp_path: Path) -> None:
    """Chromium's cache has the first page of before, nginx's too; the walk leads on to the end.

    Each citation that stood in both releases is returned once.
    """
    with (
        running_origin(3600, FIRST) as origin,
        running_proxy("nginx", origin) as nginx,
        browser_page(tmp_path) as page,
    ):
        first = page.evaluate(READ_FIRST_PAGE, nginx.url)
        before = released(origin, FIRST)
        origin.publish(THIRD)
        after = released(origin, THIRD)
        pages = page.evaluate(WALK, nginx.url)
    assert pages[0]["meta"] == first
    assert pages[-1]["meta"]["release"] != first["release"]
    paths = [citation["links"]["self"] for each in pages for citation in each["data"]]
    assert len(paths) == len(set(paths))
    both = {path for path in before.keys() & after.keys() if path.startswith("/v1/citations/")}
    assert both <= set(paths) <= before.keys() | after.keys()
