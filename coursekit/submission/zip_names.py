"""The name of a file in a zip archive, whatever program has packed it.

An archive says "UTF-8", or gives the name once more in UTF-8 (Info-ZIP's extra field 0x7075), or says nothing: then
the bytes are in the code page of the packer's computer, and the encoding is guessed from what they would spell.
"""

import binascii
import struct
import zipfile
from collections.abc import Iterable, Sequence

from coursekit.model import accents
from coursekit.submission import encoding_plausibility

UTF8_FLAG, UNICODE_PATH = 0x800, 0x7075
# In the order in which they are believed where two spell names that are equally likely.
ENCODINGS = ("utf-8", "gb18030", "cp932", "cp949", "big5", "cp1252", "cp437", "cp850", "cp1251", "cp866")
MAX_NAME_CHARS = 1_000  # more fits on no disk, and is left out
MAX_GUESSED_BYTES = 16_000  # so much of the names tells the encoding of all; each byte takes ten microseconds


def names(entries: Sequence[zipfile.ZipInfo]) -> list[str | None]:
    """The names of the entries as whoever packed them saw them; accents in one piece, as Windows and Linux write them.

    None for a name that is too long.

    One program packs a whole archive, so all its names that need a guess are guessed to be in one encoding.
    """
    told = [_told(entry) for entry in entries]
    raw = [None if name else _bytes(entry) for entry, name in zip(entries, told, strict=True)]
    encoding = _encoding(_some([name for name in raw if name is not None and not name.isascii()]))
    found: list[str | None] = []
    for entry, said, name in zip(entries, told, raw, strict=True):
        text = said or (entry.filename if name is None else name.decode(encoding, "replace"))
        if len(text) > MAX_NAME_CHARS or len(entry.orig_filename) > MAX_NAME_CHARS:
            found.append(None)
            continue
        found.append(accents.composed(text.partition("\0")[0]))
    return found


def _bytes(entry: zipfile.ZipInfo) -> bytes | None:
    """The bytes of a name of which the archive does not say how they are to be read."""
    if entry.flag_bits & UTF8_FLAG or len(entry.orig_filename) > MAX_NAME_CHARS:
        return None
    try:
        return entry.orig_filename.encode("cp437")  # as zipfile has decoded them
    except UnicodeEncodeError:
        return None


def _told(entry: zipfile.ZipInfo) -> str:
    """The name out of the extra field for it, if it is the name of this entry still: its check sum says so."""
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
        break  # there is one at most; a check sum for each of a thousand would take its time
    return ""


def _some(raw: Iterable[bytes]) -> list[bytes]:
    """The first of these, as far as there is time for them."""
    left, found = MAX_GUESSED_BYTES, []
    for name in raw:
        left -= len(name)
        if left < 0:
            break
        found.append(name)
    return found


def _encoding(raw: Sequence[bytes]) -> str:
    """The encoding in which all of these names can be read, and make the most sense."""
    best, most = "cp437", float("-inf")
    for encoding in ENCODINGS:
        try:
            texts = [name.decode(encoding) for name in raw]
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return encoding  # by chance no other text is valid UTF-8
        sense = encoding_plausibility.sense(texts, encoding)
        if sense > most:
            best, most = encoding, sense
    return best
