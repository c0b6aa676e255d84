"""Find options that a course's configuration sets and ``coursekit grade`` does not use, to warn the instructor."""

import difflib
from collections.abc import Iterator
from typing import Any

from traitlets import HasTraits
from traitlets.config import Config

from coursekit.model import settings
from coursekit.model.course import Course
from coursekit.nbgrader_plugin.configuration import configure

# Used by this command itself, by `coursekit release`, `feedback` and `marks`, or by the Formgrader.
_COURSE_DIRECTORY = frozenset({"root", "db_url", "course_id", "ignore"})
_USED = frozenset({
    "AddSharedFiles", "AssignLatePenalties", "CSSHTMLHeaderPreprocessor", "ClearHiddenTests", "ClearMarkScheme",
    "ClearSolutions", "ComputeChecksums", "CourseKit", "CsvExportPlugin", "ExportPlugin", "FeedbackExporter",
    "GenerateAssignment", "GenerateFeedback", "GenerateSolution", "GenerateSourceWithTests", "GetGrades",
    "HTMLExporter", "IncludeHeaderFooter", "InstantiateTests", "LateSubmissionPlugin", "LockCells",
    "NbConvertBase", "SaveCells", "SanitizeHTML", "TemplateExporter", "WriteStubs",
})  # fmt: skip
# Options of other programs and steps: collecting submissions, logins, servers, logs.
_ELSEWHERE = frozenset({
    "Application", "Authenticator", "ContentsManager", "ExtractorPlugin", "FileNameCollectorPlugin",
    "IdentityProvider", "JupyterHubAuthPlugin", "MappingKernelManager", "NbGrader", "PasswordIdentityProvider",
    "Validator", "ZipCollectPlugin",
})  # fmt: skip
_ELSEWHERE_ENDS = ("App", "Extension", "Manager", "Handler", "Authenticator", "IdentityProvider")


def messages(course: Course, command: str = "coursekit grade") -> list[str]:
    """A message for each option that the course sets and our grading ignores."""
    found, ours = settings.of(course.root), Config()
    with settings.for_a_command():
        configure(ours, course.root)
    settings.resolve_steps(ours)
    plugins = _plugins(found)
    lines = []
    for section, option in _set_by_the_course(found, ours):
        if section not in plugins and not _no_effect(section, option):
            lines.append(f"{settings.CONFIG}: {section}.{option} is set, but {command} does not use it")
        elif unknown := _unknown(plugins.get(section) or _class(section), option):
            lines.append(f"{settings.CONFIG}: {section}.{option} is set, but {unknown}")
    return lines


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


def _unknown(one: type | None, option: str) -> str:
    """The message that the class has no such option; empty if it has, or if the class is unknown."""
    if one is None or not issubclass(one, HasTraits) or option in (names := one.class_trait_names()):
        return ""
    near = difflib.get_close_matches(option, names, 1)
    return f"{one.__name__} has no such option" + (f"; do you mean {near[0]}?" if near else "")


def _class(section: str) -> type | None:
    """nbgrader's or nbconvert's class of this name, among those whose options are used."""
    if section not in _USED:
        return None
    from nbconvert import exporters
    from nbgrader import converters, plugins, preprocessors

    for module in (preprocessors, converters, plugins, exporters):
        if isinstance(found := getattr(module, section, None), type):
            return found
    return None


def _plugins(found: Any) -> dict[str, type]:
    """The classes whose options the course's late plug-in and exporter read, by section."""
    classes = [found[name].get("plugin_class") for name in ("AssignLatePenalties", "ExportApp") if name in found]
    return {base.__name__: one for one in classes if isinstance(one, type) for base in one.__mro__}
