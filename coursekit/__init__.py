"""The engine of the course kit: release, check, grade, explain.

Its subpackages, bottom-up, in reading order. Each imports only from those above it in this list; `./course test` checks
that.

    system            the operating system: atomic writes, processors, deadlines
    model             a course as values: course, exercise, notebook, settings, errors
    reference         runs the course's own code for the engine: what its solutions return
    experiments       cells that are not run at grading, because they decide no mark
    submission        a student's folder -> one notebook in the source's structure, repaired if possible
    sandbox           isolation of student code; sandbox.guest runs inside the sandbox
    marking           the rebuilt notebook -> its outputs and a verdict for every exercise
    grading           a class: workers, here or in a cluster; receipts of up-to-date marks; the gradebook
    feedback          a student's page; reports: tables and files for a class
    nbgrader_plugin   nbgrader's own commands and the Formgrader, with the engine behind them
    authoring         release, recordings, mutants, and the checks that CI runs
    lab               JupyterLab for an instructor, or as a student sees it
    cli               the commands; the only subpackage that prints and exits

All of them may import ``selfcheck``, the package that students get; it imports none of them. A course's
nbgrader_config.py imports ``coursekit.config``.
"""

from pathlib import Path

from coursekit.system import lean_imports

lean_imports.install()  # before anything imports nbgrader or nbformat

__version__ = "0.1.0"
PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # in a wheel, the folder of the installed packages
