"""That an analysis says what a run leaves out, for the tests of every script that draws."""

import contextlib
import io
import pathlib
import unittest
from unittest import mock

import matplotlib.text
import netCDF4

EXTENT = "not the whole experiment: 1 of 2 groups\n"


def assert_extent_is_said(test: unittest.TestCase, script, run: pathlib.Path, table: str) -> None:
    """Above what the script's table begins with, and in its figure."""
    with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
        file.cut = "1 of 2 groups"
    out = io.StringIO()
    with mock.patch.object(script, "save_both") as saved, contextlib.redirect_stdout(out):
        script.main([str(run)])
    test.assertTrue(out.getvalue().startswith(f"{EXTENT}\n{table}"), out.getvalue())
    figure = saved.call_args.args[0]
    test.addCleanup(script.plt.close, figure)
    test.assertTrue(any(text.get_text().startswith(EXTENT) for text in figure.findobj(matplotlib.text.Text)))
