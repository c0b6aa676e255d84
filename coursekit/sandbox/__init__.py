"""The walls round a submission, and the fork server behind them; what runs inside is ``coursekit.sandbox.guest``."""
