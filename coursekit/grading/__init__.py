"""Grade a class: workers grade submissions, one writer records the outcomes in the gradebook.

grade             the whole way; options: how; regrading: the same without writing anything
roster            which students; fingerprints, receipts, agenda: which of them need no new grading
returned          what the students have back; changes: what a new grading would change
registration      the assignment in the gradebook; converters: nbgrader's own steps
workers, cluster  submissions in parallel, here or on other computers
outcomes          one submission -> an outcome, a value
recorder          outcomes -> gradebook_writer and autograded/, completely or not at all
penalties         late penalties; reviews: whether a person has to look
gradebook         the marks, read; student_marks: one student's result, for all that shows marks
upgrading         renamed grade ids, by grade_ids; backups of the gradebook
lock, workspace   one grader at a time; temporary folders
"""
