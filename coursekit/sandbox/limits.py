"""What one submission may use of the machine, and how much the grader listens to it."""

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class ResourceLimits:
    """What one submission may use. Memory is counted over all of its processes, and bounds each one's addresses."""

    memory_mib: int = 2048
    scratch_mib: int = 64
    processes: int = 64
    open_files: int = 256
    sockets: int = 500  # of all processes together: each may hold 0.2 MiB that no process is said to use
    mappings: int = 100_000  # of memory, of all processes together: a notebook that computes has less than a thousand
    file_mib: int = 16
    cpu_s: int = 600
    inodes: int = 20_000
    reply_mib: int = 8
    events: int = 5_000  # lines in one reply; the rest is counted only
    all_events: int = 20_000  # in all replies together
    flood_mib: int = 32  # said in one reply: then the cell is stopped as if its time were over


DEFAULT_LIMITS = ResourceLimits()
