"""The steps of release and grading as nbgrader preprocessors, so that stock nbgrader commands use them, too."""

from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.exchange.default import ExchangeReleaseAssignment
from nbgrader.preprocessors import ClearOutput, ClearSolutions, NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Enum, Float, Unicode

from coursekit.grading import gradebook_writer, reviews
from coursekit.marking import marker as marking
from coursekit.marking import unrun_cells, verdicts
from coursekit.marking.limits import TimeLimits
from coursekit.model import notebooks, stubs
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.submission import rebuild
from coursekit.submission.loading import NOTES, PROBLEM

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


class RebuildNotebook(NbGraderPreprocessor):
    """Rebuilds the submission in the structure of the source. Must be first: the others trust ids and metadata."""

    course_root = Unicode("", help="The course directory.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        assignment = resources["nbgrader"]["assignment"]
        source = notebooks.read(Course(Path(self.course_root)).source(assignment))
        rebuilt = rebuild.rebuild(source, nb)
        unrun_cells.put_in(rebuilt.notebook, rebuilt.handed_in)
        found, problem = nb.metadata.get(NOTES, ()), nb.metadata.get(PROBLEM)
        notes = tuple(note for note in found if isinstance(note, str)) if isinstance(found, list | tuple) else ()
        notebook = rebuild.with_notes(rebuilt.notebook, (*notes, *rebuilt.repairs))
        notebook.metadata[NOTES] = [*notes, *rebuilt.repairs]
        if isinstance(problem, str):
            notebook.metadata[PROBLEM] = problem
        return notebook, resources


class ClearRunOutput(ClearOutput):
    """Clears all outputs except those of unrun cells, which ``RebuildNotebook`` has sanitised and labelled."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        kept = {cell.id: cell.outputs for cell in unrun_cells.unrun_cells(nb)}
        nb, resources = super().preprocess(nb, resources)
        for cell in nb.cells:
            if cell.get("id") in kept:
                cell.outputs = kept[cell.id]
        return nb, resources


class MarkInSandbox(NbGraderPreprocessor):
    """Runs and marks the notebook in a sandbox, in place of nbgrader's Execute.

    The verdicts are in ``resources`` for ``SaveVerdicts``, and in the notebook's metadata for the feedback.
    """

    course_root = Unicode("", help="The course directory.").tag(config=True)
    cell_timeout_s = Float(30.0, help="Seconds that one cell may run.").tag(config=True)
    call_timeout_s = Float(5.0, help="Seconds for one call of a student's function by the grader.").tag(config=True)
    run_experiments = Bool(False, help="Run the cells, too, that their author has tagged as experiments.").tag(
        config=True
    )
    sandbox = Enum(marking.SANDBOXES, "auto", help="`none` runs students' code without isolation.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        assignment, folder = resources["nbgrader"]["assignment"], Path(resources["metadata"]["path"])
        course = Course(Path(self.course_root))
        course.put_trusted_files(assignment, folder)
        limits = TimeLimits(self.cell_timeout_s, self.call_timeout_s, experiments=self.run_experiments)
        marker = marking.shared(course, assignment, limits, self.sandbox)
        problem, notes = nb.metadata.pop(PROBLEM, ""), nb.metadata.pop(NOTES, [])
        files = {} if problem else marking.read_student_files(folder)
        marked = marker.mark_unusable(nb, problem, notes) if problem else marker.mark(nb, files, notes)
        resources[verdicts.METADATA] = marked.verdicts
        return marked.notebook, resources


class SaveVerdicts(SaveAutoGrades):
    """Writes marks and reasons to the gradebook. Outputs of cells do not count; manual marks stay.

    A person has to review a mark only if the answer or the automatic mark has changed.
    """

    def preprocess(self, nb: NotebookNode, resources: Any) -> Converted:
        about, self._verdicts = resources["nbgrader"], resources[verdicts.METADATA]
        self.notebook_id, self.assignment_id, self.student_id = (
            about[key] for key in ("notebook", "assignment", "student")
        )
        answers = self._verdicts["answers"]
        with Gradebook(about["db_url"]) as self.gradebook:
            reviews.prepare(self.gradebook)
            submission = self.gradebook.find_submission(self.assignment_id, self.student_id).id
            graded = reviews.graded(self.gradebook.db, submission)
            self._looked_at = reviews.Reviews(answers, graded, {})
            nb, resources = super(SaveAutoGrades, self).preprocess(nb, resources)
            reviews.keep(self.gradebook.db, submission, answers, problem=self._verdicts["problem"])
            self.gradebook.db.commit()
        return nb, resources

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        grade = self._find(self.gradebook.find_grade, cell)
        columns = ("auto_score", "manual_score", "needs_manual_grade")
        row = {"name": grade.name, **{column: getattr(grade, column) for column in columns}}
        entry = gradebook_writer.entry(row, self._verdicts, self._looked_at)
        if entry is None:
            super()._add_score(cell, resources)  # another kind of cell that a person grades
            return
        grade.auto_score, grade.needs_manual_grade = entry["auto_score"], entry["needs_manual_grade"]
        self.gradebook.db.commit()

    def _add_comment(self, cell: NotebookNode, resources: Any) -> None:
        comments = gradebook_writer.comments(self._verdicts)
        comment = self._find(self.gradebook.find_comment, cell)
        if comment.name not in comments:
            super()._add_comment(cell, resources)
            return
        comment.auto_comment = comments[comment.name]
        self.gradebook.db.commit()

    def _find(self, find: Any, cell: NotebookNode) -> Any:
        return find(cell.metadata.nbgrader["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
