"""The Formgrader's own view of a submission, where a person grades: its Markdown, made harmless.

nbgrader's template puts a student's Markdown on the page as it is, whatever ``sanitize_html`` says, so that a script in
a written answer would run in the browser of whoever grades it.
"""

from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from coursekit.feedback_page import markdown


@pass_context
def markdown2html(context: Context, source: str) -> str:
    """The sanitised HTML of a Markdown cell, in place of nbconvert's filter of that name."""
    cell: Any = context.get("cell") or {}
    return markdown.html(source, None, cell.get("attachments"))
