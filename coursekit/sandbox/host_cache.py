"""What one sandbox leaves to the next, since making it takes longer than all the rest of a start.

Matplotlib's list of fonts, and the pictures of a notebook's text. Both are made before there is any submission in a
sandbox, and lie below the user's cache folder, by the packages, fonts and modules that they were made with.
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
_MAX_PICTURE_FILES = 12  # four for each assignment of ours, so that an author who tries things out keeps some


def _folder() -> Path:
    """The folder for this interpreter's packages and this system's fonts."""
    packages = Path(sysconfig.get_path("purelib"))
    facts = [str(packages)]
    for path in (packages / "matplotlib", Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/etc/fonts")):
        facts.append(str(path.stat().st_mtime_ns) if path.exists() else "")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return base / "coursekit" / hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def fonts() -> dict[str, bytes]:
    """The lists there are, by file name; none is fine."""
    with contextlib.suppress(OSError, RuntimeError):  # no home, nothing to read: the sandbox makes its own
        return {path.name: path.read_bytes() for path in sorted(_folder().glob("fontlist-*.json"))}
    return {}


def keep_fonts(lists: Mapping[str, str]) -> bool:
    """The lists are kept, as well as this user may; each appears whole or not at all. Whether there was a new one."""
    before = len(fonts())
    with contextlib.suppress(OSError, RuntimeError):
        for name, text in lists.items():
            path = _folder() / name
            if path.name == name and len(text) <= _MAX_BYTES and not path.exists():
                _write(path, text)
    return len(fonts()) > before


def pictures_name(files: Mapping[str, bytes], calls: Sequence[Any]) -> str:
    """The file for what these calls of functions in the modules among these files draw."""
    whole = hashlib.sha256(json.dumps(calls).encode())
    for name, data in sorted(files.items()):
        if name.endswith(".py"):
            whole.update(f"\n{name} {len(data)}\n".encode() + data)
    return f"pictures-{whole.hexdigest()[:24]}.json"


def pictures(name: str) -> dict[str, Any]:
    """What ``figure_cache.remembered`` gave when that was drawn; nothing is fine."""
    with contextlib.suppress(OSError, RuntimeError, ValueError, RecursionError):
        found = json.loads((_folder() / name).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def keep_pictures(name: str, drawn: Mapping[str, Any]) -> bool:
    """They are kept like the fonts, and those that were kept longest give way. Whether they are kept now."""
    with contextlib.suppress(OSError, RuntimeError):
        text = json.dumps(drawn)
        if drawn and len(text) <= _MAX_BYTES:
            _write(_folder() / name, text)
            by_age = sorted(_folder().glob("pictures-*.json"), key=lambda path: path.stat().st_mtime_ns)
            for path in by_age[:-_MAX_PICTURE_FILES]:
                path.unlink()
            return bool(drawn)
    return False


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write.write(path, text.encode())
