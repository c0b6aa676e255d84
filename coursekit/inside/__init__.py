"""What runs inside the sandbox, started as ``python -m inside.server``. Nothing here imports coursekit."""
