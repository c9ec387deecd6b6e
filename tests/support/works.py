"""Works to cite whose texts have what citation formats use as markup."""

from __future__ import annotations

from dataclasses import replace

from app.exports.citing import Work

WORK = Work(
    key="us-peru-record-2026-11-24",
    title="US–Peru Child Protection Compact: record of a program",
    author="US–Peru record maintainers",
    version="2026-11-24.2",
    date="2026-11-24",
    url="https://record.example/v1/releases/2026-11-24.2",
    publisher="An Archive & Co",
    note="Based on: U.S. Department of State, A page, https://archive.example/a_page?a=1&b=%20#top",
)

ODD_TEXTS = {
    "braces": "Half } open { and {closed}",
    "backslashes": r"C:\temp \textbf{bold} \\ end\ ",
    "reserved": "100% of $5 & #1 in a_b ~ c^2",
    "quotes": "\"Quoted\", 'single' and “curly” @misc{x, y = 1}",
    "tags": "TY  - DATA AU  - Nobody ER  - ",
    "comma": "Grants, loans, and more,",
    "Spanish": "Año de la protección: niñas y niños del Perú",
    "Arabic": "سجل حماية الطفل",
    "Chinese": "儿童保护契约记录",
    "Russian": "Реестр программ защиты детей",
    "combining": "e\N{COMBINING ACUTE ACCENT}tude n\N{COMBINING TILDE}",
    "emoji": "Record 👩‍👩‍👧 of families",
    "long": "Protection of Children " * 40 + "ends",
    "one letter": "A",
}


def odd_work(name: str) -> Work:
    """A work with an odd text in every field that can hold it."""
    text = " ".join(ODD_TEXTS[name].split())
    return replace(WORK, title=text, author=f"{text} maintainers", publisher=text, note=text)
