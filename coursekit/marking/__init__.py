"""A rebuilt notebook -> its outputs and the verdict of every exercise."""
