"""The student's half of coursekit: runs a function on the public cases of its exercise, and says what is wrong with it.

The whole package is released with every assignment. It needs only NumPy.
"""
