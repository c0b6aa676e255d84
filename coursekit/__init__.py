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
    stock        nbgrader's converters as plain calls     grade, feedback, report, demo
    handout      what a student gets here           lab          JupyterLab for both
    checks       the proofs that CI asks for        selftest     all of ./course test
    cli          the commands

Imports go one way, downwards in that list; only ``cli`` prints and exits.
"""

__version__ = "0.1.0"
