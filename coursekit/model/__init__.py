"""The values of a course: course, exercise, notebook, settings, errors."""
