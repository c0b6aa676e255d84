"""The only place where code of a course runs outside a student's sandbox: a process for each assignment.

    process      the engine's end: start it, ask it, end it; or several of them side by side
    __main__     its own end: one request a line, one answer a line, both JSON
    table        the assignment's modules, imported in the order of the course, and their exercises put together
    describing   the exercises as data
    solutions    the source notebook's functions
    outputs      what they return in every case
    wrong        what the named mistakes return
    answers      which answers of the catalogue lose marks
    submissions  the class of the demo

``process`` is all that the engine imports from here; the other modules run in the process. They import the course's
modules by their ordinary names, so nothing of this may be imported into the engine.
"""
