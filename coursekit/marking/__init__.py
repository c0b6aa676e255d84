"""A rebuilt notebook -> its outputs and the verdict of every exercise.

In the order of the work:

    marker            one submission: run the cells, call the functions, judge, retry with right helpers
    runner            one run: cell_runner runs the cells in a notebook_process, within time_left
    outputs           events of a cell -> outputs: cell_display, mime_bundles, output_limits
    calls             each function of a run is called: function_calls makes the requests; twins draws further cases
    retries           follow-through: dependencies says of which functions, helper_calls answers their calls
    observations      the replies, parsed; redaction and known_messages: what of them may be quoted
    judge             results -> marks on checks, which is where every mark is made
    diagnosis         which named mistake gives these results
    repeated_runs     several runs of one notebook -> one result
    verdicts          marks with reasons; graded_verdicts: those of a submission, and their form in its notebook
    warm_up           what a sandbox does once for all submissions
    unrun_cells       submitted outputs of cells that are not run
    limits, stop_reasons    time limits; the sentences about what was stopped
"""
