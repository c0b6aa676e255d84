"""CPU wait: how long a process was ready to run while others had the processors."""

import os


def waited_s(pid: str = "self") -> float:
    """CPU wait of a process's main thread in seconds; 0 if the system does not report it."""
    try:
        descriptor = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return int(os.read(descriptor, 200).split()[1]) / 1e9
        finally:
            os.close(descriptor)
    except (OSError, ValueError, IndexError):
        return 0.0
