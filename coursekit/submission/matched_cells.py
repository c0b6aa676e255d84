"""The cells of a submission beside those of the source notebook: which of theirs stands for which of ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from nbformat import NotebookNode

from coursekit.submission.cells import Ours, Piece, claims, ours, pieces


@dataclass(frozen=True)
class MatchedCells:
    """Our cells by id, the student's cells, and for each of these the id of ours that it is (None: the student's own).

    Nobody may change ``cells``: they are made once for all submissions.
    """

    cells: Mapping[str, Ours]
    theirs: tuple[Piece, ...]
    claimed: tuple[str | None, ...]

    def __iter__(self) -> Iterator[tuple[Piece, str | None]]:
        return zip(self.theirs, self.claimed, strict=True)

    def places(self, cell: Ours) -> list[int]:
        """Where the student's cells are that stand for this one of ours."""
        return [index for index, name in enumerate(self.claimed) if name == cell.id]


def matched(source: NotebookNode, submission: NotebookNode) -> MatchedCells:
    """The cells of a submission, matched with the source's. Neither notebook is changed."""
    cells, theirs = ours(source), pieces(submission)
    return MatchedCells(cells, theirs, tuple(claims(cells, theirs)))
