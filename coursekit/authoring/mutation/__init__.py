"""Mutants of the solutions: making them, running them on the cases, and searching for inputs that reveal survivors."""
