"""What this course is; nbgrader reads this file in the working directory."""

from pathlib import Path

from coursekit.config import configure

c = get_config()
configure(c, Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "dnn-from-scratch"
c.CourseKit.assignments = ["step-by-step", "application", "digits"]
c.CourseKit.shared_files = ["dnn_utils.py", "dnn", "testCases.py", "public_tests.py", "LICENSE"]
