#!/usr/bin/env bash
# feedparser 6.0.14 (PyPI): what is said about a deleted entry is taken for the whole feed.
#
# Expected: a reader that does not know tombstones (RFC 6721) skips them as foreign markup (RFC 4287, 6.3).
# The feed's link stays that of the feed.
# Seen: the link in an `at:deleted-entry` becomes `feed.link`, with nothing in `bozo`. An empty
# `at:deleted-entry` does no harm.
# Output: feedparser 6.0.14: feed.link is the link in at:deleted-entry, https://data.example/withdrawn/1
#
# Why a publisher cares: readers show the page about a withdrawal as the home page of the feed. Announce a
# withdrawal as an entry of its own.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'echo "Line $LINENO is not as expected" >&2' ERR
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check feedparser==6.0.14 >pip.log 2>&1 ||
    { cat pip.log; exit 1; }

cat >check.py <<'PYTHON'
import sys

import feedparser

HOME, WITHDRAWN = "https://data.example/releases", "https://data.example/withdrawn/1"
FEED = f"""<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0">
<id>tag:data.example,2026:releases</id>
<title>Releases</title>
<updated>2026-11-24T00:00:00Z</updated>
<author><name>An Office</name></author>
<link href="{HOME}"/>
<entry>
<id>tag:data.example,2026:2</id>
<title>Release 2</title>
<updated>2026-11-24T00:00:00Z</updated>
<link href="{HOME}/2"/>
</entry>
<at:deleted-entry ref="tag:data.example,2026:1" when="2026-11-20T00:00:00Z">LINK</at:deleted-entry>
</feed>
"""


def feed_link(link):
    feed = feedparser.parse(FEED.replace("LINK", link))
    assert not feed.bozo
    assert [entry.link for entry in feed.entries] == [f"{HOME}/2"]
    return feed.feed.link


seen = feed_link(""), feed_link(f'<link href="{WITHDRAWN}"/>')
if seen != (HOME, WITHDRAWN):
    sys.exit(f"feedparser 6.0.14 has changed: {seen}")
print(f"feedparser 6.0.14: feed.link is the link in at:deleted-entry, {seen[1]}")
PYTHON
venv/bin/python check.py
