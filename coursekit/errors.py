"""The one exception that the command line shows as a line instead of a traceback."""


class CourseError(Exception):
    """Something the user can mend: ``where: what was found; what to do``."""

    def __init__(self, where: object, found: str, remedy: str = "") -> None:
        self.where, self.found, self.remedy = str(where), found, remedy
        super().__init__(f"{where}: {found}" + (f"; {remedy}" if remedy else ""))
