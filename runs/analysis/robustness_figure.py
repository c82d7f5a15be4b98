"""The figure of robustness.py: targets under all variants beside their bands, and dose curves."""

from __future__ import annotations

import math
import textwrap

import matplotlib.lines
import matplotlib.patches
import matplotlib.pyplot as plt
import numpy as np

import readouts
import score
import summary
import table
from figure import set_style

# Part: colour (Paul Tol's high-contrast scheme), shift within a row, words of the legend.
STYLES = {"seeds": ("#004488", -0.22, "seeds"), "scales": ("#BB5566", 0.0, "scales"),
          "rates": ("#DDAA33", 0.22, "learning rates")}
TEACHERS = ("#004488", "#BB5566", "#DDAA33")  # read-outs of the dose curves
VERDICTS = {"holds": "#004488", "fails": "#BB5566"}
GREY, LABEL = "0.45", "0.25"
WIDTH, HEAD, ROW, PANEL, FOOT = 13.33, 0.75, 0.3, 1.75, 0.55  # inches
LEFT, RIGHT = -1.0, 2.0  # of the targets' axis, in widths of a band


def draw(rows: list, doses: list[dict], settings: dict) -> plt.Figure:
    """Blocks from above: targets, falsifiers, dose curves; each only where there is some of it."""
    set_style(11, {"font.family": "DejaVu Sans"})
    varied = [r for r in rows if r.part in STYLES]
    targets = list(dict.fromkeys(r.result.target["id"] for r in varied))
    falsifiers = [r for r in rows if r.part == "falsifiers"]
    curves = list(dict.fromkeys(r["readout"] for r in doses))
    titles = {name: lesion["what"] for name, lesion in settings["variants"].get("doses", {}).items()}
    heights = [(0.9 + ROW * len(targets)) if targets else 0.0,
               (0.75 + ROW * len(falsifiers)) if falsifiers else 0.0,
               (0.8 + PANEL * len(curves)) if curves else 0.0]
    height = HEAD + sum(heights) + FOOT
    figure = plt.figure(figsize=(WIDTH, height))
    figure.text(0.012, 1 - 0.15 / height, "Robustness", fontsize=19, va="top", fontweight="bold")
    figure.text(0.012, 0.12 / height, f"brain.scale {settings['scale']:g} but where it is varied. Means "
                "(± SEM) over subjects (n), of seeds that nothing was tuned on.", fontsize=10,
                color=LABEL)
    top = height - HEAD
    for block, size, what in zip((_targets, _falsifiers, _doses), heights,
                                 (varied, falsifiers, (doses, titles))):
        if size:
            block(figure, top, height, what)
        top -= size
    return figure


def _targets(figure, top: float, height: float, rows: list) -> None:
    names = list(dict.fromkeys(r.result.target["id"] for r in rows))
    bottom = top - 0.35 - ROW * len(names)
    axes = figure.add_axes((0.4, bottom / height, 0.37, ROW * len(names) / height))
    axes.set(xlim=(LEFT, RIGHT), ylim=(len(names) - 0.5, -0.5), yticks=[], xticks=[-1, 0, 1, 2])
    axes.set_xlabel("0 and 1: the edges of the band", labelpad=2, fontsize=10)
    axes.spines["left"].set_visible(False)
    beside = lambda x, y, text, **style: axes.text(
        (x - 0.4) / 0.37, y, text, transform=axes.get_yaxis_transform(), va="center",
        parse_math=False, **style)
    beside(0.79, -0.85, "in band: " + ", ".join(
        STYLES[part][2] for part in STYLES if any(r.part == part for r in rows)), color=LABEL,
        fontsize=10)
    for y, name in enumerate(names):
        own = [r for r in rows if r.result.target["id"] == name]
        target = own[0].result.target
        beside(0.012, y, name, color=GREY, fontsize=9)
        beside(0.112, y, target["description"])
        means = [r.result.mean for r in own if math.isfinite(r.result.mean)]
        place = summary.normaliser(target, max(map(abs, means), default=1.0))
        within = lambda value: min(max(place(value), LEFT), RIGHT)
        low, high = map(within, target["band"])
        axes.barh(y, high - low, left=low, height=0.86, color=summary.BAND, zorder=0)
        reference = next((r.reference for r in own if r.part != "seeds"), own[0].reference)
        if math.isfinite(reference.mean):
            axes.plot([within(reference.mean)] * 2, [y - 0.4, y + 0.4], color="black", linewidth=1.6,
                      zorder=2)
        counts = []
        for part, (tint, shift, _) in STYLES.items():
            alone = [r for r in own if r.part == part and not r.pooled]
            if alone:
                counts.append(f"{sum(r.verdict == 'holds' for r in alone)}/{len(alone)}")
            for r in alone:
                if not math.isfinite(r.result.mean):
                    continue
                x = place(r.result.mean)
                marker = "o" if LEFT <= x <= RIGHT else "<" if x < LEFT else ">"
                axes.plot(within(r.result.mean), y + shift, marker, color=tint, markersize=5.5,
                          alpha=0.75, markeredgewidth=0, zorder=3, clip_on=False)
        beside(0.79, y, "   ".join(counts))
    line = lambda **style: matplotlib.lines.Line2D([], [], **style)
    handles = [line(linestyle="none", marker="o", color=tint, label=text)
               for part, (tint, _, text) in STYLES.items() if any(r.part == part for r in rows)]
    handles += [line(color="black", label="unchanged"),
                matplotlib.patches.Patch(color=summary.BAND, label="band"),
                line(linestyle="none", marker=">", color=GREY, label="beyond the axis")]
    figure.legend(handles=handles, loc="upper left", ncol=6, frameon=False, handletextpad=0.4,
                  bbox_to_anchor=(0.15, 1 - 0.12 / height))


def _falsifiers(figure, top: float, height: float, rows: list) -> None:
    columns = (0.012, 0.5, 0.63, 0.785, 0.885)
    line = lambda k: (top - 0.2 - ROW * k) / height
    for x, text in zip(columns, ("Falsifiers", "unchanged (n)", "changed (n)", "must be", "verdict")):
        figure.text(x, line(0), text, fontweight="bold", va="center")
    for k, r in enumerate(rows, 1):
        number = lambda result: f"{table.number(result.mean, result.sem)} ({result.n_alone})"
        cells = (r.result.target["description"], number(r.reference),
                 number(r.result) + " of it" * r.kept, score.band(r.result.target),
                 r.verdict.partition(":")[0])
        for x, text in zip(columns, cells):
            figure.text(x, line(k), text, va="center", parse_math=False,
                        color=VERDICTS.get(r.verdict, GREY) if x == columns[-1] else "black")


def _doses(figure, top: float, height: float, what: tuple[list[dict], dict]) -> None:
    records, titles = what
    lesions = list(dict.fromkeys(r["lesion"] for r in records))
    curves = list(dict.fromkeys(r["readout"] for r in records))
    figure.text(0.012, (top - 0.2) / height, "Graded lesions: subjects faint, mean ± SEM",
                fontweight="bold", va="center")
    width = 0.9 / max(len(lesions), 4)
    for i, readout in enumerate(curves):
        values = [r["value"] for r in records if r["readout"] == readout and r["value"] is not None]
        margin = 0.08 * (max(values, default=1.0) - min(values, default=0.0) or 1.0)
        for k, lesion in enumerate(lesions):
            bottom = top - 0.65 - PANEL * (i + 1) + 0.45
            axes = figure.add_axes((0.085 + k * width, bottom / height, 0.85 * width,
                                    (PANEL - 0.5) / height))
            own = [r for r in records if r["readout"] == readout and r["lesion"] == lesion
                   and r["value"] is not None]
            _curve(axes, own, TEACHERS[i % len(TEACHERS)])
            axes.set(ylim=(min(values, default=0.0) - margin, max(values, default=1.0) + margin),
                     xticks=[0, 0.5, 1], xlim=(-0.05, 1.05))
            axes.set_xticklabels([] if i < len(curves) - 1 else ["0", ".5", "1"])
            if i == 0:
                axes.set_title(titles[lesion], fontsize=11, loc="left")
            if k:
                axes.set_yticklabels([])
            else:
                axes.set_ylabel(textwrap.fill(readouts.LABELS[readout], 20), fontsize=10)
            if i == len(curves) - 1:
                axes.set_xlabel("fraction removed", fontsize=10)


def _curve(axes, records: list[dict], tint: str) -> None:
    for subject in dict.fromkeys(r["subject"] for r in records):
        own = [r for r in records if r["subject"] == subject]
        axes.plot([r["dose"] for r in own], [r["value"] for r in own], color=tint, alpha=0.3,
                  linewidth=1.0)
    doses = list(dict.fromkeys(r["dose"] for r in records))
    samples = [score.Sample(np.array([r["value"] for r in records if r["dose"] == dose]))
               for dose in doses]
    axes.errorbar(doses, [s.mean for s in samples], [np.nan_to_num(s.sem) for s in samples],
                  color=tint, marker="o", markersize=5, linewidth=2.0)
