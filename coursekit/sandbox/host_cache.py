"""Host cache: what one sandbox leaves to the next, because making it takes longer than the rest of a start.

It holds Matplotlib's list of fonts, and the figures of a notebook's text. A sandbox makes both before any submission
runs in it. The files lie below the user's cache folder; the packages, fonts and modules that were used are the key.
"""

import contextlib
import hashlib
import json
import os
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coursekit.system import atomic_write

_MAX_BYTES = 8 << 20
_MAX_FIGURE_FILES = 12  # four for each assignment of this course, so that an author who experiments keeps some


def _folder() -> Path:
    """The cache folder for this interpreter's packages and this system's fonts."""
    packages = Path(sysconfig.get_path("purelib"))
    facts = [str(packages)]
    for path in (packages / "matplotlib", Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/etc/fonts")):
        facts.append(str(path.stat().st_mtime_ns) if path.exists() else "")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return base / "coursekit" / hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def fonts() -> dict[str, bytes]:
    """The cached font lists by file name; empty if there are none."""
    with contextlib.suppress(OSError, RuntimeError):  # no home folder, or not readable: the sandbox makes its own list
        return {path.name: path.read_bytes() for path in sorted(_folder().glob("fontlist-*.json"))}
    return {}


def store_fonts(lists: Mapping[str, str]) -> bool:
    """Store the font lists, if this user can write the cache; returns whether one of them is new.

    Each file appears complete or not at all.
    """
    before = len(fonts())
    with contextlib.suppress(OSError, RuntimeError):
        for name, text in lists.items():
            path = _folder() / name
            if path.name == name and len(text) <= _MAX_BYTES and not path.exists():
                _write(path, text)
    return len(fonts()) > before


def figures_file_name(files: Mapping[str, bytes], calls: Sequence[Any]) -> str:
    """The name of the cache file for the figures that these calls draw with the modules among these files."""
    whole = hashlib.sha256(json.dumps(calls).encode())
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            whole.update(f"\n{name} {len(data)}\n".encode() + data)
    return f"pictures-{whole.hexdigest()[:24]}.json"


def figures(name: str) -> dict[str, Any]:
    """The cached figures, as ``figure_cache.remembered`` returned them; empty if there are none."""
    with contextlib.suppress(OSError, RuntimeError, ValueError, RecursionError):
        found = json.loads((_folder() / name).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def store_figures(name: str, drawn: Mapping[str, Any]) -> bool:
    """Store figures in the cache and delete its oldest files; returns whether the figures were stored."""
    with contextlib.suppress(OSError, RuntimeError):
        text = json.dumps(drawn)
        if drawn and len(text) <= _MAX_BYTES:
            _write(_folder() / name, text)
            by_age = sorted(_folder().glob("pictures-*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in by_age[:-_MAX_FIGURE_FILES]:
                path.unlink()
            return bool(drawn)
    return False


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write.write(path, text.encode())
