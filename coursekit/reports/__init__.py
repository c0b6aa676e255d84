"""Tables and files for a whole class."""
