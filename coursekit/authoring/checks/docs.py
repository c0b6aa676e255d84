"""Check links, file names, commands and paths in the docs and in the Markdown cells."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

from coursekit.authoring.checks import commands, markdown
from coursekit.authoring.checks.commands import Commands
from coursekit.authoring.checks.findings import Finding, Source
from coursekit.authoring.checks.markdown import MarkdownPage
from coursekit.model.course import Course

# Files that do not exist in the repository: users create them by following the docs.
MADE_BY_USERS = ("marks.csv",)
_KIND = re.compile(r"(cfg|csv|css|db|h5|html|ipynb|jpg|json|lock|md|pdf|png|py|sh|svg|toml|txt|ya?ml|zip)")
_NAME = re.compile(r"(?:\./)?[\w.-]+(?:/[\w.-]+)*/?")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_MACHINE = re.compile(
    r"file://|(?<![\w./:~>-])/(?:home|Users|root|work|tmp|mnt|media|srv|var|opt|private)/[\w.-]+"
    r"|(?<![\w/])[A-Z]:(?:\\+|/)(?:Users|Windows|Temp|home)\b"
)


@dataclass(frozen=True)
class Text:
    """A page of the docs, or a Markdown cell."""

    where: str
    folders: tuple[Path, ...]  # to which its links are relative
    text: str
    page: MarkdownPage
    anchors: frozenset[str]  # of the whole file

    def at(self, line: int) -> str:
        return self.where if self.where.endswith("]") else f"{self.where}[line {line}]"


def check(course: Course, sources: list[Source], known: Commands | None = None) -> list[Finding]:
    """Findings D4xx of all docs. Commands are compared with the ``known`` ones, if these are given."""
    texts, findings = _pages(course, sources)
    for source in sources:
        texts += _cells(course, source)
        if not (source.path.parent / "requirements.txt").is_file():
            remedy = "write the packages that a student has to install into one"
            findings.append(Finding("D407", f"source/{source.assignment}", "there is no requirements.txt", remedy))
    names, ignored = _names(course), _ignored(course)
    for text in texts:
        findings += [*_links(course, text), *_files(text, names, ignored)]
        if known is not None:
            findings += _commands(text, known)
        for number, line in enumerate(text.text.splitlines(), 1):
            findings += [
                Finding(
                    "D404",
                    text.at(number),
                    f"{found[0]!r} is a path of one computer",
                    "name it from the course directory",
                )
                for found in _MACHINE.finditer(line)
            ]
    return findings


def _pages(course: Course, sources: list[Source]) -> tuple[list[Text], list[Finding]]:
    texts, findings = [], []
    needed = {course.root / "README.md", *(source.path.with_name("README.md") for source in sources)}
    paths = needed.union(*map(course.root.glob, ("*.md", "docs/**/*.md", "source/*/*.md")))
    for path in sorted(paths):
        where = path.relative_to(course.root).as_posix()
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            what = (
                "there is no such page" if isinstance(error, FileNotFoundError) else f"cannot be read ({error})"[:200]
            )
            findings.append(Finding("D406", where, what, "write it, as UTF-8 text"))
            continue
        page = markdown.read(text)
        texts.append(Text(where, _folders(course, path), text, page, page.anchors))
    return texts, findings


def _cells(course: Course, source: Source) -> list[Text]:
    cells = [cell for cell in source.notebook.cells if cell.cell_type == "markdown"]
    pages = [markdown.read(cell.source, mathematics=True) for cell in cells]
    anchors = frozenset(name for page in pages for name in page.anchors)
    folders = _folders(course, source.path)
    return [Text(source.at(cell), folders, cell.source, page, anchors) for cell, page in zip(cells, pages, strict=True)]


def _folders(course: Course, path: Path) -> tuple[Path, ...]:
    """The folders to which links of a file are relative: its own, and that of its release."""
    parts = path.relative_to(course.root).parts
    return (path.parent, course.release(parts[1])) if parts[0] == "source" else (path.parent,)


def _links(course: Course, text: Text) -> Iterator[Finding]:
    for line, href in text.page.links:
        target, _, anchor = unquote(href).partition("#")
        if _SCHEME.match(target) or href.startswith("//"):
            continue  # another site, an attachment; file: is found as an absolute path (D404)
        target = target.partition("?")[0]
        found = [there for folder in text.folders if (there := (folder / target).resolve()).exists()]
        if target and (not found or target.startswith("/") or not found[0].is_relative_to(course.root.resolve())):
            yield Finding("D401", text.at(line), f"the link {href!r} leads nowhere", "fix the link, or add the file")
        elif anchor and anchor not in (_anchors(found[0]) if target else text.anchors):
            yield Finding(
                "D402",
                text.at(line),
                f"there is no heading for the link {href!r}",
                "link to a heading there is",
            )


def _anchors(path: Path) -> frozenset[str] | tuple[str, ...]:
    try:
        return markdown.read(path.read_text(encoding="utf-8-sig")).anchors if path.suffix == ".md" else ()
    except (OSError, UnicodeDecodeError):
        return ()


def _files(text: Text, names: frozenset[str], ignored: tuple[str, ...]) -> Iterator[Finding]:
    """Findings on names in back-ticks that look like files of this repository but do not exist."""
    for line, code in text.page.codes:
        if not _NAME.fullmatch(code) or ".." in code:
            continue  # placeholders, globs, expressions, commands, other sites
        name = code.removeprefix("./").rstrip("/")
        first, slash, _ = name.partition("/")
        stem, _, kind = name.rpartition(".")
        is_kind = bool(stem and _KIND.fullmatch(kind))
        if not is_kind and not (slash and first in names) and not (code.endswith("/") and len(first) > 1):
            continue
        made = name in MADE_BY_USERS or any(fnmatch(part, pattern) for part in name.split("/") for pattern in ignored)
        if name not in names and not made and not any(other.endswith("/" + name) for other in names):
            yield Finding("D403", text.at(line), f"there is no file `{code}`", "fix the name, or add the file")


def _commands(text: Text, known: Commands) -> Iterator[Finding]:
    for line, code in (*text.page.codes, *text.page.blocks):
        for what in commands.unknown(code, known):
            yield Finding("D405", text.at(line), what, "see `./course --help`")


def _names(course: Course) -> frozenset[str]:
    """The paths of all files and folders of the repository, relative to its root."""
    found = []
    for where, folders, names in os.walk(course.root):
        folders[:] = [name for name in folders if name not in (".git", ".venv") and not name.endswith("_cache")]
        inside = Path(where).relative_to(course.root)
        found += [(inside / name).as_posix() for name in (*folders, *names)]
    return frozenset(found)


def _ignored(course: Course) -> tuple[str, ...]:
    try:
        lines = (course.root / ".gitignore").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(line.strip().strip("/") for line in lines if line.strip() and not line.startswith("#"))
