"""The commands, by who needs them; ``coursekit.cli`` puts them together. Each imports what it uses when called."""
