"""Whoever stays sends each new day once, and today at once."""

from collections.abc import Iterator
from datetime import date

from ops.admin.bulk_writer import days_to_send


def sent(*looks: int) -> list[int]:
    """The days of November 2026 that were sent, by the day it was at each look."""
    days: Iterator[int] = iter(looks)
    now = [next(days)]

    def ended(_: float) -> bool:
        day = next(days, None)
        now[0] = day if day is not None else now[0]
        return day is None

    return [day.day for day in days_to_send(lambda: date(2026, 11, now[0]), ended)]


def test_today_is_sent_at_once_and_each_day_after_it_once() -> None:
    assert sent(3) == [3]
    assert sent(3, 3, 3, 4, 4, 5) == [3, 4, 5]


def test_days_on_which_nobody_looked_are_not_made_up_for() -> None:
    """A day stands for all before it."""
    assert sent(3, 9) == [3, 9]
