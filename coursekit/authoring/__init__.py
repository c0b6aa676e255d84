"""For authors: release, recordings, mutants, and the checks that CI runs."""
