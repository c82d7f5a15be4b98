"""How figures look, and writing them."""

from __future__ import annotations

import pathlib
import textwrap

import matplotlib

import behaviour
import table

matplotlib.use("Agg")  # files alone, no window
# Labels, titles and names come from people's files: a dollar sign in them is no mathematics.
matplotlib.rcParams["text.parse_math"] = False


def set_style(size: float, others: dict | None = None) -> None:
    """Of the figure that is drawn next: text of `size` points, no frame above and on the right, letters in
    PDF that can be edited, and `others` of rcParams."""
    matplotlib.rcParams.update({
        "font.size": size, "axes.spines.top": False, "axes.spines.right": False, "pdf.fonttype": 42,
        "svg.hashsalt": "quartet",  # else no two files of one run are alike
    } | (others or {}))


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
