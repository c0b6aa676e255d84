"""How long a process has waited for a processor that others were using: time that is no fault of its own."""

import os


def waited_s(pid: str = "self") -> float:
    """Seconds that a process's main thread was ready to run and did not; 0 where the system does not tell."""
    try:
        descriptor = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(descriptor, 200).split()[1]) / 1e9
        finally:
            os.close(descriptor)
    except (OSError, ValueError, IndexError):
        return 0.0
