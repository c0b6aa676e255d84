"""Check that releases are up to date and complete, and contain nothing that students must not see."""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from coursekit.authoring import release
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.authoring.checks.markers import has_hint, solution_regions
from coursekit.authoring.release import released_paths
from coursekit.model import notebooks
from coursekit.model.course import Course, functions_asked, functions_in
from coursekit.model.errors import CourseError
from coursekit.model.wording import first_few
from selfcheck import recordings

SECRETS = re.compile(r"coursekit\.author|(BEGIN|END)HIDDEN")
# Lines that reveal nothing: heads of loops and branches, appending to a list, bare returns.
_TRIVIAL = re.compile(r"(for|while|if|elif|else|try|except|with|def)\b.*:|\w+\.append\(\w+\)|return( \w+)?|pass")
_SHORTEST = 6  # characters; shorter lines occur in other texts by chance


def check(course: Course, sources: list[Source], assignments: Collection[str] = ()) -> list[Finding]:
    """Findings R5xx of all releases, or of those of these assignments alone."""
    findings = []
    secret = [line for source in sources for line in solution_lines(source)]
    for source in sources:
        where = f"release/{source.assignment}"
        if not course.release(source.assignment).is_dir():
            findings.append(
                Finding("R501", where, "there is no such release", f"run `./course release {source.assignment}`")
            )
            continue
        findings += [*_fresh(course, source), *_regions(course, source)]
    for folder in sorted(path for path in course.root.glob("release/*") if path.is_dir()):
        assignment = folder.name
        if assignments and assignment not in assignments:
            continue
        if not (course.root / "source" / assignment).is_dir():
            what = "there is no such assignment under source/"
            findings.append(
                Finding("R507", f"release/{assignment}", what, "delete the folder, or bring the source back")
            )
        else:
            findings += _files(course, assignment)
        findings += [*_leaks(course, assignment, secret), *_hidden_files(course, assignment)]
    return findings


def _hidden_files(course: Course, assignment: str) -> Iterator[Finding]:
    """Findings on copies of hidden files in a release, under any name."""
    hidden = {path.read_bytes(): path for path in released_paths(course.root / "hidden") if path.stat().st_size}
    for path in released_paths(course.release(assignment)):
        if copied := hidden.get(path.read_bytes()):
            what = f"the same as {copied.relative_to(course.root).as_posix()}, which students must not see"
            yield Finding("R505", path.relative_to(course.root).as_posix(), what, "remove it from the source")


def _fresh(course: Course, source: Source) -> list[Finding]:
    remedy = f"run `./course release {source.assignment}`"
    try:
        stale = release.stale(course, source.assignment)
    except CourseError as error:
        return [Finding("R508", f"release/{source.assignment}", error.found, f"fix {source.where}; {error.remedy}")]
    where = f"release/{source.assignment}"
    return [Finding("R501", where, f"not fresh: {first_few(stale, 3)}", remedy)] if stale else []


def _files(course: Course, assignment: str) -> Iterator[Finding]:
    folder, source = course.release(assignment), course.root / "source" / assignment
    remedy = f"run `./course release {assignment}`"
    asked = functions_asked(course.source(assignment))
    allowed = {
        *(shared := course.shared_files(assignment)),
        f"{assignment}.ipynb",
        *(path.relative_to(source).as_posix() for path in released_paths(source)),
    }
    for path in released_paths(folder):
        name = path.relative_to(folder).as_posix()
        where = f"release/{assignment}/{name}"
        if name not in allowed:
            yield Finding("R503", where, "does not belong in a release", remedy)
        elif name in shared and path.read_bytes() != _bytes(shared[name]):
            yield Finding("R502", where, f"not the same as {name} at the top", remedy)
        if given := asked & functions_in(path):
            what = f"holds {', '.join(sorted(given))}, which the assignment asks for"
            yield Finding("R509", where, what, "move it into a module that is not handed out with this assignment")


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def solution_lines(source: Source) -> list[str]:
    """The lines of all solution regions that would reveal something, without white space."""
    found = []
    for cell in source.notebook.cells:
        if notebooks.is_written(cell):
            found += [_squeeze(line) for line in cell.source.split("\n")]
        elif notebooks.is_solution(cell):
            for region in solution_regions(cell.source)[0]:
                code = [line.strip() for line in region.lines]
                found += [_squeeze(line) for line in code if line[:1] != "#" and not _TRIVIAL.fullmatch(line)]
    return [line for line in dict.fromkeys(found) if len(line) >= _SHORTEST]


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _leaks(course: Course, assignment: str, secret: list[str]) -> Iterator[Finding]:
    folder = course.release(assignment)
    for path in released_paths(folder):
        for cell_id, text in _texts(path):
            where = f"release/{assignment}/{path.relative_to(folder).as_posix()}" + (f"[{cell_id}]" if cell_id else "")
            squeezed = _squeeze(text)
            for line in (line for line in secret if line in squeezed):
                yield Finding("R504", where, f"a line of a solution ({line})", "say it in other words, or take it out")
            if found := SECRETS.search(squeezed):
                yield Finding("R505", where, f"{found[0]!r} must not be seen by students", "take it out of the source")


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """The texts in a file; of a notebook cell by cell, with outputs and metadata. Undecodable bytes are replaced.

    Those in a recording, which is compressed, are the hints for known mistakes.
    """
    if path.name == recordings.NAME:
        yield "", "\n".join(_hints(path))
    text = path.read_bytes().decode("utf-8", errors="replace")
    try:
        document = json.loads(text) if path.suffix == ".ipynb" else None
    except (ValueError, RecursionError):
        document = None
    cells = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(cells, list):
        yield "", text
        return
    for position, cell in enumerate(cells, 1):
        yield (
            str(cell.get("id", position)) if isinstance(cell, dict) else str(position),
            "\n".join(_strings(cell)),
        )
    yield "", "\n".join(_strings({key: value for key, value in document.items() if key != "cells"}))


def _hints(path: Path) -> Iterator[str]:
    try:
        for function in sorted(recordings.functions(path)):
            yield from (known.hint for known in recordings.mistakes(path, function))
    except Exception:  # NumPy, zipfile and zlib raise a dozen kinds; the check of recordings reports them
        return


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        lines = all(isinstance(item, str) for item in value)
        yield from ["".join(value)] if lines else (text for item in value for text in _strings(item))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)


def _regions(course: Course, source: Source) -> Iterator[Finding]:
    """Findings on the regions in the released notebook: markers, hint, and a stub that names the exercise."""
    where = f"release/{source.assignment}/{source.assignment}.ipynb"
    remedy = f"fix {source.where}, then run `./course release {source.assignment}`"
    try:
        there = {notebooks.grade_id(cell): cell for cell in notebooks.read(course.root / where).cells}
    except CourseError as error:
        yield Finding("R506", where, error.found, remedy)
        return
    rows = {row.grade_id: row for row in source.exercises}
    for cell in source.notebook.cells:
        row = rows.get(notebooks.grade_id(cell) or "")
        if row is None or not notebooks.is_solution(cell):
            continue
        given = there[row.grade_id].source if row.grade_id in there else ""
        regions, problem = solution_regions(given)
        stub = f'raise NotImplementedError("Exercise {row.number}: {row.function}")'
        if problem or not regions or len(regions) != len(solution_regions(cell.source)[0]):
            yield Finding("R506", f"{where}[{row.grade_id}]", "not every solution region is there", remedy)
        elif any([line.strip() for line in region.lines] != [stub] for region in regions):
            yield Finding("R506", f"{where}[{row.grade_id}]", f"a region is not the stub `{stub}`", remedy)
        elif not all(map(has_hint, regions)):
            yield Finding("R506", f"{where}[{row.grade_id}]", "a region without a hint above it", remedy)
