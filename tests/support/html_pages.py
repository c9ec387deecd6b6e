"""What every page about the record must be: structured, and self-contained."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from itertools import pairwise

import httpx
from lxml import html


def assert_structured(page: html.HtmlElement) -> None:
    """One h1, no skipped heading level, and tables with captions and header scopes."""
    levels = [int(heading.tag[1]) for heading in page.xpath("//h1 | //h2 | //h3 | //h4")]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    tables = page.xpath("//table")
    assert tables
    for table in tables:
        assert table.xpath("caption")
        assert set(table.xpath(".//th/@scope")) == {"col", "row"}
        assert not table.xpath(".//th[not(@scope)]")


def assert_self_contained(response: httpx.Response) -> html.HtmlElement:
    """No code or external style, and a policy that allows none; returns the parsed page."""
    page = html.document_fromstring(response.text)
    (style,) = page.xpath("//style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    policy = response.headers["content-security-policy"].split("; ")
    assert "default-src 'none'" in policy
    assert f"style-src 'sha256-{digest}'" in policy
    assert "unsafe" not in response.headers["content-security-policy"]
    assert page.xpath("//@style | //@src | //@*[starts-with(name(), 'on')]") == []
    assert set(page.xpath("//link[@rel='icon' or @rel='stylesheet']/@href")) == {"/favicon.svg"}
    return page
