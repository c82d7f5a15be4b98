#!/usr/bin/python3
"""Draws a run: learning curves of all groups, and the teaching signals behind them.

    plot.py results/cerebellar_vs_dopaminergic

writes figure.png and figure.pdf into the run directory (with --out FILE that file alone) and prints
the path of the first. One column per condition (abrupt rotation, gradual with full feedback,
gradual with reward only); upper row: what the hand does, beside people; lower row: the signal that
teaches there, or for conditions of your own a row for each signal that is recorded. Where errors are
clamped from the first on, the lower row shows what the schedule asks for instead: how far each group
gets, or how much one error corrects.

Exit codes: 0 drawn, 1 standard output is full, 2 bad usage or input, or a file that cannot be
written.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import argparse
import pathlib
import sys
import textwrap
import warnings

import matplotlib.font_manager
import matplotlib.lines
import matplotlib.pyplot as plt
import matplotlib.textpath
import matplotlib.ticker
import numpy as np

import behaviour
import readouts
import score
import stats
import table
from figure import save, set_style
from targets import load_targets

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
EDGE = "0.75"

TITLES = {
    "abrupt": "Abrupt rotation",
    "full": "Gradual rotation, cursor seen",
    "reward": "Gradual rotation, reward only",
}
# The signal shown below each condition: (variable, title, axis).
OLIVE = ("olive_rate", "Cerebellar teacher", "olive rate")
THALAMUS = (
    "vl_rate_toward",
    "Both meet: motor thalamus",
    "Δ VL rate toward\ncompensation",
)
PREDICTION = ("reward_prediction_error", "Dopaminergic teacher", "reward-prediction\nerror")
# Shares of choices: computed, of 0 and 1, beside chance.
SHARES = (("chose_better", "Choice between two targets", "share of choices of\nthe better one"),
          ("sequence_right", "Sequences of choices", "share of sequences\nthat are right"))
SIGNALS = {"abrupt": OLIVE, "full": THALAMUS, "reward": PREDICTION}
# What a schedule of clamped errors asks for: (read-out, title, axis).
ASYMPTOTE = ("asymptote_deg", "How far it goes", "last tenth of the\nclamped trials (deg)")
CORRECTION = ("single_trial_deg", "Correction by one error", "change to the next\ntrial (deg)")
ORDER = ("abrupt", "full", "reward")
MAX_COLUMNS = 3
WIDTH = 13.33  # inches
TITLE, SMALL, LINE = 14, 11, 1.25  # points; height of a line of text as part of them
FORMATS = (".png", ".pdf", ".svg")
# Points along a curve: longer schedules are averaged in bins of trials.
LEARNING_POINTS, INDIVIDUAL_POINTS, SIGNAL_POINTS = 30, 15, 20
NARROWEST = 4  # trials in a bin
FINE = 6  # trials after an abrupt change that are not averaged
MARK_GAP = 0.14  # inches between marks of changes: the height of a phase's name


def bins(subject: behaviour.Subject, most: int, offers: bool = True) -> list[np.ndarray]:
    """Trials in order, in about `most` equal bins that mix two rotations or settings, with `offers` also of
    targets and rewards, only where they are shorter than NARROWEST: the steps of a ramp.

    After an abrupt change the first trials, where learning is fastest, stand alone.
    """
    rotation = np.nan_to_num(subject.columns["rotation"])
    width = max(NARROWEST, -(-subject.trials // most))
    change, block, setting = (np.diff(one) for one in (rotation, subject.columns["block"],
                                                       subject.columns["setting"]))
    if offers:
        setting = np.abs(setting) + np.abs(np.diff(subject.columns["offer"]))
    edges = np.flatnonzero((change != 0) | (setting != 0)) + 1
    long = np.diff(np.append(edges, subject.trials)) >= NARROWEST
    abrupt = np.abs(change[edges - 1]) > abs(subject.rotation) / 2
    edges = edges[long | abrupt | (change * block != 0)[edges - 1]]  # a ramp's beginning is one
    result = []
    for stretch in np.split(np.arange(subject.trials), edges):
        start = stretch[0]
        if start > 0 and abs(rotation[start] - rotation[start - 1]) > abs(subject.rotation) / 2:
            result += np.split(stretch[:FINE], min(FINE, len(stretch)))
            stretch = stretch[FINE:]
        if stretch.size:
            result += np.array_split(stretch, max(1, round(len(stretch) / width)))
    return result


def curves(group: behaviour.Group, series, most: int, offers: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Bin centres, shape (bins,), and one curve per subject, shape (subjects, bins); `offers` as of bins().

    `series` gives a subject's values per trial. Subjects that stopped early have NaN.
    """
    longest = max(group.subjects, key=lambda s: s.trials)
    groups = bins(longest, most, offers)
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
    mean, sem = np.array([stats.mean_sem(column) for column in values.T]).T
    return mean, np.nan_to_num(sem)


def from_baseline(subject: behaviour.Subject, column: str) -> np.ndarray:
    data = subject.columns[column]
    baseline = data[subject.phases["baseline"]]
    baseline = baseline[np.isfinite(baseline)]
    return data - (baseline.mean() if baseline.size else np.nan)


def reaches(run: behaviour.Behaviour) -> bool:
    return any(np.isfinite(s.columns["angle_third"]).any()
               for group in run.groups.values() for s in group.subjects)


def hits(subject: behaviour.Subject) -> np.ndarray:
    """1 or 0 in trials that ask for a finger movement, NaN in others."""
    asked = (subject.columns.get("fingers", np.zeros(subject.trials)) > 0) & ~subject.columns["watched"]
    return np.where(asked, subject.columns["reward"] > 0, np.nan)


def colour(brain: str, brains: list[str]) -> str:
    others = [b for b in brains if b not in COLOURS]
    tints = OTHERS if len(others) == len(brains) else OTHERS[1:]  # one blue
    return COLOURS.get(brain) or tints[others.index(brain) % len(tints)]


def draw_curve(axes, x, values, tint, style="-") -> None:
    mean, sem = statistics(values)
    axes.fill_between(x, mean - sem, mean + sem, color=tint, alpha=0.25, linewidth=0)
    axes.plot(x, mean, style, color=tint, linewidth=2.4, solid_capstyle="round", zorder=3)
    known = np.pad(np.isfinite(mean), 1)
    alone = known[1:-1] & ~known[:-2] & ~known[2:]  # of which neither line nor band is drawn
    axes.errorbar(x[alone], mean[alone], sem[alone], fmt="o", color=tint, markersize=3, elinewidth=1.2, zorder=3)


def draw_people(axes, condition: str, subject: behaviour.Subject, people: dict,
                edge=PEOPLE) -> set[str]:
    """`condition` may also be the name of a group, whose colour is then the `edge` of the markers.
    Bins of people's curve at the same trial of the same phase, or their end point. Returns which
    of both there are, and "scaled" where people learned another angle."""
    drawn = set()
    for curve in people.get("curve", ()):
        if curve.get("condition", curve.get("group")) != condition:
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
            x, y, error, fmt="o", color=edge, markerfacecolor="white", markersize=5.5,
            markeredgewidth=1.3, elinewidth=1.1, zorder=4,
        )
        drawn.add("curve")
        if abs(abs(subject.rotation) - curve["rotation"]) > score.SAME_ANGLE:
            drawn.add("scaled")
    for end in people.get("endpoint", ()):
        if end["condition"] == condition:
            x = subject.phases["learning"][-1] + 1 + 0.025 * subject.trials
            y = end["fraction"] * abs(subject.rotation)
            axes.plot(x, y, marker="D", color=PEOPLE, markerfacecolor="white", markersize=8,
                      markeredgewidth=1.6, linestyle="none", clip_on=False, zorder=5)
            drawn.add("endpoint")
    return drawn


def sources(conditions: list[str], people: dict) -> str:
    """Where people's points come from, with n."""
    entries = []
    for kind in ("curve", "endpoint"):
        for entry in people.get(kind, ()):
            if entry.get("condition", entry.get("group")) in conditions:
                n = f"n = {entry['n']}" if "n" in entry else "end point, n and spread not given"
                entries.append(f"{entry['source']} ({n})")
    return "; ".join(dict.fromkeys(entries))


def tell_apart(groups: list[behaviour.Group]) -> None:
    """Groups that share what follows the last underscore ("low_dose", "high_dose") have no brain in common
    where their labels, given in the file, have nothing in common."""
    for brain in {g.brain for g in groups} - set(COLOURS):
        same = [g for g in groups if g.brain == brain]
        if len(same) > 1 and all(g.label != g.name for g in same) and not common(same, -1):
            for group in same:
                group.apart = True


def marks(subject: behaviour.Subject, blocks: list[dict]) -> dict[int, str]:
    """Trials before which the setting, the offer or the sign of the rotation changes, and the name of the
    phase that starts there."""
    block = subject.columns["block"].astype(int)
    sign = np.sign(np.nan_to_num(subject.schedule()))
    named = np.insert(np.diff(block) != 0, 0, True) & (block < len(blocks))
    changes = np.flatnonzero(np.any([np.diff(one) != 0 for one in (
        sign, subject.columns["setting"], subject.columns["offer"])], axis=0)) + 1
    return {int(t): behaviour.phase_name(blocks[block[t]], block[t]) if named[t] else "" for t in changes}


def thinned(found: dict[int, str], trial_inches: float) -> dict[int, str]:
    """Of marks() those that lie MARK_GAP apart, from the first on."""
    kept: dict[int, str] = {}
    for trial, phase in found.items():
        if not kept or (trial - max(kept)) * trial_inches >= MARK_GAP:
            kept[trial] = phase
    return kept


def draw_marks(axes, found: dict[int, str], named: bool) -> None:
    """A line at each; in the upper row with the phases' names."""
    for trial, phase in found.items():
        axes.axvline(trial + 0.5, color=EDGE, linewidth=1.0, zorder=0)
        if named:
            axes.annotate(phase, (trial + 0.5, 1.0), (2, -2), xycoords=("data", "axes fraction"),
                          textcoords="offset points", rotation=90, ha="left", va="top", fontsize=8.5,
                          color="0.4", zorder=0, parse_math=False)


def known(condition: str, groups: dict[str, behaviour.Group]) -> bool:
    """Whether it is one of the shipped experiment's, which has people's values and a title."""
    return condition in TITLES and any(f"{condition}_{brain}" in groups for brain in COLOURS)


def shown_of(run: behaviour.Behaviour) -> tuple[dict[str, behaviour.Group], list[str]]:
    """Groups that have a curve, and the conditions that there is room for, in their order."""
    shown = run.rotated() or run.groups
    conditions = list(dict.fromkeys(g.condition for g in shown.values()))
    if set(conditions) <= set(ORDER):
        conditions.sort(key=ORDER.index)
    return shown, conditions[:MAX_COLUMNS]


def undrawn(run: behaviour.Behaviour) -> list[str]:
    """Groups for which there is no room, or no rotation where others have one."""
    shown, conditions = shown_of(run)
    return [group.name for group in run.groups.values()
            if group.name not in shown or group.condition not in conditions]


def draw(run: behaviour.Behaviour, people: dict) -> plt.Figure:
    shown, conditions = shown_of(run)
    drawn = [g for g in shown.values() if g.condition in conditions]
    tell_apart(drawn)
    brains = list(dict.fromkeys(g.brain for g in drawn))
    shipped = [c for c in conditions if known(c, run.rotated())]
    if len(shipped) == len(conditions):
        rows = [[SIGNALS[c] for c in conditions]]
    else:
        signals = (OLIVE, PREDICTION, THALAMUS) if run.rotated() else (OLIVE, PREDICTION)
        recorded = [s for s in signals if s[0] in run.units] or [OLIVE]
        recorded = [share for share in SHARES
                    if any(np.isfinite(s.columns[share[0]]).any() for g in drawn
                           for s in g.subjects)] + recorded
        rows = [[s] * len(conditions) for s in recorded]
    asked = [question(next(g for g in drawn if g.condition == c)) for c in conditions]
    if any(asked):
        rows = [[asking or OLIVE for asking in asked]]
    set_style(13, {"axes.titlesize": 14, "axes.labelsize": 13, "legend.fontsize": 13,
                   "font.family": "DejaVu Sans"})
    figure, panels = plt.subplots(
        1 + len(rows), len(conditions), figsize=(WIDTH, 1.0), squeeze=False,
        sharex="none" if any(asked) else "col",
        gridspec_kw={"height_ratios": (1.45, *[1.0] * len(rows))},
    )
    room = 0.9 * WIDTH / len(conditions) - 0.3  # inches for the title of a panel
    deepest = [0, 0]  # lines of titles in the upper row and below
    banded = False  # whether a full compensation is drawn
    marked = False  # whether changes within the schedule are
    crowded = False  # whether there is no room for some of these
    seen = set()  # of people: "curve", "endpoint", "scaled"
    alike: dict[object, list] = {}  # panels by signal, or by size of the rotation
    quoted = [f"{t['source']} (n = {t['n']})" for asking in filter(None, asked)
              for name, t in human_values(asking[0], people).items()
              if name in run.groups and "n" in t]
    for column, condition in enumerate(conditions):
        upper, *lower = panels[:, column]
        members = {g.brain: g for g in drawn if g.condition == condition}
        reference = max((s for g in members.values() for s in g.subjects), key=lambda s: s.trials)
        series = (behaviour.Subject.compensation if np.isfinite(reference.rotation) else
                  behaviour.Subject.from_target if reaches(run) else hits)
        banded |= draw_learning(upper, members, brains, reference, series)
        alike.setdefault(np.nan_to_num(abs(reference.rotation)), []).append(upper)
        own = next(g for g in members.values() if reference in g.subjects)
        found = marks(reference, behaviour.blocks_of(run.resolved, own.name) if run.resolved else [])
        changes = thinned(found, room / reference.trials)
        crowded |= len(changes) < len(found)
        draw_marks(upper, changes, True)
        marked |= bool(changes)
        if condition in shipped:
            title = TITLES[condition]
        else:
            title = common(list(members.values()), 0) or condition
        seen |= draw_people(upper, condition if condition in shipped else "", reference, people)
        for brain, group in members.items():
            seen |= draw_people(upper, group.name, group.subjects[0], people, colour(brain, brains))
        deepest[0] = max(deepest[0], put_title(upper, title, "", room))
        for axes, signals in zip(lower, rows):
            if signals[column] in (ASYMPTOTE, CORRECTION):
                draw_readout(axes, signals[column], members, brains, people)
            else:
                draw_signal(axes, signals[column], members, brains, reference, run)
                draw_marks(axes, changes, False)
                axes.set_xlim(upper.get_xlim())
            name, heading, _ = signals[column]
            below = subtitle(title, name if name in run.units else "")
            deepest[1] = max(deepest[1], put_title(axes, heading, below, room))
            if column > 0 and len(set(signals)) == 1:
                axes.set_ylabel("")  # as in the first column
            alike.setdefault(signals[column], []).append(axes)
        (upper if asked[column] else lower[-1]).set_xlabel("trial")
        if column == 0:
            upper.set_ylabel("compensation (deg)" if run.rotated() else "hand from target (deg)"
                             if reaches(run) else "share of hits\nof finger movements")
    for same in alike.values():
        low, high = zip(*(axes.get_ylim() for axes in same))
        for axes in same:
            axes.set_ylim(min(low), max(high))
    curves_of = sources([*shipped, *(g.name for g in drawn)], people)
    extra = [source for source in quoted if source not in curves_of]
    decorate(figure, run, drawn, brains, len(rows), deepest, banded, seen,
             "; ".join(filter(None, (curves_of, *dict.fromkeys(extra)))), any(asked), marked, crowded)
    return figure


def wrap(text: str, inches: float, points: float, bold: bool = False) -> list[str]:
    """Lines that fit; only a longer word is broken."""
    font = matplotlib.font_manager.FontProperties(
        family="DejaVu Sans", size=points, weight="bold" if bold else "normal")
    measure = matplotlib.textpath.text_to_path.get_text_width_height_descent
    fits = lambda line: measure(line, font, ismath=False)[0] <= 72.0 * inches
    lines = [""]
    for word in text.split():
        if lines[-1] and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if lines[-1] and not fits(lines[-1] + letter):
                lines.append("")
            lines[-1] += letter
    return lines[1:]


def common(groups: list[behaviour.Group], end: int) -> str:
    """What labels of the form "Cursor, intact" share, before (end 0) or after (-1) the comma; the
    label of a single group whole; "" where nothing is shared or a label was not given."""
    if len(groups) == 1:
        (group,) = groups
        return group.label if group.label != group.name or group.brain not in LABELS else ""
    parts = [group.label.split(", ") for group in groups]
    shared = {part[end] for part in parts}
    return shared.pop() if len(shared) == 1 and all(len(part) == 2 for part in parts) else ""


def subtitle(title: str, name: str) -> str:
    """Whose signal a lower panel shows, and what its lines are."""
    if name == "reward_prediction_error":
        return f"{title}\nsolid: rewarded trials, dotted: unrewarded"
    return title


def put_title(axes, title: str, below: str, inches: float) -> int:
    """A bold title, with plain lines below it. Returns the number of lines."""
    lines = wrap(title, inches, TITLE, bold=True)
    small = [part for text in below.split("\n") if text for part in wrap(text, inches, SMALL)]
    axes.annotate("\n".join(small), (0.0, 1.0), (0.0, 4.0), xycoords="axes fraction",
                  textcoords="offset points", fontsize=SMALL, va="bottom", color="0.2",
                  annotation_clip=False, parse_math=False)
    axes.set_title("\n".join(lines), loc="left", fontweight="bold", fontsize=TITLE,
                   pad=6.0 + LINE * SMALL * len(small), parse_math=False)
    return len(lines) + len(small)


def draw_learning(axes, members, brains, reference, series) -> bool:
    """Returns whether there is a full compensation to draw."""
    trials = np.arange(reference.trials + 1) + 0.5
    schedule = np.nan_to_num(reference.schedule())
    low, high = 0.0, 0.0
    individuals: list[float] = []
    banded = compensable(members, reference)
    if banded:
        axes.fill_between(trials, np.append(schedule, schedule[-1]), step="post", color=SCHEDULE,
                          linewidth=0, zorder=0)
        low, high = min(schedule.min(), 0.0), schedule.max()
    for brain, group in members.items():
        if len(group.subjects) > 1:
            x, values = curves(group, series, INDIVIDUAL_POINTS)
            axes.plot(x, values.T, color=colour(brain, brains), alpha=0.35, linewidth=0.6, zorder=1)
            individuals += values[np.isfinite(values)].tolist()
        x, values = curves(group, series, LEARNING_POINTS)
        draw_curve(axes, x, values, colour(brain, brains))
        mean, sem = statistics(values)
        low = np.nanmin([low, *(mean - sem)])
        high = np.nanmax([high, *(mean + sem)])
    axes.axhline(0.0, color="black", linewidth=0.8, zorder=2)
    high = high if high > low else low + 1.0
    axes.set_ylim(min([low - 0.12 * (high - low), *individuals]),
                  max([high + 0.22 * (high - low), *individuals]))
    axes.set_xlim(0.5, reference.trials + 0.5)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(6, integer=series is not hits))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, integer=True))
    return banded


def compensable(members, reference) -> bool:
    """Whether there is a full compensation, the same for all: none of a clamped cursor or of a side
    that is drawn on every trial."""
    learning = reference.phases["learning"]
    drawn = reference.columns["clamped"] | reference.columns["random_sign"]
    alike = {abs(s.rotation) for group in members.values() for s in group.subjects
             if np.isfinite(s.rotation)}
    return len(alike) == 1 and not drawn[learning].any()


def draw_signal(axes, shown, members, brains, reference, run) -> None:
    name, _, label = shown
    share = shown in SHARES
    if name not in run.units and not share:
        axes.text(0.5, 0.5, f"{name} was not recorded", transform=axes.transAxes, ha="center",
                  color="0.4")
        axes.set_yticks([])
        return
    for brain, group in members.items():
        tint = colour(brain, brains)
        if name == "reward_prediction_error":
            # Its mean over all trials is near zero by design; what teaches is burst and dip.
            for outcome, style in ((np.greater, "-"), (np.equal, ":")):
                series = lambda s: np.where(outcome(s.outcomes(), 0.0), s.columns[name], np.nan)
                # Outcomes are told apart here: where rewards alternate, bins of each alone would be gaps.
                draw_curve(axes, *curves(group, series, SIGNAL_POINTS, offers=False), tint, style)
        elif name == "vl_rate_toward":
            # The column is of errors counter-clockwise minus clockwise, whichever way the cursor turns.
            series = lambda s: np.sign(s.rotation) * from_baseline(s, name)
            draw_curve(axes, *curves(group, series, SIGNAL_POINTS), tint)
        else:
            draw_curve(axes, *curves(group, lambda s: s.columns[name], SIGNAL_POINTS), tint)
    unit = run.units.get(name, "1")
    axes.set_ylabel(f"{label} ({unit})" if unit not in ("", "1") else label, fontsize=SMALL,
                    labelpad=1.0)
    if name == "olive_rate":
        axes.set_ylim(0.0, 1.05 * axes.get_ylim()[1])
    elif share:
        axes.set_ylim(-0.05, 1.05)
        counted = np.flatnonzero(np.isfinite(reference.columns[name]))
        choices = np.diff(counted).min() if len(counted) > 1 else 1  # all of which must be right
        axes.axhline(0.5**choices, color="black", linewidth=0.8, zorder=2)  # chance
    else:
        axes.axhline(0.0, color="black", linewidth=0.8, zorder=2)
    axes.yaxis.set_major_locator(matplotlib.ticker.MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))


def question(group: behaviour.Group) -> tuple | None:
    """What the group's schedule asks for, if its rotated trials are clamped; else None."""
    subject = group.subjects[0]
    learning = subject.phases["learning"]
    if not np.isfinite(subject.rotation) or not subject.columns["clamped"][learning].all():
        return None
    return CORRECTION if subject.columns["random_sign"][learning].all() else ASYMPTOTE


def human_values(readout: str, people: dict) -> dict[str, dict]:
    """Targets that are this read-out of one group and have people's value, by group."""
    return {t["of"]["group"]: t for t in people.get("target", ())
            if "human" in t and t["of"]["readout"] == readout and not {"over", "minus"} & set(t)}


def draw_readout(axes, shown, members, brains, people) -> None:
    """Each group's subjects, their mean ± SEM, and beside them people's value where a target of
    this read-out has it, with its 95 % interval."""
    name, _, label = shown
    human = human_values(name, people)
    for x, (brain, group) in enumerate(members.items()):
        tint = colour(brain, brains)
        numbers = np.array([getattr(readouts, name)(s) for s in group.subjects])
        if len(numbers) > 1:
            axes.plot(np.full(len(numbers), x - 0.12), numbers, "o", color=tint, alpha=0.35,
                      markersize=5)
        mean, sem = statistics(numbers[:, np.newaxis])
        axes.errorbar(x, mean, sem, fmt="o", color=tint, markersize=9, elinewidth=2.4, zorder=3)
        if group.name in human:
            target = human[group.name]
            value = target["human"]
            interval = np.abs(np.array(target.get("ci95", (value, value))) - value)
            axes.errorbar(x + 0.15, value, interval[:, np.newaxis], fmt="D", color=PEOPLE,
                          markerfacecolor="white", markersize=7, zorder=4)
            axes.annotate(f"people, n = {target['n']}", (x + 0.15, value), (7, 0), va="center",
                          textcoords="offset points", fontsize=SMALL)
    axes.axhline(0.0, color="black", linewidth=0.8, zorder=2)
    axes.margins(y=0.15)
    axes.set_xlim(-0.5, len(members) - 0.2)
    axes.set_xticks(range(len(members)), [
        "\n".join([*wrap(group.label, 1.4, SMALL), f"n = {len(group.subjects)}"])
        for group in members.values()], fontsize=SMALL, parse_math=False)
    axes.set_ylabel(label, fontsize=SMALL, labelpad=1.0)


def scale(run: behaviour.Behaviour) -> str:
    """"brain.scale 0.5", from resolved.toml; "" without the file."""
    return f"brain.scale {run.resolved['brain']['scale']:g}" if run.resolved else ""


def key(figure, drawn, brains, seen, banded: bool):
    """The legend below the title, in as many columns as fit, and its height in inches."""
    line, patch = matplotlib.lines.Line2D, matplotlib.patches.Patch
    entries = []
    for brain in brains:
        text = common([g for g in drawn if g.brain == brain], -1) or LABELS.get(brain, brain)
        entries.append((line([], [], color=colour(brain, brains), linewidth=3.5), text))
    for kind, marker, size, text in (("curve", "o", 7, "people"),
                                     ("endpoint", "D", 8, "people, end point")):
        if kind in seen:
            entries.append((line([], [], color=PEOPLE, marker=marker, markerfacecolor="white",
                                 markersize=size, markeredgewidth=1.4, linestyle="none"), text))
    if banded:
        entries.append((patch(color=SCHEDULE), "full compensation"))
    handles, texts = zip(*entries)
    for rows in range(1, len(entries) + 1):
        columns = -(-len(entries) // rows)
        # Labels are put in afterwards: a legend takes none that begins with "_".
        legend = figure.legend(handles, ["x"] * len(entries), loc="upper left", ncol=columns,
                               frameon=False, columnspacing=1.6, handlelength=1.4, fontsize=13)
        for artist, text in zip(legend.get_texts(), texts):
            artist.set_parse_math(False)
            artist.set_text("\n".join(wrap(text, 0.28 * WIDTH, 13)))
        extent = legend.get_window_extent(figure.canvas.get_renderer())
        if columns == 1 or extent.width <= 0.985 * WIDTH * figure.dpi:
            return legend, extent.height / figure.dpi
        legend.remove()


def decorate(figure, run, drawn, brains, signals: int, deepest: list[int], banded: bool, seen,
             people, asked: bool, marked: bool, crowded: bool) -> None:
    """Title, legend and notes, with as much height as they need."""
    title = wrap(run.title or run.path.parent.name, WIDTH - 0.35, 19, bold=True)
    legend, legend_height = key(figure, drawn, brains, seen, banded)
    counts = [len(group.subjects) for group in drawn]
    n = f"n = {stats.span(counts, ' to ')}"
    size = scale(run)
    left_out = behaviour.left_out(run)
    left = undrawn(run)
    notes = [
        f"{run.extent[0].upper()}{run.extent[1:]}.",
        f"{left_out[0].upper()}{left_out[1:]}." if left_out else "",
        f"Not drawn: {', '.join(left)} (there is room for {MAX_COLUMNS} conditions, with a rotation if any has one)."
        if left else "",
        f"Model{f' at {size}' if size else ''}: mean over simulated subjects ({n} in each group)"
        + (", bands and bars ± SEM, thin lines individuals." if max(counts) > 1 else "."),
        f"People: {people}{', scaled to the rotation here' * ('scaled' in seen)}." if people else "",
        "Vertical grey lines: what is asked for, the perturbation, the feedback, the target, its reward or the brain "
        f"changes{' (not where too close)' * crowded}." if marked else "",
        "People's circles have the colour of the group that met the same." if asked and "curve" in seen
        else "",
    ]
    lines = [line for note in notes for line in textwrap.wrap(note, 140)]
    upper, lower = (0.1 + LINE * TITLE / 72.0 * n for n in deepest)
    top = 0.2 + LINE * 19 / 72.0 * len(title) + legend_height + upper
    gap = 0.3 + lower + 0.3 * asked  # an axis of its own above
    bottom = 0.79 + 0.195 * len(lines) + 0.2 * asked
    rest = 3.0 + 2.05 * signals + gap * signals
    height = top + rest + bottom
    figure.set_size_inches(WIDTH, height)
    figure.suptitle("\n".join(title), x=0.012, y=1.0 - 0.15 / height, ha="left", va="top",
                    fontsize=19, fontweight="bold", parse_math=False)
    legend.set_bbox_to_anchor((0.003, 1.0 - (0.14 + LINE * 19 / 72.0 * len(title)) / height))
    figure.text(0.012, 0.11 / height, "\n".join(lines), fontsize=SMALL, color="0.2", va="bottom",
                parse_math=False)
    mean_height = (rest - gap * signals) / (1 + signals)
    figure.subplots_adjust(left=0.086, right=0.975, top=1.0 - top / height, wspace=0.27,
                           hspace=gap / mean_height, bottom=bottom / height)


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
    parser.add_argument("--groups", metavar="NAME", nargs="+",
                        help="draw these groups alone (there is room for "
                        f"{MAX_COLUMNS} conditions)")
    options = parser.parse_args(arguments)
    if options.out and options.out.suffix not in FORMATS:
        parser.error(f"--out {options.out}: must end in one of {', '.join(FORMATS)}")
    try:
        run = behaviour.read(
            options.directory,
            {"angle_third", "reward"},
            {shown[0] for shown in SIGNALS.values()} | readouts.OPTIONAL,
        )
        if options.groups:
            unknown = [name for name in options.groups if name not in run.groups]
            if unknown:
                raise behaviour.BadInput(f"{run.path}: no group {', '.join(unknown)}; write some of "
                                         f"{', '.join(run.groups)} after --groups")
            run.groups = {name: group for name, group in run.groups.items()
                          if name in options.groups}
        if not reaches(run):
            if not any(np.isfinite(hits(s)).any() for g in run.groups.values() for s in g.subjects):
                raise behaviour.BadInput(f"{run.path}: no reaches or finger movements to draw; of "
                                         "probes `quartet tms` draws what they found")
            print(f"plot.py: {run.path}: no reaches, so hits of finger movements are drawn; maps of "
                  "the fingers: quartet maps", file=sys.stderr)
        people = load_targets()
    except (behaviour.BadInput, OSError) as error:
        print(f"plot.py: {error}", file=sys.stderr)
        return 2
    warnings.filterwarnings("ignore", "Glyph")  # a sign that the font has not is drawn as a box
    if left := undrawn(run):
        print(f"plot.py: not drawn for want of room or of a rotation: {', '.join(left)}; draw them alone: "
              f"--groups {' '.join(left)} --out FILE", file=sys.stderr)
    figure = draw(run, people)
    paths = [options.out] if options.out else [run.path.with_name(f"figure{end}")
                                               for end in (".png", ".pdf")]
    for path in paths:
        try:
            save(figure, path)
        except OSError as error:
            print(f"plot.py: {path}: not written ({error.strerror}); make room or its directory "
                  "writable, or name another file with --out", file=sys.stderr)
            return 2
    print(paths[0])
    return 0


if __name__ == "__main__":
    table.end(main, "plot.py")
