"""When: dates at their own precision, placed on an axis of years."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.models.dates import first_day, last_day

_MOST_TICKS = 7
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the axis, in percent of its width.

    Attributes:
        start: Where it begins.
        end: Where it ends.
    """

    start: float
    end: float

    @property
    def middle(self) -> float:
        """Its middle."""
        return round((self.start + self.end) / 2, 2)

    @property
    def width(self) -> float:
        """Its width."""
        return round(self.end - self.start, 2)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Whole years, from the first of January of one to that of another."""

    first: int
    last: int

    @classmethod
    def of(cls, values: Iterable[str | None]) -> TimeAxis | None:
        """The axis that has room for dates; None where there are none."""
        known = [value for value in values if value is not None]
        if not known:
            return None
        first = min(first_day(value) for value in known).year
        return cls(first, max(last_day(value) for value in known).year + 1)

    @property
    def ticks(self) -> Sequence[tuple[int, float]]:
        """Years to label, and where each begins in percent."""
        years = self.last - self.first
        step = next((one for one in _STEPS if years / one <= _MOST_TICKS), years)
        marked = range(self.first, self.last + 1, step)
        return [(year, self._percent(date(year, 1, 1).toordinal())) for year in marked]

    def span(self, value: str) -> Span:
        """The days that a date covers: a month for a date without a day."""
        start, end = first_day(value).toordinal(), last_day(value).toordinal() + 1
        return Span(self._percent(start), self._percent(end))

    def _percent(self, day: int) -> float:
        start = date(self.first, 1, 1).toordinal()
        return round(100 * (day - start) / (date(self.last, 1, 1).toordinal() - start), 2)
