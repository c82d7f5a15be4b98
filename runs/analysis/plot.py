#!/usr/bin/python3
"""Draws a run: learning curves of all groups, and the teaching signals behind them.

    plot.py results/cerebellar_vs_dopaminergic

writes figure.png and figure.pdf into the run directory (with --out FILE that file alone) and prints
the path of the first. One column per condition (abrupt rotation, gradual with full feedback,
gradual with reward only); upper row: what the hand does, beside people; lower row: the signal that
teaches there, or for conditions of your own a row for each signal that is recorded.

Exit codes: 0 drawn, 1 standard output is full, 2 bad usage or input, or a file that cannot be
written.
"""

from __future__ import annotations

import argparse
import pathlib
import signal
import sys
import textwrap
import tomllib

sys.dont_write_bytecode = True  # the sources may be installed where nobody may write
if __name__ == "__main__":  # before the slow imports: Ctrl-C and `| head` end it quietly
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

import matplotlib

matplotlib.use("Agg")

import matplotlib.lines
import matplotlib.pyplot as plt
import matplotlib.ticker
import numpy as np

import behaviour
import score
import table

# Paul Tol's high-contrast scheme: told apart with any colour vision and in grey.
COLOURS = {"intact": "#004488", "cerebellar": "#DDAA33", "depleted": "#BB5566"}
LABELS = {
    "intact": "intact",
    "cerebellar": "cerebellar damage",
    "depleted": "dopamine depletion",
}
# Brains of other experiments: his vibrant scheme.
OTHERS = ("#0077BB", "#EE7733", "#009988", "#EE3377", "#33BBEE", "#CC3311", "#777777")
PEOPLE = "black"
SCHEDULE = "#E4E4E4"

TITLES = {
    "abrupt": "Abrupt rotation",
    "full": "Gradual rotation, cursor seen",
    "reward": "Gradual rotation, reward only",
}
# The signal shown below each condition: (variable, title, axis).
OLIVE = ("olive_rate", "Cerebellar teacher", "olive rate")
THALAMUS = (
    "vl_rate_toward",
    "Where both meet: motor thalamus",
    "Δ VL rate toward\ncompensation",
)
PREDICTION = ("reward_prediction_error", "Dopaminergic teacher", "reward-prediction\nerror")
SIGNALS = {"abrupt": OLIVE, "full": THALAMUS, "reward": PREDICTION}
ORDER = ("abrupt", "full", "reward")
MAX_COLUMNS = 3
FORMATS = (".png", ".pdf", ".svg")
# Points along a curve: longer schedules are averaged in bins of trials.
LEARNING_POINTS, INDIVIDUAL_POINTS, SIGNAL_POINTS = 30, 15, 20
NARROWEST = 4  # trials in a bin
FINE = 6  # trials after an abrupt change that are not averaged


def bins(subject: behaviour.Subject, most: int) -> list[np.ndarray]:
    """Trials in order, in about `most` equal bins that never mix two rotations.

    After an abrupt change the first trials, where learning is fastest, stand alone.
    """
    rotation = np.nan_to_num(subject.columns["rotation"])
    width = max(NARROWEST, -(-subject.trials // most))
    edges = np.flatnonzero(np.diff(rotation)) + 1
    result = []
    for stretch in np.split(np.arange(subject.trials), edges):
        start = stretch[0]
        if start > 0 and abs(rotation[start] - rotation[start - 1]) > abs(subject.rotation) / 2:
            result += np.split(stretch[:FINE], min(FINE, len(stretch)))
            stretch = stretch[FINE:]
        if stretch.size:
            result += np.array_split(stretch, max(1, round(len(stretch) / width)))
    return result


def curves(group: behaviour.Group, series, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres, shape (bins,), and one curve per subject, shape (subjects, bins).

    `series` gives a subject's values per trial. Subjects that stopped early have NaN.
    """
    longest = max(group.subjects, key=lambda s: s.trials)
    groups = bins(longest, most)
    values = np.full((len(group.subjects), len(groups)), np.nan)
    for row, subject in enumerate(group.subjects):
        data = series(subject)
        for column, trials in enumerate(groups):
            here = data[trials[trials < len(data)]]
            here = here[np.isfinite(here)]
            if here.size:
                values[row, column] = here.mean()
    return np.array([np.mean(trials) + 1 for trials in groups]), values


def statistics(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and SEM over subjects, shape (bins,); SEM is zero for one subject."""
    n = np.isfinite(values).sum(axis=0)
    mean = np.divide(np.nansum(values, axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    square = np.nansum((values - mean) ** 2, axis=0)
    sem = np.sqrt(np.divide(square, n * (n - 1.0), out=np.zeros(n.shape), where=n > 1))
    return mean, sem


def from_baseline(subject: behaviour.Subject, column: str) -> np.ndarray:
    data = subject.columns[column]
    baseline = data[subject.phases["baseline"]]
    baseline = baseline[np.isfinite(baseline)]
    return data - (baseline.mean() if baseline.size else np.nan)


def colour(brain: str, brains: list[str]) -> str:
    others = [b for b in brains if b not in COLOURS]
    return COLOURS.get(brain) or OTHERS[others.index(brain) % len(OTHERS)]


def draw_curve(axes, x, values, tint, style="-") -> None:
    mean, sem = statistics(values)
    axes.fill_between(x, mean - sem, mean + sem, color=tint, alpha=0.25, linewidth=0)
    axes.plot(x, mean, style, color=tint, linewidth=2.4, solid_capstyle="round", zorder=3)


def draw_people(axes, condition: str, subject: behaviour.Subject, people: dict) -> None:
    """Bins of people's curve at the same trial of the same phase, or their end point."""
    for curve in people.get("curve", ()):
        if curve["condition"] != condition:
            continue
        x, y, error = [], [], []
        for entry in curve["bins"]:
            phase = subject.phases[entry["phase"]]
            if entry["first"] > len(phase):
                continue  # the run's block is shorter than people's
            last = min(entry["last"], len(phase))
            x.append(phase[0] + (entry["first"] + last) / 2.0)
            # People learned another angle: compare the fraction of the rotation.
            y.append(entry["mean"] * abs(subject.rotation) / curve["rotation"])
            error.append(entry["sem"] * abs(subject.rotation) / curve["rotation"])
        axes.errorbar(
            x, y, error, fmt="o", color=PEOPLE, markerfacecolor="white", markersize=5.5,
            markeredgewidth=1.3, elinewidth=1.1, zorder=4,
        )
    for end in people.get("endpoint", ()):
        if end["condition"] == condition:
            x = subject.phases["learning"][-1] + 1 + 0.025 * subject.trials
            y = end["fraction"] * abs(subject.rotation)
            axes.plot(x, y, marker="D", color=PEOPLE, markerfacecolor="white", markersize=8,
                      markeredgewidth=1.6, linestyle="none", clip_on=False, zorder=5)


def sources(conditions: list[str], people: dict) -> str:
    """Where people's points come from, with n."""
    entries = []
    for kind in ("curve", "endpoint"):
        for entry in people.get(kind, ()):
            if entry["condition"] in conditions:
                n = f"n = {entry['n']}" if "n" in entry else "end point, n and spread not given"
                entries.append(f"{entry['source']} ({n})")
    return "; ".join(dict.fromkeys(entries))


def known(condition: str, groups: dict[str, behaviour.Group]) -> bool:
    """Whether it is one of the shipped experiment's, which has people's values and a title."""
    return condition in TITLES and any(f"{condition}_{brain}" in groups for brain in COLOURS)


def draw(run: behaviour.Behaviour, people: dict) -> plt.Figure:
    shown = run.rotated() or run.groups
    conditions = sorted(
        {g.condition for g in shown.values()},
        key=lambda c: (ORDER.index(c) if c in ORDER else len(ORDER), c),
    )[:MAX_COLUMNS]
    drawn = [g for g in shown.values() if g.condition in conditions]
    brains = sorted(
        {g.brain for g in drawn},
        key=lambda b: (list(COLOURS).index(b) if b in COLOURS else len(COLOURS), b),
    )
    shipped = [c for c in conditions if known(c, run.rotated())]
    if len(shipped) == len(conditions):
        rows = [[SIGNALS[c] for c in conditions]]
    else:
        signals = (OLIVE, PREDICTION, THALAMUS) if run.rotated() else (OLIVE, PREDICTION)
        recorded = [s for s in signals if s[0] in run.units] or [OLIVE]
        rows = [[s] * len(conditions) for s in recorded]
    plt.rcParams.update({
        "font.size": 13, "axes.titlesize": 14, "axes.labelsize": 13, "legend.fontsize": 13,
        "axes.spines.top": False, "axes.spines.right": False, "pdf.fonttype": 42,
        "font.family": "DejaVu Sans", "svg.hashsalt": "quartet",
    })
    figure, panels = plt.subplots(
        1 + len(rows), len(conditions), figsize=(13.33, 5.2 + 2.3 * len(rows)), squeeze=False,
        sharex="col", gridspec_kw={"height_ratios": (1.45, *[1.0] * len(rows))},
    )
    alike: dict[object, list] = {}  # panels by signal, or by size of the rotation
    for column, condition in enumerate(conditions):
        upper, *lower = panels[:, column]
        members = {g.brain: g for g in drawn if g.condition == condition}
        reference = max((s for g in members.values() for s in g.subjects), key=lambda s: s.trials)
        draw_learning(upper, members, brains, reference)
        alike.setdefault(np.nan_to_num(abs(reference.rotation)), []).append(upper)
        if condition in shipped:
            draw_people(upper, condition, reference, people)
            title = TITLES[condition]
        else:
            title = condition if len(members) > 1 else next(iter(members.values())).name
        upper.set_title(title, loc="left", fontweight="bold")
        for axes, signals in zip(lower, rows):
            draw_signal(axes, signals[column], members, brains, reference, run)
            alike.setdefault(signals[column], []).append(axes)
        lower[-1].set_xlabel("trial")
        if column == 0:
            upper.set_ylabel("compensation (deg)" if run.rotated() else "hand from target (deg)")
    for same in alike.values():
        low, high = zip(*(axes.get_ylim() for axes in same))
        for axes in same:
            axes.set_ylim(min(low), max(high))
    decorate(figure, run, drawn, brains, sources(shipped, people))
    return figure


def draw_learning(axes, members, brains, reference) -> None:
    trials = np.arange(reference.trials + 1) + 0.5
    schedule = np.nan_to_num(reference.schedule())
    axes.fill_between(trials, np.append(schedule, schedule[-1]), step="post", color=SCHEDULE,
                      linewidth=0, zorder=0)
    low, high = min(schedule.min(), 0.0), schedule.max()
    for brain, group in members.items():
        rotated = np.isfinite(reference.rotation)
        series = behaviour.Subject.compensation if rotated else behaviour.Subject.from_target
        if len(group.subjects) > 1:
            x, values = curves(group, series, INDIVIDUAL_POINTS)
            axes.plot(x, values.T, color=colour(brain, brains), alpha=0.35, linewidth=0.6, zorder=1)
        x, values = curves(group, series, LEARNING_POINTS)
        draw_curve(axes, x, values, colour(brain, brains))
        mean, sem = statistics(values)
        low = np.nanmin([low, *(mean - sem)])
        high = np.nanmax([high, *(mean + sem)])
    axes.axhline(0.0, color="black", linewidth=0.8, zorder=2)
    axes.set_ylim(low - 0.12 * (high - low), high + 0.16 * (high - low))
    axes.set_xlim(0.5, reference.trials + 0.5)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(6, integer=True))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, integer=True))


def draw_signal(axes, shown, members, brains, reference, run) -> None:
    name, title, label = shown
    axes.set_title(title, loc="left", fontweight="bold")
    if name not in run.units:
        axes.text(0.5, 0.5, f"{name} was not recorded", transform=axes.transAxes, ha="center",
                  color="0.4")
        axes.set_yticks([])
        return
    for brain, group in members.items():
        tint = colour(brain, brains)
        if name == "reward_prediction_error":
            # Its mean over all trials is near zero by design; what teaches is burst and dip.
            for outcome, style in ((1.0, "-"), (0.0, ":")):
                series = lambda s: np.where(s.columns["reward"] == outcome, s.columns[name], np.nan)
                draw_curve(axes, *curves(group, series, SIGNAL_POINTS), tint, style)
        elif name == "vl_rate_toward":
            series = lambda s: from_baseline(s, name)
            draw_curve(axes, *curves(group, series, SIGNAL_POINTS), tint)
        else:
            draw_curve(axes, *curves(group, lambda s: s.columns[name], SIGNAL_POINTS), tint)
    unit = run.units[name]
    axes.set_ylabel(f"{label} ({unit})" if unit not in ("", "1") else label)
    if name == "reward_prediction_error":
        key = [matplotlib.lines.Line2D([], [], color="0.3", linewidth=2.2, linestyle=style,
                                       label=text)
               for style, text in (("-", "rewarded trials"), (":", "unrewarded"))]
        axes.legend(handles=key, frameon=False, fontsize=11, ncol=2, loc="upper right",
                    bbox_to_anchor=(1.03, 1.04), handlelength=1.3, columnspacing=1.0)
        axes.margins(y=0.18)
    if name == "olive_rate":
        axes.set_ylim(bottom=0.0)
    else:
        axes.axhline(0.0, color="black", linewidth=0.8, zorder=2)
    for edge in np.flatnonzero(np.diff(np.sign(np.nan_to_num(reference.schedule())))) + 1:
        axes.axvline(edge + 0.5, color="0.75", linewidth=1.0, zorder=0)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%g"))


def scale(run: behaviour.Behaviour) -> str:
    """"brain.scale 0.5", from resolved.toml; "" without the file."""
    return f"brain.scale {run.resolved['brain']['scale']:g}" if run.resolved else ""


def decorate(figure, run, drawn, brains, people) -> None:
    inch = 1.0 / figure.get_figheight()
    title = textwrap.shorten(run.title or run.path.parent.name, 95, placeholder=" …")
    figure.suptitle(title, x=0.012, y=1.0 - 0.15 * inch, ha="left", va="top", fontsize=19,
                    fontweight="bold")
    names = {b: [g.name for g in drawn if g.brain == b] for b in brains}
    handles = [
        matplotlib.lines.Line2D([], [], color=colour(b, brains), linewidth=3.5,
                                label=LABELS.get(b, names[b][0] if len(names[b]) == 1 else b))
        for b in brains
    ]
    if people:
        handles.append(matplotlib.lines.Line2D(
            [], [], color=PEOPLE, marker="o", markerfacecolor="white", markersize=7,
            markeredgewidth=1.4, linestyle="none", label="people"))
    if run.rotated():
        handles.append(matplotlib.patches.Patch(color=SCHEDULE, label="full compensation"))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.003, 1.0 - 0.49 * inch),
                  ncol=len(handles), frameon=False, columnspacing=1.8, handlelength=1.4,
                  fontsize=14)

    counts = sorted({len(group.subjects) for group in drawn})
    n = f"n = {counts[0]}" + (f" to {counts[-1]}" if len(counts) > 1 else "")
    size = scale(run)
    left_out = behaviour.left_out(run)
    shown = run.rotated() or run.groups
    undrawn = sorted(set(shown) - {group.name for group in drawn}, key=list(shown).index)
    notes = [
        f"{run.extent[0].upper()}{run.extent[1:]}.",
        f"Left out: {left_out}." if left_out else "",
        f"Not drawn: {', '.join(undrawn)} (there is room for {MAX_COLUMNS} conditions)."
        if undrawn else "",
        f"Model{f' at {size}' if size else ''}: mean over simulated subjects ({n} in each group)"
        + (", bands ± SEM, thin lines individuals." if counts[-1] > 1 else "."),
        f"People: {people}." if people else "",
    ]
    lines = [line for note in notes for line in textwrap.wrap(note, 140)]
    figure.text(0.012, 0.11 * inch, "\n".join(lines), fontsize=11, color="0.2", va="bottom")
    figure.subplots_adjust(left=0.065, right=0.975, top=1.0 - 1.275 * inch, wspace=0.27,
                           hspace=0.27, bottom=(0.79 + 0.195 * len(lines)) * inch)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="plot.py",
        description="Draws a run's learning curves and teaching signals beside what people do.",
        epilog="Example: plot.py results/cerebellar_vs_dopaminergic",
    )
    parser.add_argument("directory", metavar="DIR", help="a run directory with behaviour.nc")
    parser.add_argument("--out", metavar="FILE", type=pathlib.Path,
                        help="write this file instead of figure.png and figure.pdf in DIR; its "
                        f"ending says the format ({', '.join(FORMATS)})")
    options = parser.parse_args(arguments)
    if options.out and options.out.suffix not in FORMATS:
        parser.error(f"--out {options.out}: must end in one of {', '.join(FORMATS)}")
    try:
        run = behaviour.read(
            options.directory,
            {"angle_third", "reward"},
            {shown[0] for shown in SIGNALS.values()},
        )
        with open(score.TARGETS, "rb") as file:
            people = tomllib.load(file)
    except (behaviour.BadInput, OSError) as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    figure = draw(run, people)
    paths = [options.out] if options.out else [run.path.with_name(f"figure{end}")
                                               for end in (".png", ".pdf")]
    for path in paths:
        try:
            with table.replacing(path) as partial:
                save(figure, partial, path.suffix)
        except OSError as error:
            print(f"plot.py: {path}: not written ({error.strerror}); make room or its directory "
                  "writable, or name another file with --out", file=sys.stderr)
            return 2
    print(paths[0])
    return 0


def save(figure: plt.Figure, path: pathlib.Path, suffix: str) -> None:
    """Without a date, so that the same run gives the same file."""
    undated = {".pdf": {"CreationDate": None}, ".svg": {"Date": None}}
    figure.savefig(path, dpi=150, format=suffix[1:], metadata=undated.get(suffix))


if __name__ == "__main__":
    table.end(main, "plot.py")
