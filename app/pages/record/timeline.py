"""Positions of partial dates on a time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date

from app.models.dates import first_day, last_day

_MAX_TICK_INTERVALS = 7
_TICK_STEPS_YEARS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)


@dataclass(frozen=True, slots=True)
class Span:
    """A section of the axis, in percent of its width.

    Attributes:
        start: Left end.
        end: Right end.
    """

    start: float
    end: float

    @property
    def middle(self) -> float:
        """Center of the span."""
        return round((self.start + self.end) / 2, 2)

    @property
    def width(self) -> float:
        """Distance from start to end."""
        return round(self.end - self.start, 2)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """An axis of whole years.

    Attributes:
        first_year: Its January 1 is the start of the axis.
        last_year: Its January 1 is the end of the axis.
    """

    first_year: int
    last_year: int

    @classmethod
    def covering(cls, dates: Iterable[str | None]) -> TimeAxis | None:
        """The shortest axis that covers all dates; None if there are none."""
        stated = [value for value in dates if value is not None]
        if not stated:
            return None
        first_year = min(first_day(value) for value in stated).year
        return cls(first_year, max(last_day(value) for value in stated).year + 1)

    @property
    def ticks(self) -> Sequence[tuple[int, float]]:
        """Labeled years, each with its position in percent."""
        year_count = self.last_year - self.first_year
        step = next(
            (step for step in _TICK_STEPS_YEARS if year_count / step <= _MAX_TICK_INTERVALS),
            year_count,
        )
        years = range(self.first_year, self.last_year + 1, step)
        return [(year, self._position(_new_year(year))) for year in years]

    def span(self, value: str) -> Span:
        """The days that a partial date covers: a whole month if it has no day."""
        start, end = first_day(value).toordinal(), last_day(value).toordinal() + 1
        return Span(self._position(start), self._position(end))

    def _position(self, day: int) -> float:
        """Position of an ordinal day, in percent."""
        start, end = _new_year(self.first_year), _new_year(self.last_year)
        return round(100 * (day - start) / (end - start), 2)


def _new_year(year: int) -> int:
    """Ordinal of January 1, also of the year after the last one that `date` can hold."""
    return date(year, 1, 1).toordinal() if year <= MAXYEAR else date.max.toordinal() + 1
