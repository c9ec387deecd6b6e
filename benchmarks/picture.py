"""The picture of a run, as SVG: bars for request rates, and lines for latency by corpus size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from math import log10

from benchmarks.earlier import COMMIT
from benchmarks.measurements import Measurements

BARS: Mapping[str, Mapping[str, str]] = {
    "Cached list of 20, requests per second": {
        "list, default": "this version, log to a file",
        "list, JSON log": "this version, log in JSON",
        "list, no log": "this version, no log",
        f"list, default, {COMMIT}": f"{COMMIT}, log to a file",
        f"list, no log, {COMMIT}": f"{COMMIT}, no log",
        "nginx, static file": "nginx, the same bytes as a file",
        "list, bare ASGI": "bare ASGI, no log",
        "FastAPI, fixed response": "FastAPI, fixed response",
        "ROAPI list": "ROAPI",
        "Datasette list": "Datasette",
    },
    "Uncached list, requests per second": {
        "uncached list": "this version",
        f"cold list, default, {COMMIT}": COMMIT,
        "ROAPI, filtered list": "ROAPI",
        "Datasette, filtered list": "Datasette",
        "idiomatic FastAPI, async def": "idiomatic FastAPI",
    },
}
"""Measurements of each group of bars, with their labels."""
LINES = ("item", "deep page", "filter matching a third")
"""Kinds of requests whose latency is measured on corpora of several sizes."""
SIZES = {"shipped": 20, "500": 500, "100,000": 100_000}
"""Approximate number of resources of each corpus, not counting citations."""

_WIDTH, _LEFT, _RIGHT = 820, 250, 80
_ROW, _BAR = 22, 14
_PLOT_HEIGHT = 170
_OWN, _OTHER = "#1f5f99", "#9aa7b3"
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"
     font-family="sans-serif" font-size="13">
<rect width="{width}" height="{height}" fill="#fff"/>
{content}
</svg>
"""
_COLORS = ("#1f5f99", "#b3541e", "#3d7a4d")


def picture(measurements: Measurements) -> str:
    """The picture of what was measured, on white, so that it can be read in dark themes."""
    parts: list[str] = []
    y = 10
    for title, names in BARS.items():
        values = {
            label: measurements.median(name)
            for name, label in names.items()
            if measurements.values.get(name)
        }
        if values:
            parts += _bars(title, values, y)
            y += _ROW * (len(values) + 2)
    lines = {name: points for name in LINES if (points := _points(measurements, name))}
    if lines:
        parts += _plot(lines, y)
        y += _PLOT_HEIGHT + 3 * _ROW
    return _SVG.format(width=_WIDTH, height=y, content="\n".join(parts))


def _bars(title: str, values: Mapping[str, float], y: int) -> Iterator[str]:
    """A group of horizontal bars, the longest first."""
    yield _text(10, y + 12, title, font_weight="bold")
    scale = (_WIDTH - _LEFT - _RIGHT) / max(values.values())
    for label, value in sorted(values.items(), key=lambda item: -item[1]):
        y += _ROW
        color = _OWN if label.startswith("this version") else _OTHER
        width = value * scale
        yield _text(_LEFT - 8, y + 12, label, text_anchor="end")
        yield f'<rect x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{color}"/>'
        yield _text(_LEFT + width + 6, y + 12, f"{value:,.0f}")


def _points(measurements: Measurements, name: str) -> list[tuple[int, float]]:
    """Size of each corpus, and median latency in milliseconds."""
    return [
        (size, measurements.median(f"{name}, {corpus}"))
        for corpus, size in SIZES.items()
        if measurements.values.get(f"{name}, {corpus}")
    ]


def _plot(lines: Mapping[str, Sequence[tuple[int, float]]], y: int) -> Iterator[str]:
    """Lines over a logarithmic axis of sizes."""
    yield _text(10, y + 12, "Median latency without the cache, by resources", font_weight="bold")
    top, bottom = y + _ROW + 6, y + _ROW + _PLOT_HEIGHT
    highest = max(value for points in lines.values() for _, value in points)
    first, last = log10(min(SIZES.values())), log10(max(SIZES.values()))

    def place(size: int, value: float) -> tuple[float, float]:
        share = (log10(size) - first) / (last - first)
        across = _LEFT + share * (_WIDTH - _LEFT - _RIGHT)
        return across, bottom - value / highest * (bottom - top)

    yield f'<path d="M{_LEFT} {top}V{bottom}H{_WIDTH - _RIGHT}" fill="none" stroke="#5a6670"/>'
    yield _text(_LEFT - 8, bottom, "0 ms", text_anchor="end")
    yield _text(_LEFT - 8, top + 8, f"{highest:.2f} ms", text_anchor="end")
    for size in SIZES.values():
        yield _text(place(size, 0)[0], bottom + 18, f"{size:,}", text_anchor="middle")
    for color, points in zip(_COLORS, lines.values(), strict=False):
        places = [place(*point) for point in points]
        path = " ".join(f"{across:.1f},{down:.1f}" for across, down in places)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5"/>'
        for across, down in places:
            yield f'<circle cx="{across:.1f}" cy="{down:.1f}" r="3.5" fill="{color}"/>'
        yield _text(places[-1][0] + 8, places[-1][1] + 4, f"{points[-1][1]:.2f}", fill=color)
    for number, (color, name) in enumerate(zip(_COLORS, lines, strict=False)):
        yield _text(10, top + 20 + number * _ROW, f"― {name}", fill=color)


def _text(x: float, y: float, text: str, **attributes: str) -> str:
    """A text element; its attributes have underscores for hyphens."""
    pairs = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<text x="{x:.1f}" y="{y:.1f}"{pairs}>{escape(text)}</text>'
