"""Writing figures."""

from __future__ import annotations

import pathlib
import textwrap

import matplotlib

import behaviour
import table

# Labels, titles and names come from people's files: a dollar sign in them is no mathematics.
matplotlib.rcParams["text.parse_math"] = False


def save(figure, path: pathlib.Path) -> None:
    """Replaces the file, PNG, PDF or SVG by its suffix, at once; without a date, so that the same run
    gives the same file. Raises OSError."""
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    with table.replacing(path) as partial:
        figure.savefig(partial, dpi=150, format=path.suffix[1:], metadata=undated.get(path.suffix))


def footnote(cut: str, text: str, width: int) -> list[str]:
    """Lines of `width` characters under a figure: what of the whole experiment was cut, if anything, and
    `text`."""
    return [line for part in (cut and behaviour.extent_of(cut), text) for line in textwrap.wrap(part, width)]


def save_both(figure, directory: pathlib.Path, name: str) -> pathlib.Path:
    """Writes NAME.png and NAME.pdf into the directory, and gives the first's path. Raises OSError."""
    for suffix in (".pdf", ".png"):
        save(figure, directory / f"{name}{suffix}")
    return directory / f"{name}.png"
