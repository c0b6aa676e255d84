"""A test that never ends is ended. pytest-timeout asks how its timer is set; here is one that a busy machine puts off.

Its own timer counts seconds on the clock, and is gone as soon as code under test sets the same alarm for itself.
"""

import contextlib
import signal
import threading
from typing import Any

import pytest
import pytest_timeout

from coursekit.system.deadline import MAX_EXTENSION, Deadline

_LOOK_S = 2.0
_NUMBER = signal.SIGUSR1


class _Watch:
    """The test that runs now, and its limit."""

    def __init__(self) -> None:
        self._lock, self._now = threading.Lock(), None
        self._thread: threading.Thread | None = None

    def begin(self, item: pytest.Item, settings: Any) -> None:
        if self._thread is None:
            signal.signal(_NUMBER, self._interrupt)
            self._thread = threading.Thread(target=self._look, name="watch for hangs", daemon=True)
            self._thread.start()
        with self._lock:
            self._now = [item, settings, Deadline(settings.timeout), False]

    def end(self) -> None:
        with self._lock:
            self._now = None

    def _look(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(_LOOK_S)
            with self._lock:
                if self._now is None or self._now[2].left_s() > 0:
                    continue
                item, settings, _, interrupted = self._now
                if interrupted:  # and that did not help: it hangs where Python hears no signal
                    pytest_timeout.timeout_timer(item, settings)
                self._now[2:] = [Deadline(settings.timeout / MAX_EXTENSION), True]
                with contextlib.suppress(ProcessLookupError):
                    signal.pthread_kill(threading.main_thread().ident, _NUMBER)

    def _interrupt(self, *_: object) -> None:
        if self._now is not None:
            pytest_timeout.timeout_sigalrm(*self._now[:2])


_watch = _Watch()


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> bool | None:
    if not hasattr(signal, "pthread_kill"):
        return None  # Windows: pytest-timeout's own
    _watch.begin(item, settings)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_timeout_cancel_timer(item: pytest.Item) -> bool | None:
    _watch.end()
    return True
