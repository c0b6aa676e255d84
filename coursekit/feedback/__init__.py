"""The feedback page: one file for one student's submission, made from the autograded notebook and the gradebook.

In the order of the data flow: ``exporter`` is what nbgrader's GenerateFeedback calls, ``marks`` reads what is known
about the marks, ``cells`` renders the notebook (``code``, ``markdown``, ``equations``, ``displays``, ``images``),
``page`` puts both into the template. Everything that a student may have written passes ``text`` (what is invisible
becomes visible) and leaves either escaped or through the allowlist of ``sanitise``; the page's Content-Security-Policy
is the second wall, and there is no script on the page at all.
"""
