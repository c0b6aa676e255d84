"""The configuration files of a lab: nbgrader's extensions, the kernel, and no news or update checks."""

import json
from pathlib import Path
from typing import Any

from coursekit.model.course import Course

_EXTENSIONS = ("formgrader", "validate_assignment", "assignment_list", "course_list")
_PLUGINS = (
    "formgrader",
    "validate-assignment",
    "assignment-list",
    "course-list",
    "create-assignment",
    "menu",
)
_FOR_STUDENTS = ("validate_assignment", "validate-assignment")


def files(role: Path, folder: Path, python: Path, student: bool, host: str) -> dict[Path, str]:
    """The text of each file below ``role``, for a server on ``folder`` whose kernel is ``python``."""
    config = role / "config"
    wanted = {name: not student or name in _FOR_STUDENTS for name in (*_EXTENSIONS, *_PLUGINS)}
    off = ["@jupyterlab/apputils-extension:announcements", "@jupyterlab/extensionmanager-extension"]
    off += [f"@jupyter/nbgrader:{name}" for name in _PLUGINS if not wanted[name]]
    server = {
        "ServerApp": {
            "ip": host,
            "port_retries": 0,
            "open_browser": False,
            "root_dir": str(folder),
            "jpserver_extensions": {f"nbgrader.server_extensions.{name}": wanted[name] for name in _EXTENSIONS},
        },
        "LabApp": {
            "news_url": None,
            "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "KernelSpecManager": {"allowed_kernelspecs": ["python3"]},
    }
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    contents: dict[Path, Any] = {
        config / "jupyter_server_config.json": server,
        config / "labconfig" / "page_config.json": {"disabledExtensions": dict.fromkeys(off, True)},
        config / "labconfig" / "default_setting_overrides.json": {"@jupyterlab/apputils-extension:notification": quiet},
        role / "share" / "kernels" / "python3" / "kernel.json": {
            "argv": [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": "Python 3",  # as in the notebooks, so that saving does not change them
            "language": "python",
            "metadata": {"debugger": True},
        },
    }
    return {path: json.dumps(content, indent=1) for path, content in contents.items()}


def exchange(course: Course) -> dict[Path, str]:
    """A file that creates nbgrader's exchange folder; without it, Assignment List and the Release button fail."""
    text = "What the Formgrader's Release button copies, and what is submitted with nbgrader on this computer.\n"
    return {course.root / ".coursekit" / "exchange" / "README.txt": text}
