"""The client of a Dask cluster: sends submissions as bytes and receives outcomes as bytes; nothing else is shared.

Dask repeats the tasks of a lost worker. That is safe: a task writes nothing, and only this process records outcomes.
"""

import asyncio
import concurrent.futures
import importlib
import queue
import secrets
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from coursekit.grading.cluster import payload, wire_format
from coursekit.grading.cluster import worker as cluster_worker
from coursekit.grading.options import GradingOptions
from coursekit.grading.outcomes import Outcome
from coursekit.model.course import Course
from coursekit.model.errors import CourseError, one_line
from coursekit.system.deadline import Deadline

PROBE_TIMEOUT_S = 2.0
CONNECT_TIMEOUT_S = 15.0  # extended on a busy computer (``Deadline``), since the scheduler may run on it
NO_WORKER_TIMEOUT_S = 600.0  # without any worker; on a busy cluster workers wait in a queue, too
_POLL_INTERVAL_S = 5.0
_REMEDY = "check the address, and that a Dask scheduler runs there"
_SAME_VERSIONS = "install the same coursekit, Dask and Python for the scheduler and its workers as here"
_MAX_SENT_PER_THREAD = 2  # so that no thread waits, and little lies in memory


def examine_all(
    course: Course,
    assignment: str,
    students: Sequence[str],
    options: GradingOptions,
    attempts: int,
    no_worker_timeout_s: float = NO_WORKER_TIMEOUT_S,
) -> Iterator[Outcome]:
    """Yield one outcome per student as they are finished. Raises CourseError if the cluster cannot be used."""
    course_payload, scheduler = payload.of_course(course, assignment), options.scheduler
    with _connected(scheduler) as client:
        run = secrets.token_hex(8)
        shared = client.submit(cluster_worker.course_payload, course_payload, key=f"coursekit-course-{run}", pure=False)
        waiting, running = list(students), dict[Any, str]()
        ended: queue.SimpleQueue[Any] = queue.SimpleQueue()
        no_worker_since = time.monotonic()
        while waiting or running:
            threads = sum(client.nthreads().values())
            if threads:
                no_worker_since = time.monotonic()
            elif time.monotonic() - no_worker_since > no_worker_timeout_s:
                found = f"no worker was there for {no_worker_timeout_s:g} s"
                raise CourseError(scheduler, found, "start workers for it (docs/CLUSTER.md), and run this again")
            while waiting and len(running) < max(threads, 1) * _MAX_SENT_PER_THREAD:
                key, student = f"coursekit-{run}-{len(waiting)}", waiting.pop(0)
                submission = payload.of_submission(course, assignment, student, options.limits, options.sandbox)
                arguments = (shared, submission, cluster_worker.engine_digest(), attempts)
                future = client.submit(cluster_worker.examine, *arguments, key=key, pure=False)
                running[future] = student
                future.add_done_callback(ended.put)
            with suppress(queue.Empty):
                future = ended.get(timeout=min(_POLL_INTERVAL_S, no_worker_timeout_s))
                yield _outcome(future, running.pop(future), scheduler)


def _outcome(future: Any, student: str, scheduler: str) -> Outcome:
    """The outcome from the result of a task. Raises CourseError if every other submission would fail as well."""
    try:
        fields, files = wire_format.decode(future.result())
    except _distributed().scheduler.KilledWorker as error:
        lost = f"the workers that had it were lost, {error.allowed_failures + 1} times"
        return Outcome(student, failure=f"{lost}; grade it again")
    except (OSError, concurrent.futures.CancelledError):
        raise
    except Exception as error:  # our task itself raises nothing: so it could not be started
        raise CourseError(scheduler, f"nothing can be run there ({one_line(error)})", _SAME_VERSIONS) from error
    if "refused" in fields:
        where, found, remedy = fields["refused"]
        raise CourseError(f"{scheduler}, {where}", found, remedy)
    if "killed" in fields:
        return Outcome(student, failure=f"its worker was killed {fields['killed']} times; grade it again")
    if "student" not in fields:
        return Outcome(student, failure=fields["failure"], log=fields["log"])
    return payload.outcome(fields, files)


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    """Yield a client of the cluster; the cluster forgets all data afterwards. Raises CourseError."""
    distributed = _distributed()
    # Payloads are as small as possible: no warning about their size.
    configuration = {"distributed.admin.large-graph-warning-threshold": "1GB"}
    with importlib.import_module("dask").config.set(configuration):
        client = _client(distributed, scheduler)
        try:
            with client:
                yield client
        except (OSError, concurrent.futures.CancelledError) as error:
            raise CourseError(scheduler, f"it was lost ({one_line(error)})", "run the same command again") from error


def _client(distributed: Any, scheduler: str) -> Any:
    """Dask's client, connected. Raises CourseError.

    A client that finds no scheduler leaves a thread behind, so the address is tried before one is created.
    """
    _check_listening(distributed, scheduler)
    until, left_s = Deadline(CONNECT_TIMEOUT_S), CONNECT_TIMEOUT_S
    while True:
        try:
            distributed.utils.LoopRunner().run_sync(_greet, distributed, scheduler, left_s)
            return distributed.Client(scheduler, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:  # no scheduler there, or no address at all
            left_s = until.left_s()
            if left_s < 0.1 or not isinstance(error, OSError):
                silent = isinstance(error, OSError)  # the message of Dask names only the seconds of the last try
                why = "nothing there answers as a Dask scheduler does" if silent else one_line(error)
                raise _unreachable(scheduler, why) from error


def _check_listening(distributed: Any, scheduler: str) -> None:
    """Raise CourseError if the address refuses connections: Dask would retry until its timeout.

    A timeout here is left to Dask: the computer may be busy, or the connection slow.
    """
    try:
        host, port = distributed.comm.addressing.get_address_host_port(scheduler)
        with socket.create_connection((host, port), timeout=PROBE_TIMEOUT_S):
            return
    except TimeoutError:
        return
    except OSError as error:
        raise _unreachable(scheduler, error.strerror or one_line(error)) from error
    except (ValueError, TypeError) as error:  # not a host and port
        raise _unreachable(scheduler, one_line(error)) from error


def _unreachable(scheduler: str, why: str) -> CourseError:
    return CourseError(scheduler, f"cannot be reached ({why})", _REMEDY)


async def _greet(distributed: Any, scheduler: str, timeout_s: float) -> None:
    connecting = distributed.comm.connect(scheduler, timeout=timeout_s)
    connection = await asyncio.wait_for(connecting, timeout_s)  # Dask waits without a limit if another program answers
    await connection.close()


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        found = f"Dask is not installed ({error})"
        raise CourseError("--scheduler", found, "pip install 'coursekit[cluster]'") from error
