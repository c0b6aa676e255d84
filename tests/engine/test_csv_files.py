"""CSV files appear whole or not at all, and nothing else than a file is ever replaced."""

import os

import pytest

from coursekit.model.errors import CourseError
from coursekit.reports import csv_files


def test_a_device_is_written_into_and_not_replaced(tmp_path):
    """As root, `--csv /dev/stdout` put a file in the place of the device; here it is a pipe with a name."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with csv_files.writer(pipe) as writer:
        writer.writerow(["zoë", 1])
    assert os.read(reader, 1000) == "zoë,1\r\n".encode()
    os.close(reader)
    assert pipe.is_fifo()


def test_a_link_stays_one_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "marks.csv").symlink_to("real.csv")
    with csv_files.writer(tmp_path / "marks.csv") as writer:
        writer.writerow(["new"])
    assert (tmp_path / "marks.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "new\n"


def test_for_excel_there_is_a_byte_order_mark(tmp_path):
    with csv_files.writer(tmp_path / "marks.csv", excel=True) as writer:
        writer.writerow(["zoë", "学生"])
    assert (tmp_path / "marks.csv").read_bytes() == "\ufeffzoë,学生\r\n".encode()


def test_a_file_that_was_not_finished_does_not_appear(tmp_path):
    with pytest.raises(ZeroDivisionError), csv_files.writer(tmp_path / "marks.csv") as writer:
        writer.writerow([1 / 0])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["missing/marks.csv", "folder"])
def test_what_is_no_place_for_a_file_is_told_before_any_work(tmp_path, name):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CourseError, match="this is no place for a file"):
        csv_files.check(tmp_path / name)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")  # noqa: PTH110
def test_a_full_disk_is_told_with_the_name_of_the_file():
    full = csv_files.Path("/dev/full")
    with (
        pytest.raises(CourseError, match=r"/dev/full: it cannot be written \(No space left"),
        csv_files.writer(full) as file,
    ):
        file.writerow(["x"])
