"""The one exception that the command line shows as a line instead of a traceback; and others on one line."""


class CourseError(Exception):
    """Something the user can fix: ``where: what was found; what to do``."""

    def __init__(self, where: object, found: str, remedy: str = "") -> None:
        self.where, self.found, self.remedy = str(where), found, remedy
        super().__init__(f"{where}: {found}" + (f"; {remedy}" if remedy else ""))


def one_line(error: object) -> str:
    """What an exception says (or a text on one), on one line of bounded length; of a silent one its type."""
    said = str(error) or (type(error).__name__ if isinstance(error, BaseException) else "")
    return " ".join(said.split())[:300]


def one_line_with_type(error: BaseException) -> str:
    """The same with the name of its type in front, for exceptions out of somebody else's code."""
    return one_line(f"{type(error).__name__}: {error}")
