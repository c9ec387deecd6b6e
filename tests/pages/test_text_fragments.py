"""Links of the record page lead a browser to the very words that are cited."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from playwright.sync_api import Page
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from app.pages.record.footnotes import text_fragment_url
from tests.support.browsing import TIMEOUT_MS, chromium
from tests.support.serving import fetch
from tests.support.web_archives import to_html

pytestmark = [pytest.mark.browser, pytest.mark.node]

ONE_WORD_A_LINE = "<style>body { width: 1px; line-height: 60px; padding: 2000px 0 }</style>"
"""Then the line that is scrolled to tells the word."""
_IS_CENTERED = """([skipped, length]) => {
  const characters = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode())
    for (let index = 0; index < walker.currentNode.length; index++)
      if (/\\S/.test(walker.currentNode.data[index])) characters.push([walker.currentNode, index]);
  const range = document.createRange();
  range.setStart(...characters[skipped]);
  const [last, index] = characters[skipped + length - 1];
  range.setEnd(last, index + 1);
  const { top, bottom } = range.getClientRects()[0];
  return Math.abs((top + bottom - innerHeight) / 2) < 30;
}"""
"""Whether the first line of a passage is in the middle of the window.

The passage is given by the number of visible characters before it and in it.
"""


@pytest.fixture(scope="module")
def text() -> str:
    """The text of the archived page."""
    path = os.environ.get("SOURCE_PAGE") or pytest.skip("SOURCE_PAGE is not set")
    return Path(path).read_bytes().decode()


@pytest.fixture(scope="module")
def archived_page(text: str) -> Iterator[Page]:
    """A browser in which every address of the archive is a page with this text."""
    body = to_html(text).replace("</head>", f"{ONE_WORD_A_LINE}</head>")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 800, "height": 900})
        page.set_default_timeout(TIMEOUT_MS)
        page.route("**/*", lambda route: route.fulfill(body=body, content_type="text/html"))
        yield page


def visible(text: str) -> int:
    """Number of characters that are in the page, without white space."""
    return len(re.sub(r"[\s•]", "", text))


def follow(page: Page, url: str, passage: list[int]) -> bool:
    """Whether a link leads to a passage."""
    page.goto(url)
    try:
        page.wait_for_function(_IS_CENTERED, arg=passage)
    except PlaywrightTimeoutError:
        return False
    return True


def test_every_link_leads_to_the_words_that_are_cited(
    server: str, text: str, archived_page: Page
) -> None:
    """By their position: not to the same words elsewhere on the page."""
    document: Any = html.fromstring(fetch(server, headers={"Accept": "text/html"}).content)
    [source] = fetch(f"{server}/v1/sources").json()["data"]
    citations = fetch(f"{server}/v1/citations").json()["data"]
    links = {
        (
            text_fragment_url(source["url"], quote["exact"], quote["prefix"], quote["suffix"]),
            position["start"],
            position["end"],
        )
        for quote, position in (
            citation["target"]["selector"] for citation in citations if citation["target"]
        )
    }
    shown = document.xpath("//q[@class='quote']/a/@href")
    assert shown
    assert {url for url, _, _ in links} >= set(shown)
    astray = [
        (url, start)
        for url, start, end in links
        if not follow(archived_page, url, [visible(text[:start]), visible(text[start:end])])
    ]
    assert astray == []


def test_without_prefix_and_suffix_some_links_lead_astray(text: str, archived_page: Page) -> None:
    """The test above would notice: a browser goes to the first of several occurrences."""
    first, cited = (
        [visible(text[: text.index(words)]), len("Loreto")] for words in ("Loreto", "Loreto.")
    )
    assert follow(archived_page, "https://archive.example/#:~:text=Loreto", first)
    assert not archived_page.evaluate(_IS_CENTERED, cited)
    archived_page.goto("about:blank")
    assert follow(archived_page, "https://archive.example/#:~:text=Loreto,-.", cited)
