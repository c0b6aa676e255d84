"""The first cell with imports says in one reading what is missing beside the notebook, and which packages are."""

import json
import re
import subprocess
import sys

import pytest

from coursekit.model.course import find_course
from tests.classroom import put_trusted_files, text

COURSE = find_course()
# Runs a cell in IPython in an empty folder, where some packages are not to be found.
ALONE = """\
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in {gone!r} else find(name, *rest)
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
sys.path[:] = ["", *(folder for folder in sys.path if folder != {root!r})]  # where coursekit is installed from
for cell in {cells!r}:
    shell.run_cell(cell)
"""


def imports(assignment):
    source = json.loads(COURSE.source(assignment).read_text(encoding="utf-8"))
    return next(text(cell) for cell in source["cells"] if cell["id"] == "imports")


def said(cells, folder, gone=()):
    command = [sys.executable, "-c", ALONE.format(cells=cells, gone=set(gone), root=str(COURSE.root))]
    output = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return re.sub(r"\x1b\[[0-9;]*m", "", output)


def modules(assignment):
    """Modules and packages that lie beside the notebook."""
    return sorted({name.split("/")[0] for name in COURSE.trusted_files(assignment) if name.endswith(".py")})


@pytest.mark.parametrize("assignment", COURSE.assignments())
def test_a_notebook_without_its_folder_says_which_files_it_needs(tmp_path, assignment):
    """In Colab and VS Code it was: No module named 'testCases'."""
    output = said([imports(assignment)], tmp_path)

    (line,) = [
        line for line in output.splitlines() if line.startswith("ModuleNotFoundError: Not beside this notebook: ")
    ]
    assert line.removeprefix("ModuleNotFoundError: Not beside this notebook: ").partition(". ")[0].split(
        ", "
    ) == modules(assignment)
    assert "in Colab upload them" in line


def test_in_its_folder_it_says_nothing(tmp_path):
    put_trusted_files(COURSE, "step-by-step", tmp_path)
    assert said([imports("step-by-step")], tmp_path) == ""


def test_a_package_that_is_not_installed_is_told_with_the_way_to_install_it(tmp_path):
    put_trusted_files(COURSE, "digits", tmp_path)
    output = said([imports("digits")], tmp_path, gone=["h5py"])
    assert "ModuleNotFoundError: Run `%pip install h5py` in a cell, then this one again." in output
    assert str(tmp_path) not in output


def test_without_h5py_no_frame_of_ours_is_shown(tmp_path):
    put_trusted_files(COURSE, "digits", tmp_path)
    output = said(["import dnn_utils", "dnn_utils.load_digits()"], tmp_path, gone=["h5py"])
    assert output.startswith("DataFileError: datasets/")
    assert "%pip install h5py" in output
    assert len(output.splitlines()) <= 3
    assert "Traceback" not in output
