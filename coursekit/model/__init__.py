"""The values of a course.

course            the layout of a course directory; settings: what its configuration says
exercise          an exercise with its cases and checks, as data
notebooks, stubs  notebooks, and what replaces a solution in a release
database          where the gradebook is
student_code, accents   parsing of untrusted code, within limits
errors, wording   one-line errors; names in a sentence
"""
