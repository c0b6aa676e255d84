"""A receipt tells why work is out of date; receipts of earlier versions are read."""

import json

import pytest

from coursekit.grading import agenda, fingerprints, receipts
from coursekit.grading.fingerprints import Fingerprint
from coursekit.grading.options import Again
from coursekit.grading.receipts import Standing
from coursekit.model.course import Course

NOW = Fingerprint("files", "assignment", "grader")
OLD = {"fingerprint": "one hash of everything", "notebook": "…", "entries": "…", "experiments": False}


@pytest.fixture
def graded(tmp_path):
    """A course with one graded submission, of anna, up to date."""
    course = Course(tmp_path)
    folder = course.autograded("a", "anna")
    folder.mkdir(parents=True)
    (folder / "a.ipynb").write_bytes(b"{}")
    receipts.write(folder, NOW, fingerprints.of_bytes(b"{}"), "entries")
    return course


def standing(course, wanted=NOW, entered="entries", experiments=False):
    entries = {} if entered is None else {"anna": entered}
    return receipts.standings(course, "a", {"anna": wanted}, entries, experiments)["anna"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (NOW, Standing.UP_TO_DATE),
        (Fingerprint("other files", "assignment", "grader"), Standing.SUBMISSION),
        (Fingerprint("", "assignment", "grader"), Standing.SUBMISSION),
        (Fingerprint("files", "another assignment", "grader"), Standing.ASSIGNMENT),
        (Fingerprint("files", "assignment", "another grader"), Standing.GRADER),
        (Fingerprint("files", "another assignment", "another grader"), Standing.GRADER),
        (Fingerprint("other files", "assignment", "another grader"), Standing.SUBMISSION),
    ],
)
def test_the_part_that_changed_is_named(graded, wanted, found):
    """A submission that its student changed is new work; else another grader comes first, whatever else changed."""
    assert standing(graded, wanted) is found


def test_a_result_that_is_not_that_of_the_receipt_is_graded_again(graded):
    assert standing(graded, entered="other entries") is Standing.UNKNOWN
    assert standing(graded, entered=None) is Standing.UNKNOWN
    assert standing(graded, experiments=True) is Standing.ASSIGNMENT
    (graded.autograded("a", "anna") / "a.ipynb").write_bytes(b"[]")
    assert standing(graded) is Standing.UNKNOWN
    (graded.autograded("a", "anna") / "a.ipynb").unlink()
    assert standing(graded) is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (json.dumps(OLD), Standing.GRADER),
        (json.dumps({"format": 99, "proof": "?"}), Standing.GRADER),
        ("[]", Standing.UNKNOWN),
        ("{}", Standing.UNKNOWN),
        ('{"format": 2, "submission": "files"}', Standing.UNKNOWN),
        (json.dumps(OLD)[:-9], Standing.UNKNOWN),
    ],
)
def test_receipts_of_other_versions_count_and_damaged_ones_do_not(graded, text, found):
    (graded.autograded("a", "anna") / receipts.NAME).write_text(text)
    assert standing(graded) is found


def test_work_is_sorted_by_its_standing():
    """What another version graded is tried first; what was returned is left alone; options say otherwise."""
    standings = {name: Standing[name.upper()] for name in ("up_to_date", "grader", "submission", "unknown")}
    back = {"submission", "up_to_date"}
    usual = agenda.of(standings, back, Again())
    assert (usual.unchanged, usual.waiting, usual.tried) == ((), ("grader", "unknown"), {"grader"})
    assert (usual.returned, usual.handed_in_again) == (("submission", "up_to_date"), {"submission"})
    forced = agenda.of(standings, back, Again(force=True))
    assert (forced.returned, forced.waiting, forced.tried) == (usual.returned, usual.waiting, frozenset())
    everything = agenda.of(standings, back, Again(returned=True))
    assert everything.unchanged == ("up_to_date",)
    assert everything.waiting == ("grader", "submission", "unknown")
    assert (everything.returned, everything.tried) == ((), {"grader"})
    assert agenda.of(standings, (), Again(accept=True)).tried == frozenset()
