"""Writing figures."""

from __future__ import annotations

import pathlib

import matplotlib

import table

# Labels, titles and names come from people's files: a dollar sign in them is no mathematics.
matplotlib.rcParams["text.parse_math"] = False


def save(figure, path: pathlib.Path) -> None:
    """Replaces the file, PNG, PDF or SVG by its suffix, at once; without a date, so that the same run
    gives the same file. Raises OSError."""
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with table.replacing(path) as partial:
        figure.savefig(partial, dpi=150, format=path.suffix[1:], metadata=undated.get(path.suffix))


def save_both(figure, directory: pathlib.Path, name: str) -> pathlib.Path:
    """Writes NAME.png and NAME.pdf into the directory, and gives the first's path. Raises OSError."""
    for suffix in (".pdf", ".png"):
        save(figure, directory / f"{name}{suffix}")
    return directory / f"{name}.png"
