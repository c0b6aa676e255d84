"""The machine of the course kit: release, check, grade, explain.

Read it in the order of the data flow:

    course       where things are               solutions    the source notebook's own functions
    notebooks    notebooks as values            recording    expected outputs, recorded in HDF5
    release      source -> release              config       what nbgrader is told
    submission   a student's folder -> one notebook, repaired where it can be
    rebuild      the answers in a fresh copy of the source's structure
    runner       the rebuilt notebook, run, with a probe behind every exercise
    judge        what the probes saw -> marks   plugins      the same steps as nbgrader preprocessors
    gradebook    marks in and out of gradebook.db
    grade, feedback, marks, demo, lab, checks, cli

Imports go one way, downwards in that list; only ``cli`` prints and exits.
"""

__version__ = "0.1.0"
