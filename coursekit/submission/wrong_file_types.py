"""Recognises files that are no notebooks, and says what the student can do."""

import re
from pathlib import PurePosixPath

DOWNLOAD = "open the notebook in JupyterLab, choose File > Download, and hand in the .ipynb file that you get"
_UNPACK = "hand in the notebook itself, or pack it as a .zip"
_KINDS = (
    # (ends of the name, first bytes, what it is, what to do)
    ((".pdf",), b"%PDF", "a PDF", DOWNLOAD),
    ((".html", ".htm", ".xhtml", ".mhtml"), b"<!DOCTYPE", "a web page", DOWNLOAD),
    ((".docx", ".doc", ".odt", ".rtf", ".pages"), b"\xd0\xcf\x11\xe0", "a text document", DOWNLOAD),
    ((".tar.gz", ".tgz", ".tar", ".gz", ".bz2", ".xz", ".zst"), b"\x1f\x8b", "a kind of archive that is not opened",
     _UNPACK),
    ((".rar",), b"Rar!", "a kind of archive that is not opened", _UNPACK),
    ((".7z",), b"7z\xbc\xaf", "a kind of archive that is not opened", _UNPACK),
    ((".png",), b"\x89PNG", "a picture", DOWNLOAD),
    ((".jpg", ".jpeg", ".heic", ".gif"), b"\xff\xd8\xff", "a picture", DOWNLOAD),
    ((".crdownload", ".part", ".download", ".tmp"), b"", "a download that did not end", DOWNLOAD),
    ((".lnk", ".url", ".webloc", ".gdoc", ".desktop"), b"version https://git-lfs", "only a pointer to a file",
     "hand in the file that it points to"),
    ((".py",), b"", "a Python file", DOWNLOAD),
    ((".md", ".txt", ".csv", ".tex"), b"", "a text file", DOWNLOAD),
)  # fmt: skip
_EXPORT = re.compile(rb"(?m)^# (In\[[ \d]*\]:|%%|\+)")  # nbconvert's, VS Code's and jupytext's marks between cells
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


def kind(path: PurePosixPath) -> tuple[str, str]:
    """The type of a file by its name, in words ("" if unknown), and what to do instead."""
    name = path.name.lower()
    return next(((what, remedy) for ends, _, what, remedy in _KINDS if name.endswith(ends)), ("", DOWNLOAD))


def content(data: bytes) -> tuple[str, str]:
    """The type of a file by its content, in words ("" if unknown), and what to do instead."""
    start = data[:4096]
    if _PAGE.match(start):
        return "a web page (perhaps that of a log-in)", DOWNLOAD
    if _EXPORT.search(start) or re.match(rb"\s*(import|from|def) ", start):
        return "Python code, not the notebook", DOWNLOAD
    return next(((what, remedy) for _, first, what, remedy in _KINDS if first and start.startswith(first)), ("", ""))
