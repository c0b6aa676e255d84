"""A command run while other programs keep the processors busy and, on request, memory short: ``python tests/load.py``.

    python tests/load.py                                        .ci/run, beside two programs that compute
    python tests/load.py --memory -- ./course test -n 2 tests/hostile      … and with 1.5 GiB of memory left free
    python tests/load.py --ignore-signals -- .ci/run            … as nohup and some CI runners start programs

It says how long that took, how busy the machine was, and what pytest counted. All that it starts for the load ends with
it, however it ends, and in any case after ``--hours``.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GIB = 1 << 30
# Each ends when its input does, which is a pipe from this process, and when its time is over.
BOUND = """
import os, sys, threading, time
def follow():
    os.read(0, 1)
    os._exit(0)
threading.Thread(target=follow, daemon=True).start()
threading.Timer(float(sys.argv[1]), os._exit, [0]).start()
"""
COMPUTES = BOUND + "while True: pass"
# Takes what is free but for so many bytes, in steps, gives back when others need it, and is what goes first.
HOLDS = (
    BOUND
    + """
open("/proc/self/oom_score_adj", "w").write("1000")
STEP, held = 64 << 20, []
def free():
    told = dict(line.split(":") for line in open("/proc/meminfo"))
    return int(told["MemAvailable"].split()[0]) << 10
while True:
    spare = free() - int(sys.argv[2])
    if spare > 2 * STEP and len(held) * STEP < int(sys.argv[3]):
        held.append(os.urandom(1 << 16) * (STEP >> 16))
    elif spare < -STEP and held:
        held.pop()
    else:
        time.sleep(0.2)
"""
)


def main() -> int:
    options = _options()
    bound_s = options.hours * 3600
    with ExitStack() as stack:

        def beside(code: str, *arguments: object) -> None:
            words = [sys.executable, "-S", "-c", code, str(bound_s), *map(str, arguments)]
            process = subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True)
            stack.callback(process.wait)
            stack.callback(process.kill)

        for _ in range(options.busy):
            beside(COMPUTES)
        if options.memory:
            beside(HOLDS, int(options.free_gib * GIB), int(options.most_gib * GIB))
        return _watched(options.command or [str(ROOT / ".ci" / "run")], options.ignore_signals)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--busy", type=int, default=2, metavar="N", help="programs that compute all the time (2)")
    parser.add_argument("--memory", action="store_true", help="keep memory short, too")
    parser.add_argument("--free-gib", type=float, default=1.5, metavar="G", help="memory left free (1.5)")
    parser.add_argument("--most-gib", type=float, default=64, metavar="G", help="memory taken at most (64)")
    parser.add_argument("--ignore-signals", action="store_true", help="start it with SIGHUP and SIGINT ignored")
    parser.add_argument("--hours", type=float, default=3, metavar="H", help="after which the load ends (3)")
    parser.add_argument("command", nargs="*", help="what to run (.ci/run)")
    return parser.parse_args()


def _watched(command: list[str], ignored: bool) -> int:
    """The command's exit code; what it says is passed on, and counted."""
    words = ["/bin/sh", "-c", 'trap "" HUP INT; exec "$@"', "sh", *command] if ignored else command
    loads, free, over = [], [], threading.Event()

    def look() -> None:
        while not over.wait(5):
            loads.append(os.getloadavg()[0])
            free.append(_available())

    threading.Thread(target=look, daemon=True).start()
    began, before, counts = time.monotonic(), os.times(), {}
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, errors="replace") as process:
        try:
            for line in process.stdout or ():
                print(line, end="", flush=True)
                if re.search(r"\d+ (passed|failed|errors?)\b.* in [\d.]+ ?s", line):
                    counts = {what: int(many) for many, what in re.findall(r"(\d+) (\w+?)s?\b(?=,| in)", line)}
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
    over.set()
    after = os.times()
    used_s = after.children_user + after.children_system - before.children_user - before.children_system
    mean = sum(loads) / len(loads) if loads else os.getloadavg()[0]
    print(f"load: {' '.join(command)}: exit code {process.returncode}, {counts or 'nothing counted'}")
    print(f"load: {time.monotonic() - began:.0f} s, {used_s:.0f} s of processor time;"
          f" load {mean:.1f} on average, {max(loads, default=mean):.1f} at most, {os.cpu_count()} processors;"
          f" memory free: {min(free, default=_available()) / GIB:.1f} GiB at least")  # fmt: skip
    return process.returncode


def _available() -> int:
    try:
        told = Path("/proc/meminfo").read_text("ascii")
    except OSError:
        return 0
    found = re.search(r"MemAvailable: +(\d+)", told)
    return int(found[1]) << 10 if found else 0


if __name__ == "__main__":
    sys.exit(main())
