"""The engine of the course kit: release, check, grade, explain.

Its rooms from the bottom up, in the order in which to read them. Imports go down only; `./course test` proves it.

    system            what the operating system gives: files that appear whole, processors, time limits
    model             what a course is, as values: course, exercise, notebook, settings, errors
    reference         the course's own code, run for the engine: what its solutions return
    experiments       cells that are not run at grading, because they decide no mark
    submission        a student's folder -> one notebook in the source's structure, repaired where it can be
    sandbox           isolation of a student's code; sandbox.guest is what runs inside it
    marking           the rebuilt notebook -> its outputs and a verdict for every exercise
    grading           a class: workers, here or in a cluster; receipts of what need not be graded again; the gradebook
    feedback          a student's page; reports: tables and files for a class
    nbgrader_plugin   the same steps for stock nbgrader and the Formgrader
    authoring         release, recordings, mutants, and the checks that CI asks for
    lab               JupyterLab for an instructor, or as a student sees it
    cli               the commands; the only room that prints and exits

``selfcheck``, the package that students get, lies below all of them and imports none.
``coursekit.config`` is what a course's nbgrader_config.py imports.
"""

import sys
from pathlib import Path

# nbformat's validator builds a grammar of international web addresses when it is imported, which takes longer than all
# else together (0.5 s, jsonschema 4 with rfc3987_syntax 1), and which no notebook needs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # in a wheel, the folder of the installed packages
