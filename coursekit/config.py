"""For a course's nbgrader_config.py: ``from coursekit.config import configure``."""

from coursekit.model.database import beside
from coursekit.nbgrader_plugin.configuration import configure

__all__ = ["beside", "configure"]
