"""The steps of a release as nbgrader preprocessors, so that ``nbgrader generate_assignment`` takes them, too."""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.exchange.default import ExchangeReleaseAssignment
from nbgrader.preprocessors import ClearSolutions, NbGraderPreprocessor
from traitlets import Unicode

from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.model.errors import CourseError

Converted = tuple[NotebookNode, dict[str, Any]]


class WriteStubs(ClearSolutions):
    """Replaces solution regions by stubs that keep the markers and name the exercise."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        self._numbered = stubs.numbers(nb)
        return super().preprocess(nb, resources)

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        if cell.cell_type != "code" and not notebooks.is_solution(cell):
            return False  # a Markdown text may mention the markers
        if cell.cell_type == "code":
            self.code_stub = {"python": stubs.stub(cell.source, self._numbered)}
        return super()._replace_solution_region(cell, language)


class AddSharedFiles(NbGraderPreprocessor):
    """Adds the shared files to ``resources["outputs"]``, which nbconvert writes beside the released notebook."""

    course_root = Unicode("", help="The course directory.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        course = Course(Path(self.course_root))
        shared = course.shared_files(resources["nbgrader"]["assignment"])
        files = {name: path.read_bytes() for name, path in shared.items()}
        resources.setdefault("outputs", {}).update(files)
        return nb, resources


class ReleaseWithoutHidden(ExchangeReleaseAssignment):
    """nbgrader's release into the exchange, which follows links; a link into hidden/ is refused."""

    def copy_files(self) -> None:
        try:
            Course(Path(self.coursedir.root)).refuse_hidden(Path(self.src_path).rglob("*"))
        except CourseError as error:
            self.fail(str(error))
        super().copy_files()
