"""Resource limits of one submission, and limits of what the grader reads from it."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class ResourceLimits:
    """Resource limits of one submission.

    ``memory_mib`` bounds the resident memory of all its processes together, and the address space of each.
    """

    memory_mib: int = 2048
    scratch_mib: int = 64
    processes: int = 64
    open_files: int = 256
    sockets: int = 500  # of all processes together: each may hold 0.2 MiB that is charged to no process
    mappings: int = 100_000  # of memory, of all processes together: an ordinary notebook has less than a thousand
    file_mib: int = 16
    cpu_s: int = 600
    inodes: int = 20_000
    reply_mib: int = 8
    events: int = 5_000  # lines in one reply; the rest is counted only
    all_events: int = 20_000  # in all replies together
    flood_mib: int = 32  # received in one reply: then the cell is stopped as if its time were over


DEFAULT_LIMITS = ResourceLimits()
