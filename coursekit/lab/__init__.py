"""JupyterLab on a course, for its instructor or as a student sees it."""
