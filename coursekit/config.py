"""For a course's nbgrader_config.py: ``from coursekit.config import configure``."""

from pathlib import Path
from typing import Any

from coursekit.model import settings
from coursekit.model.database import beside
from coursekit.nbgrader_plugin import configuration

__all__ = ["beside", "configure"]


def configure(c: Any, root: Path) -> None:
    """Set up nbgrader for the course in ``root``: the configuration object ``c``, and the commands of this process."""
    configuration.configure(c, root)
    if not settings.is_read_for_a_command():
        from coursekit.nbgrader_plugin import autograde

        autograde.install()  # no option changes how submissions are found and read
