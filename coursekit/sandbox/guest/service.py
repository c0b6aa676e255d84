"""The service of the fork server after its warm-up: it forks, monitors, interrupts and ends one child at a time."""

import os
import select
from typing import Any

from .child import ServerSettings
from .cleanup import kill_all, names_in, wipe
from .control import Control
from .resource_usage import Mappings, overuse
from .running_child import RunningChild, fork

TICK_S = 0.05  # poll interval of memory and files while a child runs


class Service:
    """Answers the requests on the control socket, and sends the exit reason of a child."""

    def __init__(self, control: Control, settings: ServerSettings, shell: Any) -> None:
        self._control, self._settings, self._shell = control, settings, shell
        self._child: RunningChild | None = None
        self._mappings = Mappings()
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def run(self) -> None:
        """Serve until the grader closes the socket or is killed; then kill all processes."""
        while True:
            living = self._living
            ready = {fd for fd, _ in self._poll.poll(TICK_S * 1000 if living else None)}
            if living:
                self._check(living)
            if self._control.fileno() not in ready:
                continue
            message, descriptors = self._control.receive()
            answer = self._answer(message, descriptors)
            if answer is None:
                self._kill_all()
                return
            self._control.send(answer)

    @property
    def _living(self) -> RunningChild | None:
        """The child; None if there is none, or if it has ended as far as is known."""
        return None if self._child is None or self._child.over else self._child

    def _check(self, living: RunningChild) -> None:
        """If the child has ended or exceeds a limit, kill all its processes and send the exit reason."""
        why = living.exit_reason() or overuse(self._settings, self._mappings)
        if why:
            self._unwatch(living)
            self._kill_all()
            living.over = True
            self._control.send({"died": why})

    def _answer(self, message: dict[str, Any], descriptors: list[int]) -> dict[str, Any] | None:
        """The answer to a request; None to end the service."""
        living = self._living
        match message.get("op"):
            case "fork":
                self._child = fork(self._settings, self._shell, descriptors, message["table"])
                if self._child.pidfd >= 0:
                    self._poll.register(self._child.pidfd, select.POLLIN)
                return {"forked": self._child.pid}
            case "interrupt":
                if living:
                    living.interrupt()
                return {"interrupted": True}  # the grader waits for this: a late interrupt would stop the next cell
            case "usage":
                return {"usage": living.usage(self._settings) if living else (0.0, 0.0)}
            case "end":
                return {"ended": self._end()}
            case _:
                return None

    def _end(self) -> dict[str, Any]:
        """Kill all processes and empty the folders; returns whether that left nothing behind."""
        if self._child is not None:
            self._unwatch(self._child)
            self._child.close()
        cleaned = self._clean_up()
        self._child = None
        return cleaned

    def _clean_up(self) -> dict[str, Any]:
        try:
            self._kill_all()
            wipe(self._settings.scratch)
            left = [name for folder in self._settings.scratch for name in names_in(folder)]
            if self._settings.namespaced:
                left += [name for name in names_in("/proc") if name.isdigit() and name != "1"]
        except (OSError, RecursionError) as error:
            return {"clean": False, "why": f"{type(error).__name__}: {error}"[:300]}
        return {"clean": not left, "why": ", ".join(left)[:300]}

    def _kill_all(self) -> None:
        living = self._living
        kill_all(self._settings, living.pid if living else 0)

    def _unwatch(self, one: RunningChild) -> None:
        if one.pidfd >= 0:
            self._poll.unregister(one.pidfd)
            os.close(one.pidfd)
            one.pidfd = -1
