"""The commands, by who needs them; ``coursekit.cli.app`` puts them together. Each imports what it uses when called."""
