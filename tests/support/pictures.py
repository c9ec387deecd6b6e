"""Renders the project's images: ``python -m tests.support.pictures``.

The icon and the link preview image go into the package, the screenshots of the record page and
of the example dashboard into `docs/images/`. The images in the repository were rendered with the
fonts Charis SIL and Inter (packages `fonts-sil-charis` and `fonts-inter` of Debian), and all but
the icon were compressed with `pngquant --quality 80-100`.
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

from tests.conftest import ROOT, wait_until_ready
from tests.support.browser_tools import CHROMIUM_OPTIONS
from tests.support.browsing import route_cdn, serve_dashboard, wait_for_charts
from tests.support.ports import free_port

ASSETS = ROOT / "app" / "pages" / "record" / "assets"
IMAGES = ROOT / "docs" / "images"
DOCUMENTED_URL = "http://127.0.0.1:8000"

_PREVIEW_HTML = """
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
<h1>Every value,<br>with its source<sup>4</sup></h1>
<footer>4&ensp;<b>Stated</b>&ensp;<q>a quotation</q>&ensp;and its position on the archived page
</footer>
"""


def draw_icon(browser: Browser) -> None:
    """Write `favicon.ico`: one PNG of 32 x 32 pixels in an ICO container."""
    page = browser.new_page(viewport={"width": 32, "height": 32})
    icon = (ASSETS / "favicon.svg").read_text("utf-8")
    page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{icon}")
    png = page.screenshot(omit_background=True)
    header = struct.pack("<HHHBBBBHHII", 0, 1, 1, 32, 32, 0, 0, 1, 32, len(png), 22)
    (ASSETS / "favicon.ico").write_bytes(header + png)


def draw_preview(browser: Browser) -> None:
    """Write `preview.png`, the image of link previews (Open Graph)."""
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    icon = (ASSETS / "favicon.svg").read_text("utf-8")
    page.set_content(_PREVIEW_HTML.replace("{icon}", icon))
    page.screenshot(path=ASSETS / "preview.png")


def capture_page(browser: Browser, url: str) -> None:
    """Write screenshots of the record page: desktop in light mode, phone in dark mode."""
    wide = browser.new_page(viewport={"width": 1280, "height": 1400})
    wide.goto(url)
    wide.screenshot(path=IMAGES / "record.png")
    phone = browser.new_page(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, color_scheme="dark"
    )
    phone.goto(f"{url}/#when")
    phone.wait_for_function(
        "() => document.querySelector('#when').getBoundingClientRect().top < 25"
    )
    phone.screenshot(path=IMAGES / "record-phone.png")


def capture_dashboard(browser: Browser, url: str) -> None:
    """Write a screenshot of the example dashboard, at the address of the API in the docs."""
    page = browser.new_page(viewport={"width": 1280, "height": 1010})
    route_cdn(page)
    page.route(
        f"{DOCUMENTED_URL}/**",
        lambda route: route.fulfill(
            response=route.fetch(url=route.request.url.replace(DOCUMENTED_URL, url))
        ),
    )
    with serve_dashboard() as site:
        page.goto(f"{site}/?api={DOCUMENTED_URL}")
        wait_for_charts(page)
        page.screenshot(path=IMAGES / "dashboard.png")


@contextmanager
def _running_server(directory: Path) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "serve"],
        cwd=ROOT,
        env={**os.environ, "PORT": str(port), "ARCHIVE_FILE": str(directory / "archive.sqlite")},
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def main() -> None:
    """Render every image."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory() as directory,
        _running_server(Path(directory)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=CHROMIUM_OPTIONS
        )
        draw_icon(browser)
        draw_preview(browser)
        capture_page(browser, url)
        capture_dashboard(browser, url)
        browser.close()


if __name__ == "__main__":
    main()
