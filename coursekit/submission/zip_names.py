"""Decodes the names of files in a zip archive.

An archive marks a name as UTF-8, or repeats it in UTF-8 (Info-ZIP's extra field 0x7075), or does neither: then the
bytes are in the code page of the computer that packed it, and the encoding is guessed from the text they would give.
"""

import binascii
import struct
import zipfile
from collections.abc import Iterable, Sequence

from coursekit.model import accents
from coursekit.submission import encoding_plausibility

UTF8_FLAG, UNICODE_PATH = 0x800, 0x7075
# The first one wins if two are equally plausible.
ENCODINGS = ("utf-8", "gb18030", "cp932", "cp949", "big5", "cp1252", "cp437", "cp850", "cp1251", "cp866")
MAX_NAME_CHARS = 1_000  # no file system allows more; longer names are left out
MAX_GUESSED_BYTES = 16_000  # enough to guess the encoding of all; each byte takes ten microseconds


def names(entries: Sequence[zipfile.ZipInfo]) -> list[str | None]:
    """The decoded names of the entries, in Unicode's composed form (NFC), as Windows and Linux write them.

    None for a name that is too long. One program packs a whole archive, so one encoding is guessed for all its names.
    """
    unicode_paths = [_unicode_path(entry) for entry in entries]
    raw = [None if name else _bytes(entry) for entry, name in zip(entries, unicode_paths, strict=True)]
    encoding = _encoding(_first_within_limit([name for name in raw if name is not None and not name.isascii()]))
    found: list[str | None] = []
    for entry, said, name in zip(entries, unicode_paths, raw, strict=True):
        text = said or (entry.filename if name is None else name.decode(encoding, "replace"))
        if len(text) > MAX_NAME_CHARS or len(entry.orig_filename) > MAX_NAME_CHARS:
            found.append(None)
            continue
        found.append(accents.composed(text.partition("\0")[0]))
    return found


def _bytes(entry: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name whose encoding the archive does not state; else None."""
    if entry.flag_bits & UTF8_FLAG or len(entry.orig_filename) > MAX_NAME_CHARS:
        return None
    try:
        return entry.orig_filename.encode("cp437")  # zipfile decoded them with cp437
    except UnicodeEncodeError:
        return None


def _unicode_path(entry: zipfile.ZipInfo) -> str:
    """The name in the extra field 0x7075, if its checksum matches the entry's name; else ""."""
    extra = entry.extra
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        field, extra = extra[4 : 4 + size], extra[4 + size :]
        if kind != UNICODE_PATH:
            continue
        if len(field) < 6 or field[0] != 1:
            break
        try:
            name = entry.orig_filename.encode("utf-8" if entry.flag_bits & UTF8_FLAG else "cp437")
            if struct.unpack_from("<L", field, 1)[0] == binascii.crc32(name):
                return field[5:].decode("utf-8")
        except (UnicodeEncodeError, UnicodeDecodeError):
            pass
        break  # there is at most one; a thousand checksums would take long
    return ""


def _first_within_limit(raw: Iterable[bytes]) -> list[bytes]:
    """The first of these names, up to MAX_GUESSED_BYTES."""
    left, found = MAX_GUESSED_BYTES, []
    for name in raw:
        left -= len(name)
        if left < 0:
            break
        found.append(name)
    return found


def _encoding(raw: Sequence[bytes]) -> str:
    """The encoding that can decode all of these names and gives the most plausible text."""
    best, most = "cp437", float("-inf")
    for encoding in ENCODINGS:
        try:
            texts = [name.decode(encoding) for name in raw]
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return encoding  # text in another encoding is hardly ever valid UTF-8
        sense = encoding_plausibility.sense(texts, encoding)
        if sense > most:
            best, most = encoding, sense
    return best
