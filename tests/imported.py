"""What commands and their tests import: see tests/commands.py."""
# ruff: noqa: F401

import sqlite3

import nbgrader.converters
import nbgrader.plugins
import py_landlock
import pyseccomp
import sqlalchemy.dialects.sqlite
from typer.testing import CliRunner

import coursekit.authoring.checks
import coursekit.authoring.recording
import coursekit.authoring.release
import coursekit.authoring.release_zip
import coursekit.cli.progress
import coursekit.config
import coursekit.feedback.exporter
import coursekit.feedback.generation
import coursekit.grading.grade
import coursekit.grading.regrading
import coursekit.nbgrader_plugin.preprocessors
import coursekit.nbgrader_plugin.unused_options
import coursekit.reports.class_report
import coursekit.reports.marks_table
from coursekit.cli.app import app

CliRunner().invoke(app, ["marks", "--help"])  # Typer imports what it needs when it is called
