"""The summary page of several runs: all targets on one axis, normalised to each one's band.

On the axis 0 and 1 are the edges of the band. Where the band has one edge alone, the unit is the
size of that edge; where that is zero (only the sign is asked for), twice the size of the mean: the
mean then stands half a unit inside or outside, and its bar says how sure the sign is.
"""

from __future__ import annotations

import math
import pathlib
import textwrap

import matplotlib.lines
import matplotlib.patches
import matplotlib.pyplot as plt

import table
from figure import save_both, set_style

# Verdict: colour (Paul Tol's high-contrast scheme), marker and words of the legend.
STYLES = {"in": ("#004488", "o", "in its band"), "out": ("#BB5566", "X", "out of its band")}
PEOPLE, BAND, WEAK = "black", "#E4E4E4", "0.45"
LEFT, RIGHT = -1.5, 2.5  # of the axis, in widths of a band
WIDTH, ROW, HEAD = 13.33, 0.255, 1.35  # inches: page, row, title with legend
SIZE = 11  # points
AXIS_LEFT, AXIS_WIDTH = 0.39, 0.28  # of the page's width
NAME, DESCRIPTION, VALUE, HUMAN = 0.012, 0.112, 0.685, 0.85  # where columns of text begin, likewise


def normaliser(target: dict, mean: float):
    """The function from a target's unit to the axis (module's text); None without a band."""
    if "band" not in target:
        return None
    low, high = target["band"]
    if math.isfinite(low) and math.isfinite(high):
        return lambda value: (value - low) / (high - low)
    edge, place = (low, 0.0) if math.isfinite(low) else (high, 1.0)
    unit = abs(edge) or 2.0 * abs(mean) or 1.0
    return lambda value: place + (value - edge) / unit


def rows_of(results: list) -> list:
    """Themes (str) and the results under each, as the page lists them from above."""
    themes: dict[str, list] = {}
    for result in results:
        themes.setdefault(result.target["theme"], []).append(result)
    return [row for theme, members in themes.items() for row in (theme, *members)]


def draw(results: list, count: str, notes: list[str]) -> plt.Figure:
    """The page. `results` are those of score.evaluate; `count` stands below the title, `notes` (n,
    scale and what was cut of each run) at the foot."""
    set_style(SIZE, {"font.family": "DejaVu Sans"})
    rows = rows_of(results)
    lines = [line for note in notes for line in textwrap.wrap(note, 150)]
    foot = 0.75 + 0.185 * len(lines)
    height = HEAD + ROW * len(rows) + foot
    figure = plt.figure(figsize=(WIDTH, height))
    axes = figure.add_axes((AXIS_LEFT, foot / height, AXIS_WIDTH,
                            ROW * len(rows) / height))
    axes.set(xlim=(LEFT, RIGHT), ylim=(len(rows) - 0.5, -0.5), yticks=[], xticks=[-1, 0, 1, 2])
    axes.set_xlabel("0 and 1: the edges of the band", labelpad=2)
    axes.spines["left"].set_visible(False)
    for y, row in enumerate(rows):
        if isinstance(row, str):
            write(axes, NAME, y, row, fontweight="bold")
        else:
            draw_row(axes, y, row)
    for x, text in ((VALUE, "model ± SEM (n)"), (HUMAN, "people [95 % CI]")):
        write(axes, x, -1.0, text, fontweight="bold")
    figure.text(0.012, 1 - 0.15 / height, "Quartet beside people", fontsize=19, va="top",
                fontweight="bold")
    figure.text(0.012, 1 - 0.55 / height, count, fontsize=13, va="top")
    figure.text(0.012, 0.1 / height, "\n".join(lines), fontsize=SIZE, color="0.2", va="bottom",
                parse_math=False)
    line = lambda **style: matplotlib.lines.Line2D([], [], linestyle="none", markersize=8, **style)
    handles = [line(color=tint, marker=marker, label=f"{text}, ± SEM")
               for tint, marker, text in STYLES.values()]
    handles += [line(color=PEOPLE, marker="D", markerfacecolor="white", label="people, 95 % CI"),
                matplotlib.patches.Patch(color=BAND, label="band"),
                line(color=WEAK, marker="$>$", label="beyond the axis")]
    figure.legend(handles=handles, loc="upper left", ncol=5, frameon=False, handletextpad=0.4,
                  bbox_to_anchor=(0.003, 1 - 0.76 / height))
    return figure


def draw_row(axes, y: int, result) -> None:
    target, mean = result.target, result.mean
    star = "*" if target.get("tuned", False) else ""
    write(axes, NAME, y, target["id"] + star, color=WEAK, fontsize=SIZE - 2)
    write(axes, DESCRIPTION, y, target["description"])
    ci = "" if "ci95" not in target else " [{:.3g}, {:.3g}]".format(*target["ci95"])
    human = f"{target['human']:.3g}{ci}" if "human" in target else target.get("sign", "–")
    write(axes, HUMAN, y, human)
    if math.isnan(mean):
        write(axes, VALUE, y, result.verdict.partition(":")[0], color=WEAK)
    else:
        write(axes, VALUE, y, f"{table.number(mean, result.sem)} ({result.n_alone})")
    place = normaliser(target, 0.0 if math.isnan(mean) else mean)
    if place is None:
        return
    low, high = (min(max(place(edge), LEFT), RIGHT) for edge in target["band"])
    axes.barh(y, high - low, left=low, height=0.8, color=BAND, zorder=0)
    if "human" in target:
        if "ci95" in target:
            axes.plot([place(edge) for edge in target["ci95"]], [y - 0.2] * 2, color=PEOPLE,
                      linewidth=1.2, zorder=2)
        axes.plot(place(target["human"]), y - 0.2, "D", color=PEOPLE, markerfacecolor="white",
                  markersize=5, zorder=3)
    if result.verdict not in STYLES:
        return
    tint, marker, _ = STYLES[result.verdict]
    x = place(mean)
    if not LEFT <= x <= RIGHT:
        edge, marker = (LEFT + 0.08, "<") if x < LEFT else (RIGHT - 0.08, ">")
        axes.plot(edge, y, marker, color=tint, markersize=8, zorder=4, gid=target["id"])
        return
    if not math.isnan(result.sem):
        axes.plot([place(mean - result.sem), place(mean + result.sem)], [y, y], color=tint,
                  linewidth=2.0, zorder=3)
    axes.plot(x, y, marker, color=tint, markersize=9, markeredgecolor="white", zorder=4,
              gid=target["id"])


def write(axes, x: float, y: float, text: str, **style) -> None:
    """Text in row y that begins at x, as part of the page's width."""
    axes.text((x - AXIS_LEFT) / AXIS_WIDTH, y, text, transform=axes.get_yaxis_transform(),
              va="center", parse_math=False, **{"fontsize": SIZE} | style)


def save(figure: plt.Figure, directory: pathlib.Path, name: str = "summary") -> None:
    """Writes NAME.png and NAME.pdf. Raises OSError."""
    save_both(figure, directory, name)
    plt.close(figure)
