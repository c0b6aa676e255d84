"""The exception that the command line shows as one line instead of a traceback, and one-line texts of others."""


class CourseError(Exception):
    """Something the user can fix: ``where: what was found; what to do``."""

    def __init__(self, where: object, found: str, remedy: str = "") -> None:
        self.where, self.found, self.remedy = str(where), found, remedy
        super().__init__(f"{where}: {found}" + (f"; {remedy}" if remedy else ""))


def one_line(error: object) -> str:
    """The message of an exception, or a text, as one line of bounded length; the type if there is no message."""
    said = str(error) or (type(error).__name__ if isinstance(error, BaseException) else "")
    return " ".join(said.split())[:300]


def one_line_with_type(error: BaseException) -> str:
    """The type and message of an exception as one line, for exceptions of foreign code."""
    return one_line(f"{type(error).__name__}: {error}")
