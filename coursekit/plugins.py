"""The steps of release and grading as nbgrader preprocessors, so that stock nbgrader commands take the same steps."""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions, GetGrades, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Unicode

from coursekit import judge, notebooks, rebuild, runner, stubs
from coursekit.course import SHARED_FILES, Course
from coursekit.submission import NOTES, PROBLEM
from hidden_tests import exercises

Converted = tuple[NotebookNode, dict[str, Any]]


class WriteStubs(ClearSolutions):
    """Solution regions replaced by stubs that keep the markers and name the exercise."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        self._assignment = resources["nbgrader"]["assignment"]
        return super().preprocess(nb, resources)

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        if cell.cell_type != "code" and not notebooks.is_solution(cell):
            return False  # a text may well speak of the markers
        if cell.cell_type == "code":
            self.code_stub = {"python": stubs.stub(cell.source, self._assignment)}
        return super()._replace_solution_region(cell, language)


class AddSharedFiles(NbGraderPreprocessor):
    """The shared modules beside the released notebook: nbconvert writes what is in ``resources["outputs"]``."""

    course_root = Unicode("", help="The course directory.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        files = {name: (Path(self.course_root) / name).read_bytes() for name in SHARED_FILES}
        resources.setdefault("outputs", {}).update(files)
        return nb, resources


class RebuildNotebook(NbGraderPreprocessor):
    """The submission in the source's structure. First in its list: nothing before it may read ids or metadata."""

    course_root = Unicode("", help="The course directory.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        assignment = resources["nbgrader"]["assignment"]
        source = notebooks.read(Course(Path(self.course_root)).source(assignment))
        rebuilt = rebuild.rebuild(source, nb, assignment)
        found, problem = nb.metadata.get(NOTES, ()), nb.metadata.get(PROBLEM)
        notes = tuple(note for note in found if isinstance(note, str)) if isinstance(found, list | tuple) else ()
        notebook = rebuild.with_notes(rebuilt.notebook, (*notes, *rebuilt.repairs))
        if isinstance(problem, str):
            notebook.metadata[PROBLEM] = problem
        return notebook, resources


class SaveVerdicts(SaveAutoGrades):
    """Marks and reasons from the judge into the gradebook. Outputs of cells decide nothing; manual marks stay."""

    course_root = Unicode("", help="The course directory.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        course, seen = Course(Path(self.course_root)), resources[runner.OBSERVATIONS]
        rows = exercises(resources["nbgrader"]["assignment"])
        problem = nb.metadata.get(PROBLEM)
        verdicts = judge.with_causes([judge.judge(row, problem or seen.get(row.key), course) for row in rows])
        self._by_cell = {verdict.exercise.grade_id: verdict for verdict in verdicts}
        return super().preprocess(nb, resources)

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        verdict = self._by_cell.get(cell.metadata.nbgrader["grade_id"].removesuffix("-test"))
        if verdict is None:
            super()._add_score(cell, resources)  # a manually graded cell
            return
        grade = self._find(self.gradebook.find_grade, cell)
        grade.auto_score = verdict.earned
        grade.needs_manual_grade = grade.manual_score is not None
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: Any) -> None:
        verdict = self._by_cell.get(cell.metadata.nbgrader["grade_id"])
        if verdict is None:
            super()._add_comment(cell, resources)
            return
        self._find(self.gradebook.find_comment, cell).auto_comment = verdict.reason or None
        self.gradebook.db.commit()

    def _find(self, find: Any, cell: NotebookNode) -> Any:
        return find(cell.metadata.nbgrader["grade_id"], self.notebook_id, self.assignment_id, self.student_id)


class GetGradesAsText(GetGrades):
    """Marks and comments for the feedback page, with the grader's own comments shown as the plain text that they are.

    They quote the student (names, error messages); the page renders comments as Markdown with HTML in it.
    A person's comment stays Markdown.
    """

    def _get_comment(self, cell: NotebookNode, resources: Any) -> None:
        comment = self.gradebook.find_comment(
            cell.metadata["nbgrader"]["grade_id"], self.notebook_id, self.assignment_id, self.student_id
        )
        shown = comment.comment
        if shown and comment.manual_comment is None:
            shown = notebooks.as_markdown(shown)
        cell.metadata.nbgrader["comment"] = shown
