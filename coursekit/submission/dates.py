"""Dates that other programs have written: one that can be read in two ways is not believed in either."""

import re
from datetime import date, datetime

from dateutil import parser  # type: ignore[import-untyped] # what nbgrader itself reads dates with
from nbgrader.utils import parse_utc

_YEAR_FIRST = re.compile(
    r"\d{4}([-/.])(0?[1-9]|1[0-2])\1(0?[1-9]|[12]\d|3[01])(?!\d)|\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(T|$)"
)
_BEGINS_WITH_YEAR = re.compile(r"\d{4}[-/.]")
_LEFT_OUT = (datetime(2000, 1, 1), datetime(2004, 2, 2))  # what dateutil may take for the parts that a text leaves out


class NotOneDate(ValueError):
    """The text is no date, or can be several; the message says which."""


def in_utc(text: str) -> datetime:
    """The date as nbgrader reads it, in UTC and without a zone. Raises NotOneDate.

    By itself nbgrader takes 02/11 for 11 February of this year, and 2015-13-02 for 13 February.
    """
    try:
        read: datetime = parse_utc(text)
        if _YEAR_FIRST.match(text):
            return read
        one, other = (_readings(text, left_out) for left_out in _LEFT_OUT)
    except Exception:  # dateutil raises half a dozen kinds, and warns of unknown zones
        raise NotOneDate("holds no date") from None
    if one != other or _BEGINS_WITH_YEAR.match(text):
        raise NotOneDate(f"says {text!r}, which is no date with year, month and day")
    if len(one) > 1:
        raise NotOneDate(f"says {text!r}, which can be {' or '.join(sorted(map(str, one)))}")
    return read


def _readings(text: str, left_out: datetime) -> set[date]:
    """Every day that the text can mean. Of three words nbgrader takes the last for a time zone."""
    words = text.split(" ")
    day_and_time = " ".join(words[:2]) if len(words) == 3 else text
    orders = [(day, year) for day in (False, True) for year in (False, True)]
    return {
        parser.parse(day_and_time, default=left_out, dayfirst=day, yearfirst=year, ignoretz=True).date()
        for day, year in orders
    }
