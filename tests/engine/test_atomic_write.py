"""A file is the earlier one or the new one, for whoever reads it and whenever the writer is stopped."""

import stat

import pytest

from coursekit.system import atomic_write


def permissions(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_permissions_that_the_user_gives_new_files(tmp_path):
    (tmp_path / "other").touch()
    atomic_write.write(tmp_path / "new", b"text")
    assert (tmp_path / "new").read_bytes() == b"text"
    assert permissions(tmp_path / "new") == permissions(tmp_path / "other")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444], ids=oct)
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    """A table of marks that was private stays so."""
    path = tmp_path / "marks.csv"
    path.write_bytes(b"old")
    path.chmod(mode)
    atomic_write.write(path, b"new")
    assert (path.read_bytes(), permissions(path)) == (b"new", mode)


def test_nobody_reads_the_new_contents_of_a_private_file_while_it_is_written(tmp_path):
    path = tmp_path / "marks.csv"
    path.touch(0o600)
    with atomic_write.replacing(path) as part:
        assert permissions(part) == 0o600


def test_until_the_block_ends_the_earlier_file_is_there(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with atomic_write.replacing(path) as part:
        part.write_bytes(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_a_writer_that_fails_leaves_the_earlier_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def stopped() -> None:
        with atomic_write.replacing(path) as part:
            part.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        stopped()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    """With one temporary name for both, one renamed what the other had half written."""
    path = tmp_path / "file"
    with atomic_write.replacing(path) as one:
        one.write_bytes(b"one")
        with atomic_write.replacing(path) as other:
            other.write_bytes(b"other")
        assert path.read_bytes() == b"other"
    assert path.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_name_that_a_file_can_have_is_written(tmp_path):
    path = tmp_path / ("学" * 85)
    atomic_write.write(path, b"text")
    assert path.read_bytes() == b"text"
