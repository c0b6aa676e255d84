"""What runs inside the sandbox, started as ``python -m guest.server``. Nothing here imports coursekit."""
