"""Findings of the checks, and the list of their codes."""

from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from coursekit.model.exercise import Exercise

CODES = {
    # notebooks under source/: `check --fix` fixes N102 and N105 to N108
    "N101": "a source notebook is missing or cannot be read",
    "N102": "a notebook is not of nbformat 4.5",
    "N103": "a cell's id is not readable (lower case words with hyphens)",
    "N104": "two cells have the same id",
    "N105": "a cell's id is not its grade_id",
    "N106": "a source notebook holds outputs or execution counts",
    "N107": "a notebook or a cell holds metadata outside the allowlist",
    "N108": "a notebook is not in canonical form",
    "N109": "a notebook under source/ is no assignment's",
    # markers in the cells
    "M201": "solution markers do not pair up, are nested, or are not comments of their own",
    "M202": "a solution marker is in a code cell that is no solution",
    "M203": "a solution cell has no solution region, or an empty one",
    "M204": "there is no hint comment above a solution region",
    "M205": "markers of hidden tests do not pair up, or do not have a line of their own",
    "M206": "a hidden test is outside the graded cells",
    "M207": "a graded cell's hidden region is not the one line that names its exercise",
    # cells against the table of exercises
    "E301": "an exercise has not exactly one solution cell that defines its function",
    "E302": "an exercise has not exactly one test cell",
    "E303": "a test cell's points are not those of the table",
    "E304": "the number of an exercise is not its place in the notebook",
    "E305": "a graded cell is not locked, or nbgrader's flags contradict each other",
    "E306": "a graded cell ends in a displayed value",
    "E307": "nbgrader's metadata is not of schema version 3",
    "E308": "a graded or solution cell belongs to no exercise of the table",
    "E309": "a code cell is too long",
    "E310": "a code cell is not valid Python",
    "E300": "the files of an assignment cannot be used, or their names do not agree",
    "E311": "a test cell does not run its own exercise's public test on its function, or runs another's",
    # cells that are tagged as experiments
    "E312": "a cell is tagged as an experiment that is an answer, a test or graded",
    "E313": "an answer or a test uses a variable that only experiments give",
    # twins
    "E314": "the results of a check's twins are easily guessed",
    "E315": "a check's twins are always the same, or it has none although its results vary",
    # docs: README.md and the like, and the Markdown cells
    "D401": "a link leads nowhere",
    "D402": "a link leads to a heading that does not exist",
    "D403": "a file is named that does not exist",
    "D404": "a path of somebody's computer is named",
    "D405": "a command or an option is named that coursekit does not have",
    "D406": "a page of the docs is missing or cannot be read",
    "D407": "an assignment has no requirements.txt",
    # release/
    "R501": "a release is missing or not fresh",
    "R502": "a shared file in a release is not the course's own",
    "R503": "a release holds a file that does not belong there",
    "R504": "a release contains a line of a solution",
    "R505": "a release contains a hidden test, its name, or a hidden file",
    "R506": "a solution region of a release lacks its markers, its hint, or the stub that names the exercise",
    "R507": "a folder under release/ belongs to no assignment",
    "R508": "the release cannot be made",
    "R509": "a module of a release holds a function that the assignment asks for",
    # recordings
    "X601": "a recording of expected outputs is not fresh",
    "X602": "the solutions cannot be run to compare the recordings",
    # acceptance checks
    "G701": "the solution notebook does not earn full marks",
    "G702": "the untouched release earns marks",
    "G703": "a cell of the solution notebook raises, or a graded one writes on stderr or displays a value",
    "G704": "an acceptance check could not be run",
    "G705": "an exercise that is left blank does not lose exactly its points",
    "G706": "a mistake of the catalogue keeps its marks, or costs another exercise's",
    "G707": "a right answer of the catalogue loses marks",
    "G708": "the same submission is not graded the same each time",
    "G709": "a feedback page or a released recording contains a line of a solution or a hidden test",
    "G710": "a mutant of a solution keeps full marks, and is not proved equivalent",
    "G711": "an entry of the equivalent mutants is no longer true",
    "G712": "a cell that decides no mark takes longer than a second, and is not tagged as an experiment",
    "G713": "a cell raises where the experiments are not run",
    "G714": "an expected output in the text is not what the solution prints",
}


@dataclass(frozen=True)
class Finding:
    """One defect: where it is, what it is, what to do."""

    code: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.remedy}  ({self.code})"


@dataclass(frozen=True)
class Source:
    """A readable source notebook; ``notebook`` is in canonical form, also if its file is not."""

    assignment: str
    path: Path
    where: str
    notebook: NotebookNode
    exercises: tuple[Exercise, ...] = ()

    def at(self, cell: NotebookNode) -> str:
        """The location of a cell, for a finding."""
        return f"{self.where}[{cell.id}]"
