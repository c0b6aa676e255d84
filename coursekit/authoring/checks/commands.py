"""The commands that the docs name, and those that coursekit has."""

import re
from collections.abc import Iterator

Commands = dict[str, frozenset[str] | None]  # name -> its options; None if it accepts any

_EVERYWHERE = frozenset({"--help", "-h"})
# `./course` anywhere, the others at the beginning of a line only: "from coursekit import x" is no command.
_CALL = re.compile(r"(?m)(?:(?<![\w/])\./course|^[ \t]*\$?[ \t]*(?:coursekit|python3? -m coursekit))[ \t]+([^\n;&|]+)")
_END = re.compile(r"\s#|[)>`]")


def of(root: object) -> Commands:
    """The commands of a click group, with their options."""
    return {name: _options(command) for name, command in getattr(root, "commands", {}).items()}


def _options(command: object) -> frozenset[str] | None:
    if getattr(command, "ignore_unknown_options", False) or _context(command).get("ignore_unknown_options"):
        return None
    options = {name for option in getattr(command, "params", ()) for name in (*option.opts, *option.secondary_opts)}
    return frozenset(options) | _EVERYWHERE


def _context(command: object) -> dict[str, object]:
    return getattr(command, "context_settings", None) or {}


def unknown(code: str, commands: Commands) -> Iterator[str]:
    """A message for each command or option of coursekit in the code that does not exist."""
    for call in _CALL.finditer(code):
        words = _END.split(call[1])[0].split()
        name = words[0] if words else ""
        if not re.fullmatch(r"[a-z][\w-]*", name):
            continue  # an option, a placeholder, or the end of a sentence
        if name not in commands:
            yield f"there is no command `{name}`"
            continue
        options = commands[name]
        for word in words[1:]:
            option = re.match(r"\[?(--[a-z][\w-]*)", word)
            if option and options is not None and option[1] not in options:
                yield f"`{name}` has no option {option[1]}"
