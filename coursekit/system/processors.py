"""Number of processors available to this process, within its CPU affinity and its container's CPU quota."""

import os
from pathlib import Path, PurePosixPath

_GROUPS, _OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


def available() -> int:
    """The number of available processors, at least one."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return share(count)


def share(count: int, groups: Path = _GROUPS, own_group: Path = _OWN_GROUP) -> int:
    """``count``, or fewer if a control group (`docker run --cpus`, a pod's limit) has a smaller CPU quota."""
    shares = [quota / period for quota, period in map(_quota, _folders(groups, own_group)) if quota > 0 and period > 0]
    return max(1, min([count, *map(int, shares)]))


def _folders(groups: Path, own_group: Path) -> list[Path]:
    """The folders that may hold a quota: those of this control group and its ancestors, in cgroup v1 and v2."""
    try:
        lines = [line.split(":", 2) for line in own_group.read_text("utf-8").splitlines()]
    except OSError:
        lines = []
    found = {groups, groups / "cpu"}
    for _, kinds, path in (line for line in lines if len(line) == 3):
        top = groups if not kinds else groups / "cpu" if "cpu" in kinds.split(",") else None
        if top is not None:
            inside = PurePosixPath(path.lstrip("/"))
            found |= {top / part for part in (inside, *inside.parents)}
    return sorted(found)


def _quota(folder: Path) -> tuple[float, float]:
    """The quota and its period, in microseconds; zeros if there is no quota."""
    try:
        if (folder / "cpu.max").is_file():
            quota, period = (folder / "cpu.max").read_text("ascii").split()
        else:
            quota = (folder / "cpu.cfs_quota_us").read_text("ascii")
            period = (folder / "cpu.cfs_period_us").read_text("ascii")
        return (0.0, 0.0) if quota == "max" else (float(quota), float(period))
    except (OSError, ValueError):
        return 0.0, 0.0
