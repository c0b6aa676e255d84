"""Dates that other programs wrote; an ambiguous date is rejected."""

import re
from datetime import date, datetime

from dateutil import parser  # type: ignore[import-untyped] # what nbgrader itself reads dates with
from nbgrader.utils import parse_utc

_YEAR_FIRST = re.compile(
    r"\d{4}([-/.])(0?[1-9]|1[0-2])\1(0?[1-9]|[12]\d|3[01])(?!\d)|\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(T|$)"
)
_BEGINS_WITH_YEAR = re.compile(r"\d{4}[-/.]")
_LEFT_OUT = (
    datetime(2000, 1, 1),
    datetime(2004, 2, 2),
)  # two defaults for missing parts: a date that needs one differs


class NotOneDate(ValueError):
    """The text is no date or an ambiguous one; the message says which."""


def in_utc(text: str) -> datetime:
    """The date as nbgrader reads it, in UTC and without a zone. Raises NotOneDate.

    nbgrader alone reads 02/11 as 11 February of this year, and 2015-13-02 as 13 February.
    """
    try:
        read: datetime = parse_utc(text)
        if _YEAR_FIRST.match(text):
            return read
        one, other = (_readings(text, left_out) for left_out in _LEFT_OUT)
    except Exception:  # dateutil raises many exception types, and warns of unknown zones
        raise NotOneDate("holds no date") from None
    if one != other or _BEGINS_WITH_YEAR.match(text):
        raise NotOneDate(f"says {text!r}, which is no date with year, month and day")
    if len(one) > 1:
        raise NotOneDate(f"says {text!r}, which can be {' or '.join(sorted(map(str, one)))}")
    return read


def of_timestamp(data: bytes) -> datetime | None:
    """The date in the timestamp.txt of a submission that was loaded, in UTC; None if the file is empty."""
    text = data.decode("ascii", "replace").strip()
    return parse_utc(text) if text else None


def _readings(text: str, left_out: datetime) -> set[date]:
    """Every day that the text can mean. nbgrader reads the last of three words as a time zone."""
    words = text.split(" ")
    day_and_time = " ".join(words[:2]) if len(words) == 3 else text
    orders = [(day, year) for day in (False, True) for year in (False, True)]
    return {
        parser.parse(day_and_time, default=left_out, dayfirst=day, yearfirst=year, ignoretz=True).date()
        for day, year in orders
    }
