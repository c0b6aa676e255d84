"""Files, processors and time limits of the operating system; independent of courses."""
