"""A command, watched: when each line of its came, and how much memory it and its children held."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

TICK_S = 0.5


@dataclass(frozen=True)
class Sample:
    """At one moment: MiB of the process itself and of all its descendants, and processor time of all together."""

    at_s: float
    own_mib: float
    others_mib: float
    cpu_s: float


@dataclass(frozen=True)
class Watched:
    """Times in seconds since the start; ``cpu_s`` is processor time, on which other programs have little influence."""

    seconds: float
    lines: tuple[float, ...]
    samples: tuple[Sample, ...]
    cpu_s: float

    @property
    def each_s(self) -> float:
        """Seconds from line to line: what one more of the same costs. The first lines, and the starts, are left out."""
        skipped = min(4, max(1, len(self.lines) // 2))
        steps = len(self.lines) - skipped
        return (self.lines[-1] - self.lines[skipped - 1]) / steps if steps > 0 else self.whole_s

    @property
    def cpu_each_s(self) -> float:
        """Processor time of one more: between the samples behind the starts. In short runs, with the starts."""
        steady = [one for one in self.samples if self.lines[0] <= one.at_s <= self.lines[-1]]
        done = sum(steady[0].at_s < at <= steady[-1].at_s for at in self.lines) if steady else 0
        if done < 10:
            return self.cpu_s / max(1, len(self.lines))
        return (steady[-1].cpu_s - steady[0].cpu_s) / done

    @property
    def whole_s(self) -> float:
        """Seconds per line, start and end of the command counted in."""
        return self.seconds / max(1, len(self.lines))


def watch(command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None) -> Watched:
    """Run a command to its end. Raises RuntimeError, with what it said, where it fails."""
    begun = time.perf_counter()
    samples: list[Sample] = []
    over = threading.Event()
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **(env or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None

        def sample() -> None:
            while not over.wait(TICK_S):
                samples.append(look_at(process.pid, time.perf_counter() - begun))

        watcher = threading.Thread(target=sample, daemon=True)
        watcher.start()
        lines, text = [], []
        for line in process.stdout:
            lines.append(time.perf_counter() - begun)
            text.append(line)
        over.set()
        watcher.join()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begun
    if process.returncode != 0:
        told = [line for line in text if "FAILED" in line] or text[-15:]
        raise RuntimeError(f"{' '.join(command[:4])} … ended with {process.returncode}:\n{''.join(told)}")
    # Of a sandbox that was killed nobody gets the processor time in the end: the last samples have it.
    cpu_s = max([usage.ru_utime + usage.ru_stime, *(one.cpu_s for one in samples)])
    return Watched(seconds, tuple(lines), tuple(samples), cpu_s)


def seconds(command: Sequence[str], repeats: int) -> float:
    """The shortest time that the command took: what disturbs can only make it longer."""
    times = []
    for _ in range(repeats):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return min(times)


def look_at(pid: int, at_s: float = 0.0) -> Sample:
    """What a process and its descendants use now; zeros where the system does not tell."""
    if sys.platform != "linux":
        return Sample(at_s, 0, 0, 0)
    children: dict[int, list[int]] = {}
    cpu: dict[int, float] = {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(path.name))
            cpu[int(path.name)] = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # with its ended children's
    found = [pid]
    for one in found:
        found += children.get(one, ())
    return Sample(at_s, _held_mib(pid), sum(map(_held_mib, found[1:])), sum(cpu.get(one, 0.0) for one in found))


def _held_mib(pid: int) -> float:
    """Pages that several processes share count in parts, where that is told; else in full."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)
    except (OSError, IndexError):
        return 0.0
