"""Isolation of a submission and the fork server that runs it; ``coursekit.sandbox.guest`` runs inside the sandbox."""
