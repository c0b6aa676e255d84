"""Options that a course's configuration sets, and that ``coursekit grade`` does not use: an instructor is told each."""

from collections.abc import Iterator
from typing import Any

from traitlets.config import Config

from coursekit import settings
from coursekit.config import configure
from coursekit.course import Course

# Used by this command itself, by `coursekit release`, `feedback` and `marks`, or by the Formgrader.
_COURSE_DIRECTORY = frozenset({"root", "db_url", "course_id", "ignore"})
_USED = frozenset({
    "AddSharedFiles", "AssignLatePenalties", "CSSHTMLHeaderPreprocessor", "ClearHiddenTests", "ClearMarkScheme",
    "ClearSolutions", "ComputeChecksums", "CsvExportPlugin", "ExportPlugin", "FeedbackExporter",
    "GenerateAssignment", "GenerateFeedback", "GenerateSolution", "GenerateSourceWithTests", "GetGrades",
    "HTMLExporter", "IncludeHeaderFooter", "InstantiateTests", "LateSubmissionPlugin", "LockCells",
    "NbConvertBase", "SaveCells", "SanitizeHTML", "TemplateExporter", "WriteStubs",
})  # fmt: skip
# Other programs' and other steps': where work is collected, who may log in, what a server or a log looks like.
_ELSEWHERE = frozenset({
    "Application", "Authenticator", "ContentsManager", "ExtractorPlugin", "FileNameCollectorPlugin",
    "IdentityProvider", "JupyterHubAuthPlugin", "MappingKernelManager", "NbGrader", "PasswordIdentityProvider",
    "Validator", "ZipCollectPlugin",
})  # fmt: skip
_ELSEWHERE_ENDS = ("App", "Extension", "Manager", "Handler", "Authenticator", "IdentityProvider")


def told(course: Course, command: str = "coursekit grade") -> list[str]:
    """A line for each option that the configuration sets to something of its own, and that our grading ignores."""
    found, ours = settings.of(course.root), Config()
    with settings.for_a_command():
        configure(ours, course.root)
    plugins = _sections_of_plugins(found)
    return [
        f"{settings.CONFIG}: {section}.{option} is set, but {command} does not use it"
        for section, option in _set_by_the_course(found, ours)
        if section not in plugins and not _no_effect(section, option)
    ]


def _set_by_the_course(found: Any, ours: Any) -> Iterator[tuple[str, str]]:
    for section in sorted(found):
        if isinstance(found[section], Config):
            usual = ours.get(section, {})
            for option, value in sorted(found[section].items()):
                if option not in usual or usual[option] != value:
                    yield section, option


def _no_effect(section: str, option: str) -> bool:
    if section == "CourseDirectory":
        return option in _COURSE_DIRECTORY
    elsewhere = section in _ELSEWHERE or section.startswith("Exchange") or section.endswith(_ELSEWHERE_ENDS)
    return section in _USED or elsewhere


def _sections_of_plugins(found: Any) -> set[str]:
    """The sections that the late plug-in and the exporter of this course read."""
    classes = [found[name].get("plugin_class") for name in ("AssignLatePenalties", "ExportApp") if name in found]
    return {base.__name__ for one in classes if isinstance(one, type) for base in one.__mro__}
