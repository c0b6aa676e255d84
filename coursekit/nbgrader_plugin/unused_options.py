"""Find options that a course's configuration sets and grading does not use, to warn the instructor."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
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
_STEPS = ("sanitize_preprocessors", "autograde_preprocessors")  # of Autograde
# Used by ``nbgrader autograde`` beside those of ``coursekit grade``, which has options of its own for them.
_OF_AUTOGRADE = frozenset({"force", "create_student", "permissions"})
_USED_BY_AUTOGRADE = {
    "Autograde": _OF_AUTOGRADE,
    "BaseConverter": _OF_AUTOGRADE,
    "CourseDirectory": _COURSE_DIRECTORY
    | {"assignment_id", "student_id", "student_id_exclude", "notebook_id", "groupshared"},
}


def messages(
    course: Course, command: str = "coursekit grade", used: Mapping[str, Collection[str]] = MappingProxyType({})
) -> list[str]:
    """A message for each option that the course sets and grading ignores; ``used``: more options that it uses."""
    found, ours = settings.of(course.root), Config()
    with settings.for_a_command():
        configure(ours, course.root)
    settings.resolve_steps(ours)
    plugins = _plugins(found)
    lines: list[str] = []
    for section, option in _set_beside(ours, found):
        if option in used.get(section, ()):
            continue
        if section == "Autograde" and option in _STEPS:
            lines += (f"{section}.{option} has the step {step}, but {command} does not run it"
                      for step in _ignored(found[section][option], ours[section][option]))  # fmt: skip
        elif section not in plugins and not _no_effect(section, option):
            lines.append(f"{section}.{option} is set, but {command} does not use it")
        elif unknown := _unknown(plugins.get(section) or _class(section), option):
            lines.append(f"{section}.{option} is set, but {unknown}")
    return [f"{settings.CONFIG}: {line}" for line in lines]


def messages_of_autograde(course: Course, config: Config) -> list[str]:
    """The messages for ``nbgrader autograde``, whose options from all files and the command line are ``config``."""
    from nbgrader import plugins, preprocessors

    command = "nbgrader autograde"
    settings.resolve_steps(config)  # to compare it with the course's
    given = [
        f"the option {section}.{option} is given, but {command} does not use it; {settings.CONFIG} is the place for it"
        if section in _USED
        else f"the option {section}.{option} is given, but {command} does not use it"
        for section, option in _set_beside(settings.of(course.root), config)
        if option not in _USED_BY_AUTOGRADE.get(section, ())
        and (section in _USED_BY_AUTOGRADE or hasattr(preprocessors, section) or hasattr(plugins, section))
    ]
    return [*messages(course, command, _USED_BY_AUTOGRADE), *given]


def _set_beside(usual: Any, found: Any) -> Iterator[tuple[str, str]]:
    """The sections and options of ``found`` that are not in ``usual``, or have another value there."""
    for section in sorted(found):
        if isinstance(found[section], Config):
            for option, value in sorted(found[section].items()):
                before = usual.get(section, {})
                if option not in before or _comparable(before[option]) != _comparable(value):
                    yield section, option


def _comparable(value: Any) -> Any:
    """The value; a class or function by its name, because each reading of the configuration makes it anew."""
    if isinstance(value, list):
        return [_comparable(one) for one in value]
    return f"{value.__module__}.{value.__qualname__}" if hasattr(value, "__qualname__") else value


def _ignored(steps: Any, ours: Sequence[type]) -> Iterator[str]:
    """The steps that the course has added to nbgrader's, by name; not a subclass that assigns late penalties."""
    from nbgrader.preprocessors import AssignLatePenalties

    for step in steps if isinstance(steps, list) else ():
        if not (step in ours or (isinstance(step, type) and issubclass(step, AssignLatePenalties))):
            yield step.__name__ if isinstance(step, type) else repr(step)


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
