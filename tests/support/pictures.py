"""The project's pictures, taken anew: ``python -m tests.pictures``.

The icon and the preview that a link is shown with go into the package, the pictures of the page
into the documentation. They look as here with the fonts Charis SIL and Inter installed.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from tests.conftest import ROOT, free_port, wait_until_ready
from tests.support.browser_tools import CHROMIUM_OPTIONS

ASSETS = ROOT / "app" / "page" / "assets"
IMAGES = ROOT / "docs" / "images"

_PREVIEW = """
<style>
body { margin: 0; width: 1200px; height: 630px; background: #f9f7f1; color: #1b1d1f;
  font-family: "Charis SIL", Charter, Georgia, serif; position: relative; }
header { position: absolute; left: 84px; top: 72px; font: 600 27px Inter, sans-serif;
  display: flex; gap: 18px; align-items: center; }
svg { width: 44px; height: 44px; }
h1 { position: absolute; left: 84px; top: 168px; width: 1000px; margin: 0; font-weight: 600;
  font-size: 86px; line-height: 1.1; letter-spacing: -.018em; }
sup { font: 600 25px Inter, sans-serif; color: #174a66; border-bottom: 4px solid; }
footer { position: absolute; left: 84px; right: 84px; bottom: 66px; border-top: 3px solid;
  padding-top: 26px; font: 27px/1.5 Inter, sans-serif; color: #54585d; }
b { color: #174a66; border-bottom: 4px solid; font-weight: 600; }
q { font-family: "Charis SIL", Charter, Georgia, serif; color: #1b1d1f; }
</style>
<header>{icon} Child Protection Compact record</header>
<h1>Every value, with the words it rests on<sup>4</sup></h1>
<footer>4&ensp;<b>Stated</b>&ensp;<q>June 15, 2017</q>&ensp;at 580–593 of the archived page</footer>
"""


def draw_icon(browser: Browser) -> None:
    """`favicon.ico`: the icon as one PNG of 32 pixels, in an ICO file."""
    page = browser.new_page(viewport={"width": 32, "height": 32})
    icon = (ASSETS / "favicon.svg").read_text("utf-8")
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{icon}")
    picture = page.screenshot(omit_background=True)
    head = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 32, len(picture), 22)
    (ASSETS / "favicon.ico").write_bytes(head + picture)


def draw_preview(browser: Browser) -> None:
    """`preview.png`: what the record is, in one line."""
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    icon = (ASSETS / "favicon.svg").read_text("utf-8")
    page.set_content(_PREVIEW.replace("{icon}", icon))
    page.screenshot(path=ASSETS / "preview.png")


def draw_page(browser: Browser, url: str) -> None:
    """The record page: wide and light, on a phone and dark."""
    wide = browser.new_page(viewport={"width": 1280, "height": 1400})
    wide.goto(url)
    wide.screenshot(path=IMAGES / "record.png")
    phone = browser.new_page(
        viewport={"width": 390, "height": 844},
        device_scale_factor=2,
        color_scheme="dark",
        reduced_motion="reduce",
    )
    phone.goto(f"{url}/#when")
    phone.evaluate("() => new Promise(done => setTimeout(done, 500))")  # until it is painted
    phone.screenshot(path=IMAGES / "record-phone.png")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port), "ARCHIVE_FILE": str(folder / "archive.sqlite")},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def main() -> None:
    """Take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder, _served(Path(folder)) as url, sync_playwright() as tool:
        browser = tool.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS
        )
        draw_icon(browser)
        draw_preview(browser)
        draw_page(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
