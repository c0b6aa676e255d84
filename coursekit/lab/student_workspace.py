"""The student workspace: a folder with the releases, and a Python that finds only released modules."""

import hashlib
import json
import os
import shutil
import sys
import sysconfig
import venv
from pathlib import Path

from coursekit.model.course import Course

_MADE_BY_USE = {"__pycache__", ".ipynb_checkpoints"}


def folder(course: Course) -> Path:
    """The student's folder, with one folder per released assignment; it is kept between sessions."""
    return course.root / ".coursekit" / "student"


def python(course: Course) -> Path:
    """The student's Python, which ``update`` creates."""
    return _environment(course) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def update(course: Course) -> tuple[str, ...]:
    """Bring the student's folder and Python up to date; returns the changed files that a newer release has, too.

    A file that the student has not changed is replaced by that of the release. A changed file is never overwritten; it
    is returned if the release has a newer version of it.
    """
    _make_python(course)
    record = course.root / ".coursekit" / "lab" / "student" / "handed-out.json"
    before: dict[str, str] = json.loads(record.read_text(encoding="utf-8")) if record.is_file() else {}
    released = _released(course)
    now, kept = {}, []
    for name in sorted(before.keys() | released.keys()):
        source, target = released.get(name), folder(course) / name
        there, new, given = _digest(target), _digest(source), before.get(name, "")
        if there and there not in (given, new):
            now[name] = given
            if new and new != given:
                kept.append(name)
        elif source:
            target.parent.mkdir(parents=True, exist_ok=True)
            if there != new:
                shutil.copyfile(source, target)
            now[name] = new
        else:
            target.unlink(missing_ok=True)
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(now, indent=1), encoding="utf-8")
    return tuple(kept)


def _released(course: Course) -> dict[str, Path]:
    """Every released file, by its name below release/. Raises CourseError if one is a link into hidden/."""
    top = course.root / "release"
    course.refuse_hidden(top.rglob("*"))
    return {
        path.relative_to(top).as_posix(): path
        for path in top.glob("*/**/*")
        if path.is_file() and not _MADE_BY_USE & set(path.relative_to(top).parts)
    }


def _digest(path: Path | None) -> str:
    """The hash of a file; empty if there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path is not None and path.is_file() else ""


def _environment(course: Course) -> Path:
    return course.root / ".coursekit" / "lab" / "student" / "python"


def _make_python(course: Course) -> None:
    """Create a Python with our packages but without our checkout.

    A .pth file in our site-packages (an editable install) adds the checkout to the path. Python reads .pth files only
    in site directories; for the student's Python our site-packages is an ordinary entry of the path.
    """
    home = _environment(course)
    packages = "\n".join(dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))) + "\n"
    made_from, wanted = home / "made-from.txt", f"{home}\n{sys.executable}\n{sys.version}\n{packages}"
    if python(course).exists() and made_from.is_file() and made_from.read_text(encoding="utf-8") == wanted:
        return
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt", clear=True).create(home)
    site = sysconfig.get_path("purelib", "venv", vars={"base": str(home), "platbase": str(home)})
    Path(site, "course_packages.pth").write_text(packages, encoding="utf-8")
    made_from.write_text(wanted, encoding="utf-8")
