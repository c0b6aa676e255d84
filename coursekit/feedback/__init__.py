"""The feedback page: one file for one student's submission, made from the autograded notebook and the gradebook.

In the order of the data flow: nbgrader's GenerateFeedback calls ``exporter``; ``marks`` reads marks and verdicts,
``cells`` renders the notebook (``code``, ``markdown``, ``equations``, ``displays``, ``images``), ``page`` puts both
into the template. Everything that a student may have written passes through ``text``, which makes invisible characters
visible, and is then escaped or written by the allowlist of ``sanitise``. The page's Content-Security-Policy is a second
protection, and the page contains no scripts.
"""
