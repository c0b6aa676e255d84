"""Matches the cells of a submission with the cells of the source notebook."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Self

from nbformat import NotebookNode

from coursekit.submission.cells import SourceCell, SubmittedCell, matched_ids, source_cells, submitted_cells


@dataclass(frozen=True)
class MatchedCells:
    """The source cells by id, the submitted cells, and for each of these the id of its source cell.

    That id is None for a cell that the student added. ``cells`` is cached for all submissions: do not change it.
    """

    cells: Mapping[str, SourceCell]
    submitted_cells: tuple[SubmittedCell, ...]
    source_ids: tuple[str | None, ...]

    def __iter__(self) -> Iterator[tuple[SubmittedCell, str | None]]:
        return zip(self.submitted_cells, self.source_ids, strict=True)

    def indices_of(self, cell: SourceCell) -> list[int]:
        """The indices of the submitted cells that match this source cell."""
        return [index for index, name in enumerate(self.source_ids) if name == cell.id]

    def with_source(self, source: NotebookNode) -> Self:
        """The same submitted cells, matched with another source notebook."""
        cells = source_cells(source)
        return replace(self, cells=cells, source_ids=tuple(matched_ids(cells, self.submitted_cells)))

    def with_contents(self, submission: NotebookNode) -> Self:
        """The same match, after pictures were put into the cells of the submission or taken out of them."""
        return replace(self, submitted_cells=submitted_cells(submission))


def match_cells(source: NotebookNode, submission: NotebookNode) -> MatchedCells:
    """The cells of a submission, matched with the source's. Neither notebook is changed."""
    cells, found = source_cells(source), submitted_cells(submission)
    return MatchedCells(cells, found, tuple(matched_ids(cells, found)))
