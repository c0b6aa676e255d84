"""Helpers of a follow-through retry: stand-ins for the student's functions, whose calls the grader answers.

Only arguments leave this process and only results come in. The right functions themselves are never here.
"""

import base64
import builtins
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import codec
from .channel import Receiver, Sender

ANSWER, CALL = "answer", "helper"  # the keys of the messages: an answer of the grader, and a call


class NotAnswered(BaseException):
    """The grader does not answer this call; no Exception, so that ``except Exception`` does not swallow it."""


class Helpers:
    """The stand-ins in this process. ``unanswered``: why a call since the last ``clear`` has no answer; or empty."""

    def __init__(self, send: Sender, messages: Receiver) -> None:
        self._send, self._messages = send, messages
        self._process, self._thread = os.getpid(), threading.get_ident()
        self._number = 0
        self._known: dict[str, Any] = {}  # the states of the random generators after the last call
        self._waited_s, self._waiting_since = 0.0, 0.0
        self.unanswered = ""

    def stand_in(self, name: str) -> Callable[..., Any]:
        """A function whose calls the grader answers by calling its right one of this name."""

        def call(*args: Any, **kwargs: Any) -> Any:
            return self._call(name, args, kwargs)

        call.__name__ = call.__qualname__ = name
        return call

    def clear(self) -> None:
        """Forget that a call was not answered."""
        self.unanswered = ""

    def waited_s(self) -> float:
        """How long this process has waited for answers, an unfinished wait included."""
        return self._waited_s + (time.monotonic() - self._waiting_since if self._waiting_since else 0.0)

    def _call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if (os.getpid(), threading.get_ident()) != (self._process, self._thread):
            raise self._not_answered("it comes from another thread or process")
        try:
            given = {"args": [codec.encode(arg) for arg in args], "kwargs": codec.encode(kwargs)}
        except (TypeError, RecursionError):
            raise self._not_answered(f"{name} was given a value that cannot be sent") from None
        changed = {key: state for key, state in states().items() if self._known.get(key) != state}
        self._number += 1
        self._waiting_since = time.monotonic()
        try:
            self._send({CALL: name, "number": self._number, **given, "states": changed})
            answer = self._answer()
        finally:
            self._waited_s += time.monotonic() - self._waiting_since
            self._waiting_since = 0.0
        set_states(answer.get("states", {}))
        self._known = states() if "states" in answer else {}
        if "raised" in answer:
            raise _exception(*answer["raised"])
        if "result" not in answer:
            raise self._not_answered(str(answer.get("why", "")))
        return codec.decode(answer["result"], codec.imported)

    def _answer(self) -> dict[str, Any]:
        while (message := self._messages.receive()) is not None:
            if message.get(ANSWER) == self._number:  # an answer to an interrupted call may come late
                return message
        raise self._not_answered("the grader is gone")

    def _not_answered(self, why: str) -> NotAnswered:
        self.unanswered = self.unanswered or why or "no reason was given"
        return NotAnswered(self.unanswered)


def _exception(name: str, message: str) -> Exception:
    """A builtin exception of this name; a RuntimeError for any other."""
    sort = getattr(builtins, name, None)
    if isinstance(sort, type) and issubclass(sort, Exception):
        try:
            return sort(message)
        except TypeError:  # UnicodeDecodeError takes five arguments
            pass
    return RuntimeError(message)


def states() -> dict[str, Any]:
    """The states of the global random generators, as JSON."""
    kind, keys, place, has_gauss, gauss = np.random.get_state()
    drawn = {"keys": base64.b64encode(np.asarray(keys, "<u4").tobytes()).decode("ascii"), "kind": str(kind)}
    version, words, spare = random.getstate()
    packed = base64.b64encode(np.array(words, "<u4").tobytes()).decode("ascii")
    return {
        "numpy": {**drawn, "place": int(place), "has_gauss": int(has_gauss), "gauss": float(gauss)},
        "random": {"version": version, "words": packed, "spare": spare},
    }


def set_states(given: dict[str, Any]) -> None:
    """Set the states of the global random generators; those that are missing stay as they are."""
    if (new := given.get("numpy")) is not None:
        keys = np.frombuffer(base64.b64decode(new["keys"]), "<u4")
        np.random.set_state((new["kind"], keys, new["place"], new["has_gauss"], new["gauss"]))
    if (new := given.get("random")) is not None:
        words = np.frombuffer(base64.b64decode(new["words"]), "<u4").tolist()
        random.setstate((new["version"], tuple(words), new["spare"]))
