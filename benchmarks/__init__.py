"""Benchmarks of grading: ``python -m benchmarks`` prints one table. The README beside this says what is compared."""
