"""The student's half of the kit: runs a function on the examples of its exercise and says what is wrong with it.

Handed out whole beside every assignment. It needs NumPy and nothing else.
"""
