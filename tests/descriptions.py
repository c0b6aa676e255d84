"""What an assignment's code says of itself is asked once, and not again for each copy of its files.

Most tests work on a copy of a course, and each copy would start a process of its own that runs the same code. Answers
are kept by the content of all files on which they may depend; tests/engine/test_reference_process.py asks for itself.
"""

import copy
import hashlib
from pathlib import Path
from typing import Any

from coursekit.model.course import Course
from coursekit.reference import assignments
from coursekit.reference.process import ReferenceProcess
from coursekit.system.deadline import Deadline

_known: dict[str, Any] = {}


def pytest_configure() -> None:
    assignments.ReferenceProcess = _Remembering  # type: ignore[misc]


class _Remembering(ReferenceProcess):
    def __init__(self, root: Path, assignment: str) -> None:
        super().__init__(root, assignment)
        self._course, self._name = Course(root), assignment

    def ask(self, request: str, deadline: Deadline | None = None, /, **given: Any) -> Any:
        if request != "describe":
            return super().ask(request, deadline, **given)
        content = self._content()
        if content not in _known:
            _known[content] = super().ask(request, deadline, **given)
        return copy.deepcopy(_known[content])

    def _content(self) -> str:
        """A hash of the files' names and contents."""
        whole = hashlib.sha256(self._name.encode())
        for path in self._course.deciding(self._name):
            data = path.read_bytes()
            whole.update(f"\0{path.relative_to(self._course.root)}\0{len(data)}\0".encode() + data)
        return whole.hexdigest()
