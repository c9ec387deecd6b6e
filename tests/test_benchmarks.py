"""The benchmarks' documentation and committed results agree with their code."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from benchmarks.__main__ import SCENARIOS
from benchmarks.comparisons import COMPARISONS
from benchmarks.large_corpus import RATIOS
from benchmarks.measurements import Measurements
from benchmarks.picture import BARS, LINES, SIZES, picture
from tests.conftest import ROOT

FOLDER = ROOT / "benchmarks"
MANUAL = (FOLDER / "README.md").read_text("utf-8")
RESULTS = (FOLDER / "RESULTS.md").read_text("utf-8")


def first_cells(markdown: str, heading: str) -> list[str]:
    """The first cell of each row of the table below a heading."""
    section = markdown.split(heading, 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^\| (.+?) \|", section, re.MULTILINE)[2:]


def test_every_scenario_is_documented() -> None:
    """The README lists the scenarios in the order in which they run."""
    assert first_cells(MANUAL, "\n## Scenarios\n") == list(SCENARIOS)


def test_results_list_every_comparison() -> None:
    """RESULTS.md has a row for each comparison, with its target."""
    rows = re.findall(
        r"^\| (.+?) \| \S.* \| ((?:at least|at most) [\d.,]+)? \| (?:yes|\*\*no\*\*)? \|$",
        RESULTS,
        re.MULTILINE,
    )
    expected = [
        (row.label, "" if row.target is None else f"{row.bound} {row.target:,g}")
        for row in COMPARISONS
    ]
    assert rows == expected


def test_results_of_the_large_corpus_list_every_ratio() -> None:
    """CORPUS.md has a row for each, and says how busy the machine was."""
    page = (FOLDER / "CORPUS.md").read_text("utf-8")
    table = page.split("| --- | ---: |", 1)[1].split("\n\n", 1)[0]
    assert re.findall(r"^\| (.+?) \|", table, re.MULTILINE) == [label for label, *_ in RATIOS]
    assert "Load average" in page


def test_results_name_every_measurement() -> None:
    """Each measurement that a comparison uses has a row of its own."""
    measured = set(re.findall(r"^\| (.+?) \| [\d.,]+", RESULTS, re.MULTILINE))
    for comparison in COMPARISONS:
        assert comparison.result in measured
        assert not comparison.baseline or comparison.baseline in measured


def test_the_picture_shows_what_was_measured() -> None:
    """It is well-formed SVG with a bar for each server, and a line for each kind of request."""
    measurements = Measurements()
    for bars in BARS.values():
        for number, name in enumerate(bars, start=1):
            measurements.add(name, number * 1_000, "/s")
    for line in LINES:
        for corpus in SIZES:
            measurements.add(f"{line}, {corpus}", 1.5, "ms")
    root = ET.fromstring(picture(measurements))  # noqa: S314 - written here
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    for bars in BARS.values():
        assert set(bars.values()) <= set(texts)
    assert texts.count("1.50") == len(LINES)
    assert picture(Measurements()).count("<text") == 0
