"""The time of the solution notebook's cells at grading, without experiments; and that the other cells still run."""

from coursekit.authoring.checks.acceptance_courses import AcceptanceResult, available_isolation
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.experiments import is_graded, plan
from coursekit.marking import warm_up
from coursekit.marking.limits import TimeLimits
from coursekit.marking.runner import Run
from coursekit.model.course import Course
from coursekit.sandbox.client import Sandbox

MAX_S = 1.0  # a cell that decides no mark and takes longer should be tagged as an experiment


def check(course: Course, source: Source) -> AcceptanceResult:
    """Findings G712 and G713, and the figure. Time in which other programs had the processors does not count."""
    files = course.trusted_files(source.assignment)
    calls = warm_up.calls(source.notebook, files)
    rows = source.exercises
    seconds: dict[str, float] = {}
    with (
        Sandbox(files, layers=available_isolation(), warm_up_calls=calls) as sandbox,
        Run(sandbox, source.notebook, rows, {}, TimeLimits()) as run,
    ):
        seconds = run.measure_cells()
        executed = run.run_cells()
    unrun = plan.unrun(source.notebook)
    findings = []
    for cell in executed.cells:
        if cell.cell_type != "code" or cell.id in unrun:
            continue
        if seconds.get(cell.id, 0.0) > MAX_S and not is_graded(cell):
            what = f"takes {seconds[cell.id]:.1f} s in every grading, and decides no mark"
            remedy = "tag it `experiment` in JupyterLab (Property Inspector, Cell Tags)"
            findings.append(Finding("G712", source.at(cell), what, remedy))
        if unrun and (failed := [output for output in cell.outputs if output.output_type == "error"]):
            what = f"raises {failed[0].ename}: {failed[0].evalue}, where experiments are not run"[:300]
            remedy = "tag it `experiment` as well, or let it use nothing that an experiment gives"
            findings.append(Finding("G713", source.at(cell), what, remedy))
    return findings, f"{len(unrun)} cells not run for grading, the others take {sum(seconds.values()):.1f} s"
