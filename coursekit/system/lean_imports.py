"""Imports that cost much and that nothing here uses: left out, or put off until they are asked for."""

import importlib
import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

# Optional parts of jsonschema, through which nbformat validates: a grammar of international web addresses (0.5 s, more
# than all other imports together, jsonschema 4 with rfc3987_syntax 1), and durations by a library for dates and zones.
_LEFT_OUT = ("rfc3987_syntax", "isoduration")


def install() -> None:
    """Make the imports of this process lean, as far as they are still to come."""
    for name in _LEFT_OUT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
    if "nbgrader" not in sys.modules:
        _put_off_servers()


def _put_off_servers() -> None:
    """Put a module ``nbgrader`` in place that runs the code of its package only for what this code defines.

    nbgrader 0.9.6 imports its four server extensions there, and with them Jupyter's server and its own commands, which
    only that server asks for: 0.5 s. Submodules are imported as ever.
    """
    spec = find_spec("nbgrader")
    if spec is None or spec.loader is None:
        return
    module, loader = module_from_spec(spec), spec.loader

    def attribute(name: str) -> Any:
        if name == "__version__":  # the extensions ask for it while they are imported
            return importlib.import_module("nbgrader._version").__version__
        if name.startswith("__") or find_spec(f"nbgrader.{name}") is not None:
            raise AttributeError(f"module 'nbgrader' has no attribute {name!r}")
        del module.__getattr__
        loader.exec_module(module)
        return getattr(module, name)

    module.__getattr__ = attribute  # type: ignore[method-assign]
    sys.modules["nbgrader"] = module
