"""What a course is, as values: course, exercise, notebook, settings, errors."""
