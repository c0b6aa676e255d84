"""The files in a zip archive, read in memory and within limits of size, number and compression ratio."""

import io
import lzma
import stat
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath

from coursekit.model.errors import CourseError
from coursekit.submission import zip_names
from coursekit.submission.folders import Item, is_junk

SIGNATURE = b"PK\x03\x04"
MAX_ARCHIVE_BYTES, MAX_ENTRIES, MAX_RATIO = 50 << 20, 2_000, 200
_SUSPICIOUS_BYTES = 1 << 20  # smaller files are not suspicious at any ratio
_MAX_DIRECTORY_BYTES = 4 << 20  # zipfile reads the whole central directory before it counts the entries
MAX_EXTRA_BYTES, _MAX_EXTRA_ALTOGETHER = 4_000, 1 << 20  # per entry and in total: times, owners, a Unicode name
_ANEW = "pack only the notebook into an ordinary .zip, or hand in the .ipynb file itself"


def files_in(data: bytes, name: str) -> tuple[Item, ...]:
    """The files in the archive, without junk. Raises CourseError, in words for the student."""
    _check_directory(data, name)
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError, IndexError) as error:
        raise CourseError(name, f"a damaged archive ({error})", _ANEW) from None
    if len(entries) > MAX_ENTRIES:
        raise CourseError(name, f"an archive of {len(entries)} files, more than {MAX_ENTRIES}", _ANEW)
    items, refused, long = [], False, False
    for entry, called in zip(entries, zip_names.names(entries), strict=True):
        path = _inside(called) if called is not None else None
        long = long or called is None
        if path is not None and entry.is_dir():  # is_dir needs a name: it looks at the last letter
            continue
        if path is None or stat.S_ISLNK(entry.external_attr >> 16):
            refused = True
        elif not is_junk(path):
            read = _reader(archive, entry)
            items.append(Item(path, entry.file_size, _time(entry), read, name, entry.compress_size))
    if long and not items:
        most = f"{zip_names.MAX_NAME_CHARS:,}"
        raise CourseError(name, f"all that is in it are links, or names longer than {most} letters", _ANEW)
    if refused and not items:
        raise CourseError(name, "all that is in it are links, or names that lead out of it", _ANEW)
    return tuple(items)


def _check_directory(data: bytes, name: str) -> None:
    end = data.rfind(b"PK\x05\x06")
    if len(data) > MAX_ARCHIVE_BYTES:
        raise CourseError(name, f"an archive larger than {MAX_ARCHIVE_BYTES >> 20} MiB", _ANEW)
    if end < 0 or end + 22 > len(data):
        raise CourseError(name, "this is no zip archive, or one that breaks off in the middle", _ANEW)
    entries, size = struct.unpack_from("<HL", data, end + 10)
    large = size > _MAX_DIRECTORY_BYTES or data[end - 20 : end - 16] == b"PK\x06\x07"
    if large or entries > MAX_ENTRIES:
        raise CourseError(name, f"an archive of more than {MAX_ENTRIES} files", _ANEW)
    _check_extra_fields(data[max(end - size, 0) : end], name)


def _check_extra_fields(table: bytes, name: str) -> None:
    """Refuse entries with many extra fields: zipfile takes time quadratic in their number."""
    at = altogether = 0
    while table.startswith(b"PK\1\2", at) and at + 46 <= len(table):  # the entry count in the file may be wrong
        lengths = struct.unpack_from("<HHH", table, at + 28)
        altogether += lengths[1]
        if lengths[1] > MAX_EXTRA_BYTES or altogether > _MAX_EXTRA_ALTOGETHER:
            raise CourseError(name, "an archive with too many extra fields in its table of contents", _ANEW)
        at += 46 + sum(lengths)


def _inside(name: str) -> PurePosixPath | None:
    """The entry's path below the archive's top, or None for one that leads out of it."""
    name = name.replace("\\", "/")
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
        return None
    return path


def _time(entry: zipfile.ZipInfo) -> float:
    try:
        return time.mktime((*entry.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        if entry.flag_bits & 1:
            raise OSError(0, "it asks for a password")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise OSError(0, "it is packed in a way that is not supported")
        if entry.file_size > max(_SUSPICIOUS_BYTES, MAX_RATIO * entry.compress_size):
            raise OSError(0, f"it unpacks to more than {MAX_RATIO} times its size")
        try:
            with archive.open(entry) as file:
                return file.read(limit + 1)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError):
            raise OSError(0, "it is damaged") from None

    return read
