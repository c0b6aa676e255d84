"""Reasons why a mutant is equivalent to its solution, for the lists of several assignments."""

COLUMNS = "both arrays have the same number of columns, one per example"
TWO_AXES = "the arrays have two axes, so the last one is axis 1, too"
SAME_OBJECT = "two names for the same array"
NO_ORDER = "the turns of the loop have nothing to do with one another, and the order of a dict's keys is not judged"
REMAINDER = "the remainder is 0 for the same steps, and never negative for a positive number"
TYPE = "the same numbers in another type, which is not judged"
