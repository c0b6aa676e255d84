"""A class: submissions examined by workers, their outcomes recorded in the gradebook."""
