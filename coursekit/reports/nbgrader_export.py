"""Export marks with the exporter that the course configures: the same file as `nbgrader export` writes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from coursekit.grading import converters, gradebook
from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line_with_type


def export(course: Course, to: Path, assignments: Sequence[str] = ()) -> str:
    """Write the file; returns the name of the exporter. ``assignments``: only these. Raises CourseError."""
    from nbgrader.plugins import CsvExportPlugin

    config = converters.course_config(course)
    exporter: Any = config.ExportApp.get("plugin_class", CsvExportPlugin)
    with gradebook.opened(course) as book, converters.logging_to(course.root / ".coursekit" / "export.log"):
        try:
            plugin = exporter(config=config)
            plugin.to = str(to)
            if assignments:
                plugin.assignment = list(assignments)
            plugin.export(book)
        except OSError:
            raise
        except Exception as error:  # the exporter may be code of the course
            said = one_line_with_type(error)
            where = f"{settings.CONFIG}: ExportApp.plugin_class"
            raise CourseError(where, f"{exporter.__name__} failed ({said})", "fix it") from error
    return str(exporter.__name__)
