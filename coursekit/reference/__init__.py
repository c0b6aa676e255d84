"""Reference processes: the only place where a course's code runs outside a sandbox; one process for each assignment.

In the engine:

    process      starts, queries and ends reference processes, one or several in parallel
    assignments  an assignment as a value, built from the process's description of it

In the process:

    __main__     reads one request per line, writes one answer per line, both JSON
    table        imports the assignment's modules and joins what they say about its exercises
    rows         the row types of the modules in ``hidden/<assignment>/``
    catalogue    the answer types of its ``mistakes.py``
    describing   the exercises as data
    solutions    the source notebook's functions
    outputs      the expected outputs, and their recording
    twins        cases drawn anew for a run, and what the solutions return
    helping      answers calls of right functions in a retry, with arguments from a student's process
    wrong        what the named mistakes return
    submissions  the submissions of the demo

``table`` imports the course's modules by their ordinary names, so the engine must never do that in its own process.
"""
