"""How many processors there are for us: those that this process may run on, or a container's share of them."""

import os
from pathlib import Path, PurePosixPath

_GROUPS, _MINE = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available() -> int:
    """At least one."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return share(there)


def share(there: int, groups: Path = _GROUPS, mine: Path = _MINE) -> int:
    """``there``, or the share of them that a control group (`docker run --cpus`, a pod's limit) leaves to us."""
    shares = [quota / period for quota, period in map(_bound, _folders(groups, mine)) if quota > 0 and period > 0]
    return max(1, min([there, *map(int, shares)]))


def _folders(groups: Path, mine: Path) -> list[Path]:
    """Every folder that may hold a bound of ours: our group and those round it, in either version of control groups."""
    try:
        lines = [line.split(":", 2) for line in mine.read_text("utf-8").splitlines()]
    except OSError:
        lines = []
    found = {groups, groups / "cpu"}
    for _, kinds, path in (line for line in lines if len(line) == 3):
        top = groups if not kinds else groups / "cpu" if "cpu" in kinds.split(",") else None
        if top is not None:
            inside = PurePosixPath(path.lstrip("/"))
            found |= {top / part for part in (inside, *inside.parents)}
    return sorted(found)


def _bound(folder: Path) -> tuple[float, float]:
    """Microseconds of processor time in each period; zeros where there is no bound."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text("ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text("ascii")
            period = (folder / "cpu.cfs_period_us").read_text("ascii")
        return (0.0, 0.0) if quota == "max" else (float(quota), float(period))
    except (OSError, ValueError):
        return 0.0, 0.0
