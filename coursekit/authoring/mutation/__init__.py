"""Mutants of the solutions: what they are, how they are run, and which of them no input tells apart."""
