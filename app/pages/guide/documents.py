"""The project's documentation, rendered from Markdown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import pairwise
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from app.pages.guide.rendering import highlight_code

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_GROUPS: Mapping[str, Mapping[str, str]] = {
    "Use the data": {
        "reading": "DuckDB, polars, pandas, R, QGIS, LibreOffice and JavaScript",
        "exports": "files of the whole record, and citations",
        "dashboards": "charts, maps and timelines",
        "annotations": "quotes as annotations of the archived page",
    },
    "Write programs": {
        "clients": "in TypeScript, Python and other languages",
        "agents": "language models and MCP",
        "tools": "what they do with this API",
    },
    "Follow the record": {
        "releases": "labels, digests and changes",
        "changelog": "what is new in the API",
        "verify": "compare it with a copy of the page",
        "curating": "step by step",
        "page": "footnotes, and metadata for search engines and crawlers",
    },
    "Run a server": {
        "operations": "deployment, caches, logs and metrics",
        "scaling": "replicas behind a load balancer",
        "mirror": "static files for any web server, and for archives",
        "publish": "a mirror behind a CDN",
    },
}
"""Subject of each document, by group; each is a link to a file, so that packages have them."""
_HEADING_LEVELS = ("h1", "h2", "h3")
_LEXERS = {"console": "bash"}
"""Lexers of languages that look better in another one."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a document, with the fragment of its address."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Part:
    """The text of a document from one heading to the next.

    Attributes:
        level: Element of the heading: `h1`, `h2` or `h3`.
        heading: The heading.
        text: What follows it.
    """

    level: str
    heading: Heading
    text: str


class Document:
    """A document of the project, rendered on first use.

    Attributes:
        slug: Last segment of its path.
        subject: What it is about, in a few words.
        title: Its title.
    """

    def __init__(self, slug: str, subject: str) -> None:
        """Read the file of a document."""
        self.slug, self.subject = slug, subject
        self._source = (_directory() / f"{slug}.md").read_text("utf-8")
        self.title = self._source.partition("\n")[0].removeprefix("# ")

    @cached_property
    def html(self) -> str:
        """The whole document."""
        from markupsafe import Markup  # noqa: PLC0415 - loaded on first use

        markdown = _markdown()
        html = markdown.renderer.render(self._tokens, markdown.options, {"tables": 0})
        return Markup(html)  # noqa: S704 - our own files, and HTML in them is left out

    @cached_property
    def headings(self) -> Sequence[Heading]:
        """Its sections."""
        return [part.heading for part in self.parts if part.level == "h2"]

    @cached_property
    def parts(self) -> Sequence[Part]:
        """The texts of the title and of all sections."""
        return list(_parts(self._tokens))

    @cached_property
    def _tokens(self) -> Sequence[Token]:
        return _with_ids(_markdown().parse(self._source))


def document_groups() -> Mapping[str, Sequence[Document]]:
    """All documents, by the title of their group."""
    return {title: [read_document(slug) for slug in slugs] for title, slugs in _GROUPS.items()}


def document_slugs() -> Sequence[str]:
    """The last segment of the path of each document."""
    return [slug for slugs in _GROUPS.values() for slug in slugs]


@cache
def read_images() -> Mapping[str, bytes]:
    """The pictures in the documents, by name."""
    return {each.name: each.read_bytes() for each in (_directory() / "images").iterdir()}


@cache
def read_document(slug: str) -> Document:
    """The document with this slug."""
    return Document(slug, next(group[slug] for group in _GROUPS.values() if slug in group))


def _directory() -> Traversable:
    return files("app.pages.guide") / "documents"


def _with_ids(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens; headings get the ids that GitHub gives them, so that links between files hold."""
    seen: Counter[str] = Counter()
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            slug = re.sub(r"[^\w -]", "", inline.content.lower()).replace(" ", "-")
            seen[slug] += 1
            token.attrSet("id", slug if seen[slug] == 1 else f"{slug}-{seen[slug] - 1}")
    return tokens


def _parts(tokens: Sequence[Token]) -> Iterator[Part]:
    """The texts between the headings of the first three levels."""
    level, heading = "h1", Heading("", "")
    texts: list[str] = []
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.tag in _HEADING_LEVELS:
            if heading.title:
                yield Part(level, heading, " ".join(texts))
            level, texts = token.tag, []
            heading = Heading(str(token.attrGet("id")), _plain_text(inline))
        elif inline.type == "inline" and token.type != "heading_open":
            texts.append(_plain_text(inline))
    yield Part(level, heading, " ".join(texts))


def _plain_text(inline: Token) -> str:
    children = inline.children or []
    return "".join(" " if child.type == "softbreak" else child.content for child in children)


@cache
def _markdown() -> MarkdownIt:
    """The parser: CommonMark with tables; HTML, of which there are only comments, is left out."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - loaded on first use

    markdown = MarkdownIt("commonmark").enable("table")
    rules: Mapping[str, Callable[..., str]] = {
        "fence": lambda _, tokens, index, *__: _figure(tokens[index]),
        "html_block": lambda *_: "",
        "html_inline": lambda *_: "",
        "table_open": lambda _, __, ___, ____, environment: _open_table(environment),
        "table_close": lambda *_: "</table>\n</div>\n",
        "th_open": lambda *_: '<th scope="col">',
    }
    for name, render in rules.items():
        markdown.add_render_rule(name, render)
    markdown.core.ruler.push("links", lambda state: _rewrite_links(state.tokens))
    return markdown


def _figure(fence: Token) -> str:
    language = fence.info.strip()
    code = highlight_code(fence.content, _LEXERS.get(language, language))
    label = f"Code: {language}" if language else "Code"
    block = f'<pre tabindex="0" aria-label="{escape(label)}"><code>{code}</code></pre>'
    return f'<figure class="code">\n{block}\n</figure>\n'


def _open_table(environment: dict[str, int]) -> str:
    environment["tables"] += 1
    label = f"Table {environment['tables']}"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">\n<table>\n'


def _rewrite_links(tokens: Sequence[Token]) -> None:
    """Let links between files lead to pages; those to files without a page become plain text."""
    for block in tokens:
        children = block.children or []
        open_links: list[Token | None] = []
        for token in children:
            if token.type == "link_open":
                href = _address(str(token.attrGet("href")))
                token.attrSet("href", href or "")
                open_links.append(None if href else token)
                if not href:
                    token.type, token.tag, token.attrs = "text", "", {}
            elif token.type == "link_close" and open_links.pop() is not None:
                token.type, token.tag = "text", ""
            elif token.type == "image":
                name = PurePosixPath(str(token.attrGet("src"))).name
                token.attrSet("src", f"/docs/images/{name}")


def _address(href: str) -> str | None:
    """Where a link of a document leads on the server; None if the file has no page there."""
    path, hash_, fragment = href.partition("#")
    if not path or "://" in path:
        return href
    slug = PurePosixPath(path).stem.lower()
    if slug not in document_slugs() or not path.endswith(".md"):
        return None
    return f"/docs/{slug}{hash_}{fragment}"
