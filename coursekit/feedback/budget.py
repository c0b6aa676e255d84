"""What one page may cost: one budget, from which every piece of a submission on the page draws.

The units are counted, never timed, so that the same notebook gives the same page on every machine. Whatever a piece
costs more than it may is shown as plain text, and what does not fit even so is left out, in words. The cells of the
assignment keep a share of their own: a flood in cells that a student added pushes no answer off the page.

Measured with the three notebooks of the course: a page takes 0.1 to 0.25 million units of work and 0.2 million
characters of HTML; all of it about a second of a processor of 2024.
"""

from dataclasses import dataclass

WORK = 600_000  # units of about a microsecond
HTML_CHARS = 1_500_000  # without pictures
LINE_CHARS = 40  # that a line of preformatted text counts for: a browser lays out each by itself
PICTURE_CHARS = 8 << 20  # in base64
PIXELS = 100_000_000  # that a browser unpacks


class BudgetExceeded(Exception):
    """The budget does not reach for this piece."""


@dataclass
class Budget:
    """What is left, and how much of that is kept for the cells of the assignment that are still to come."""

    work: int = WORK
    html_chars: int = HTML_CHARS
    picture_chars: int = PICTURE_CHARS
    pixels: int = PIXELS
    _to_come: int = 0
    _pictures_to_come: int = 0
    _share: "Budget | None" = None

    def reserve(self, cells: int, with_pictures: int) -> None:
        """Keep three quarters, in equal shares for so many cells, of which some have pictures."""
        each, each_picture = 4 * max(cells, 1), 4 * max(with_pictures, 1)
        self._to_come, self._pictures_to_come = cells, with_pictures
        self._share = Budget(
            self.work * 3 // each,
            self.html_chars * 3 // each,
            self.picture_chars * 3 // each_picture,
            self.pixels * 3 // each_picture,
        )

    def begin_cell(self, with_pictures: bool) -> None:
        """The next cell of the assignment begins: it may use its share, and whatever nobody has a share of."""
        self._to_come -= 1
        self._pictures_to_come -= with_pictures

    def spend(self, work: int = 0, html: str = "", *, preformatted: bool = False, at_least: int = 0) -> None:
        """Take so much work, and what a piece of HTML needs; raises BudgetExceeded if there is less."""
        kept = self._to_come * self._share.work if self._share else 0
        chars = max(len(html) + (LINE_CHARS * html.count("\n") if preformatted else 0), at_least)
        if work > self.work - kept or chars > self.room:
            raise BudgetExceeded
        self.work -= work
        self.html_chars -= chars

    def take_picture(self, chars: int, pixels: int) -> None:
        """Take what a picture needs; raises BudgetExceeded if there is less."""
        kept = self._share or Budget(picture_chars=0, pixels=0)
        if (
            chars > self.picture_chars - self._pictures_to_come * kept.picture_chars
            or pixels > self.pixels - self._pictures_to_come * kept.pixels
        ):
            raise BudgetExceeded
        self.picture_chars -= chars
        self.pixels -= pixels

    @property
    def room(self) -> int:
        """Characters of HTML that the present cell may still write."""
        return self.html_chars - (self._to_come * self._share.html_chars if self._share else 0)
