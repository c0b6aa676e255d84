"""What the operating system gives: files, processors, time limits. Knows nothing of courses."""
