"""A student's folder -> one notebook in the structure of the source notebook, repaired if possible."""
