"""A release as one zip file, for where folders cannot be uploaded."""

import hashlib
import io
import zipfile
from pathlib import Path

from coursekit.authoring.release import released_files
from coursekit.model.course import Course
from coursekit.model.errors import CourseError
from coursekit.system import atomic_write

FOLDER = ".coursekit/zips"
_OLDEST = (1980, 1, 1, 0, 0, 0)  # the date of every file in a zip: the same release gives the same bytes


def write(course: Course, assignment: str) -> Path:
    """Write the release as ``<assignment>-<hash of its bytes>.zip``. Earlier zips stay, because links may lead to them.

    The files are in a folder with the assignment's name, uncompressed. Raises CourseError if there is no release.
    """
    release = course.release(assignment)
    names = sorted(released_files(release)) if release.is_dir() else []
    if not names:
        raise CourseError(f"release/{assignment}", "there is no such release", f"run `coursekit release {assignment}`")
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"{assignment}/{name}", _OLDEST)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, (release / name).read_bytes())
    content = data.getvalue()
    path = course.root / FOLDER / f"{assignment}-{hashlib.sha256(content).hexdigest()[:12]}.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.is_file():
        atomic_write.write(path, content)
    return path
