"""The budget of one page, in work and size: all parts of a submission on the page share it.

Units are counted, not timed, so that the same notebook gives the same page on every computer. A part that exceeds the
budget is shown as plain text; if that does not fit either, a sentence says that it is left out. Each cell of the
assignment has a reserved share: cells that a student added, however large, cannot push an answer off the page.

Measured with the three notebooks of the course: a page takes 0.1 to 0.25 million units of work and 0.2 million
characters of HTML; the whole budget is about a second of a processor of 2024.
"""

from dataclasses import dataclass

WORK = 600_000  # units of about a microsecond
HTML_CHARS = 1_500_000  # without pictures
LINE_CHARS = 40  # charged for a line of preformatted text, because a browser lays out each line separately
PICTURE_CHARS = 8 << 20  # in base64
PIXELS = 100_000_000  # that a browser decodes


class BudgetExceeded(Exception):
    """The budget is too small for this part."""


@dataclass
class Budget:
    """What is left of the budget, and the share that is reserved for the next cells of the assignment."""

    work: int = WORK
    html_chars: int = HTML_CHARS
    picture_chars: int = PICTURE_CHARS
    pixels: int = PIXELS
    _to_come: int = 0
    _pictures_to_come: int = 0
    _share: "Budget | None" = None

    def reserve(self, cells: int, with_pictures: int) -> None:
        """Reserve three quarters, in equal shares, for ``cells`` cells, of which ``with_pictures`` have pictures."""
        each, each_picture = 4 * max(cells, 1), 4 * max(with_pictures, 1)
        self._to_come, self._pictures_to_come = cells, with_pictures
        self._share = Budget(
            self.work * 3 // each,
            self.html_chars * 3 // each,
            self.picture_chars * 3 // each_picture,
            self.pixels * 3 // each_picture,
        )

    def begin_cell(self, with_pictures: bool) -> None:
        """Begin the next cell of the assignment: it may use its share and everything that is not reserved."""
        self._to_come -= 1
        self._pictures_to_come -= with_pictures

    def spend(self, work: int = 0, html: str = "", *, preformatted: bool = False, at_least: int = 0) -> None:
        """Charge work and a piece of HTML. Raises BudgetExceeded if less is left."""
        kept = self._to_come * self._share.work if self._share else 0
        chars = max(len(html) + (LINE_CHARS * html.count("\n") if preformatted else 0), at_least)
        if work > self.work - kept or chars > self.room:
            raise BudgetExceeded
        self.work -= work
        self.html_chars -= chars

    def take_picture(self, chars: int, pixels: int) -> None:
        """Charge a picture. Raises BudgetExceeded if less is left."""
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
        """Characters of HTML that the current cell may still write."""
        return self.html_chars - (self._to_come * self._share.html_chars if self._share else 0)
