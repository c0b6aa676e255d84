"""What a student handed in -> one notebook in the source's structure, repaired where it can be."""
