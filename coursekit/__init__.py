"""The machine of the course kit: release, check, grade, explain.

Read it in the order of the data flow:

    exercise             hidden cases, and points on checks; the public half is in the package selfcheck
    settings             what nbgrader_config.py says, as nbgrader reads it
    course, database     where things are, and where the gradebook is
    errors, wording      what goes wrong, on one line; names in a sentence
    atomic_write         files and folders that appear whole or not at all
    scratch              folders to work in; grading_lock: one grader in a course at a time
    inherited, deadline  what a process is started with must not matter; time limits that a busy machine puts off
    notebooks            notebooks as values
    stubs, solutions     what students find in place of a solution; the source notebook's own functions
    recording            expected outputs in HDF5, and with wrong_answers what the named mistakes give
    release              source -> release; handout: what a student gets here
    reading/             a student's folder -> one notebook in the source's structure, repaired where it can be
    experiments/         cells that are not run at grading, because they decide no mark
    inside/              what runs inside the sandbox: fork server, shell, probe
    sandbox/             the walls round it, and the client that talks to it
    marking/             the rebuilt notebook -> its outputs and a verdict for every exercise
    outcomes             one submission -> an Outcome, a value; processors, workers, cluster/: many, side by side
    fingerprints, stamps what need not be graded again; versions: what is installed here
    answers_given        which answers a submission holds; reviews: whether a person has to look (again)
    recorder             outcomes -> gradebook (bookkeeping, penalties) and autograded/, whole or not at all
    student_marks        one student's result, from which all that shows marks takes it; gradebook: all of a class
    grade, regrading     all of it for a class, for good or for show
    feedback_page/       autograded notebook and gradebook -> a page; report, class_report: tables; csv_files
    exporting            nbgrader's export; unused_options: what is set and not used
    config, plugins      the same steps for stock nbgrader and the Formgrader; stock, stock_reading
    mutation/, checks/   the proofs that CI asks for; selftest: all of ./course test
    lab, demo            JupyterLab, a class to look at
    commands/, cli       what each command says and asks for; the command line

Imports go one way, downwards in that list; only ``commands`` and ``cli`` print and exit.
"""

import sys
from pathlib import Path

# nbformat's validator builds a grammar of international web addresses when it is imported, which takes longer than all
# else together (0.5 s, jsonschema 4 with rfc3987_syntax 1), and which no notebook needs.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

__version__ = "0.1.0"
PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent  # in a wheel, the folder of the installed packages
