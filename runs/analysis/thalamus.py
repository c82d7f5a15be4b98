#!/usr/bin/python3
"""What cells of motor thalamus follow, trial by trial: the error, the reward-prediction error, or both.

    thalamus.py results/convergence

regresses the rate of every recorded VL and VA cell on the error and reward-prediction error of
perturbed trials and counts, per group, the shares that follow the error alone, the reward-prediction
error alone, both, or neither, whatever they prefer of several targets; the same with trials of a
target shuffled. Prints a table, writes units.csv (a row per cell) and shares.csv (a row per group and
population) into the run directory, and draws thalamus.png and .pdf: shares over
brain.thalamus.convergence, or by group where groups have the same. Spikes must have been recorded
(record.spikes). Subjects with too few perturbed trials for a regression are left out, and named.

Statistics are over simulated subjects; cells of a subject are not independent.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import pathlib
import sys

import matplotlib.pyplot as plt
import numpy as np

import behaviour
import netcdf
import reading
import stats
import table
from behaviour import BadInput
from figure import footnote, save_both, set_style

POPULATIONS = ("VL", "VA")
CONVERGENCE = "brain.thalamus.convergence"
KINDS = ("error", "reward", "mixed", "neither")
COLOURS = {"error": "#004488", "reward": "#DDAA33", "mixed": "#BB5566"}
MARKERS = {"error": ("s", 11), "reward": ("D", 8), "mixed": ("o", 5)}  # all seen where curves coincide
P = 0.01  # two-sided, of each coefficient
SHUFFLES = 20
MIN_FREEDOM = 26  # 30 trials with one target


def follows(rates: np.ndarray, error: np.ndarray, reward: np.ndarray, number: np.ndarray,
            target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """t values of the coefficients of error and of reward-prediction error, shape (cells,) each.

    Least squares of rates, shape (trials, cells), on both together, the trial's `number` in the run, so
    that slow drifts do not count, and a constant per `target` (an index), so that what cells prefer of
    them does not. NaN for a cell that never changes its rate.
    """
    trials = len(error)
    design = np.column_stack([error, reward, number, target[:, None] == np.arange(target.max() + 1)])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ design.T @ rates
    residual = np.sum((rates - design @ coefficients) ** 2, axis=0) / (trials - design.shape[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = coefficients[:2] / np.sqrt(np.outer(np.diag(inverse)[:2], residual))
    t[:, np.ptp(rates, axis=0) == 0] = np.nan
    return t[0], t[1]


def freedom(target: np.ndarray) -> int:
    """Degrees of freedom that follows() leaves."""
    return len(target) - 3 - len(np.unique(target))


def shuffled_within(target: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An order of trials in which each keeps its target."""
    order = np.arange(len(target))
    for one in np.unique(target):
        order[target == one] = random.permutation(order[target == one])
    return order


def threshold(n: int) -> float:
    """|t| beyond which a coefficient counts, at P, with n degrees of freedom.

    The t distribution's quantile from the normal's by its expansion in 1/n (Fisher & Cornish 1960);
    from MIN_FREEDOM on it is right to .001.
    """
    z = 2.5758293  # normal quantile of 1 - P / 2
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


def kinds(t_error: np.ndarray, t_reward: np.ndarray, limit: float) -> np.ndarray:
    """Index into KINDS per cell."""
    error, reward = np.abs(t_error) > limit, np.abs(t_reward) > limit
    return np.select([error & reward, error, reward], [2, 0, 1], 3)


def rates_by_trial(file, member: int, population: int, cells: int, window: tuple[float, float],
                   trial_ms: float, trials: int) -> np.ndarray:
    """Rates in Hz within `window` (ms from the trial's start), shape (trials, cells). Spikes of timestep
    t are stamped within (t, t + 1]."""
    own = (file["subject"].values == member) & (file["population"].values == population)
    time, cell = file["time_ms"].values[own], file["cell"].values[own].astype(int)
    trial = ((np.ceil(time) - 1) // trial_ms).astype(int)
    within = time - trial * trial_ms
    inside = (within > window[0]) & (within <= window[1]) & (trial < trials)
    counts = np.bincount(trial[inside] * cells + cell[inside], minlength=trials * cells)
    return counts.reshape(trials, cells) * (1000.0 / (window[1] - window[0]))


def measure(directory: str | pathlib.Path, seed: int = 1) -> tuple[list[dict], str]:
    """One row per cell of VL and VA of the recorded subjects, and who is left out, for people. Raises BadInput.

    Rates from when the moving hand may first be seen to the trial's end, so that both the error and
    the outcome are in the window. Of trials that reach an end and are perturbed: by a rotation, as it was
    drawn, or one of behaviour.DISTURBANCES. Groups, or subjects of the others, that have too few of these
    are left out; "" if none is. Of two targets the one that was chosen counts.
    """
    directory = pathlib.Path(directory)
    run = behaviour.read(directory, {"error", "reward_prediction_error"})
    path = directory / "thalamus_spikes.nc"
    if run.resolved is None or not path.is_file():
        raise BadInput(f"{directory}: no {'resolved.toml' if path.is_file() else path.name}; record "
                       "spikes: --set record.spikes.subjects=1 (or more)")
    body = run.resolved["body"]
    window = (body["go_ms"] + body["vision_delay_ms"], body["trial_ms"])
    random = np.random.default_rng(seed)
    rows, few = [], {}  # few: subjects that are left out, by group
    with netcdf.open_dataset(path) as file:
        names = file["population"].attrs["flag_meanings"].split()
        sizes = np.atleast_1d(file["population"].attrs["cells"]).astype(int)
        recorded = np.atleast_1d(file.attrs["recorded_subjects"]).tolist()
        for group in run.groups.values():
            for subject in group.subjects:
                member = subject.member
                if member not in recorded:
                    continue
                error = subject.columns["error"]
                reward = subject.columns["reward_prediction_error"]
                turned = np.nan_to_num(subject.columns["drawn_rotation"]) != 0
                perturbed = turned | subject.columns["disturbed"]
                use = np.flatnonzero(perturbed & np.isfinite(error) & np.isfinite(reward))
                chose_second = np.broadcast_to(subject.columns.get("chose_second", 0), perturbed.shape)
                seen = np.column_stack([subject.targets(), np.nan_to_num(chose_second)])[use]
                target = np.unique(seen, axis=0, return_inverse=True)[1].ravel()
                if freedom(target) < MIN_FREEDOM:
                    few.setdefault(group.name, []).append(subject.name)
                    continue
                error, reward = error[use], reward[use]
                limit = threshold(freedom(target))
                for population in POPULATIONS:
                    index = names.index(population)
                    rates = rates_by_trial(file, member, index, int(sizes[index]), window,
                                           body["trial_ms"], subject.trials)[use]
                    t = follows(rates, error, reward, use, target)
                    found = kinds(*t, limit)
                    shuffled = np.zeros((SHUFFLES, rates.shape[1]), int)
                    for k in range(SHUFFLES):
                        order = shuffled_within(target, random)
                        t_shuffled = follows(rates, error[order], reward[order], use, target)
                        shuffled[k] = kinds(*t_shuffled, limit)
                    for cell, kind in enumerate(found):
                        rows.append({
                            "group": group.name,
                            "convergence": behaviour.setting(run.resolved, group.name, CONVERGENCE),
                            "subject": member, "seed": subject.seed, "population": population,
                            "cell": cell, "trials": len(error),
                            "rate_hz": float(rates[:, cell].mean()),
                            "t_error": float(t[0][cell]), "t_reward": float(t[1][cell]),
                            "kind": KINDS[kind],
                        } | {f"shuffled_{name}": float(np.mean(shuffled[:, cell] == k))
                             for k, name in enumerate(KINDS[:3])})
    if not rows and not few:
        raise BadInput(f"{path}: no finished subject with recorded spikes")
    if not rows:
        raise BadInput(f"{path}: no recorded subject has {MIN_FREEDOM + 4} perturbed trials that reach an "
                       "end (and one more for every further target), which a regression wants; give blocks "
                       "a perturbation, or more trials")
    kept = {row["group"] for row in rows}
    named = [name for group, names in few.items() for name in (names if group in kept else [f"group {group}"])]
    why = (f"fewer than {MIN_FREEDOM + 4} perturbed trials that reach an end, and one more for every further "
           "target")
    return rows, f"left out: {', '.join(named)} ({why})" if named else ""


def shares(rows: list[dict]) -> list[dict]:
    """One row per group and population (and both together): mean shares over subjects, their
    standard errors, and shares in shuffled trials."""
    result = []
    for group in dict.fromkeys(row["group"] for row in rows):
        for population in (*POPULATIONS, "all"):
            own = [r for r in rows if r["group"] == group and population in (r["population"], "all")]
            seeds = sorted({r["subject"] for r in own})
            record = {"group": group, "convergence": own[0]["convergence"],
                      "population": population, "n": len(seeds),
                      "cells": len(own) // len(seeds)}
            for kind in KINDS:
                values = [np.mean([r["kind"] == kind for r in own if r["subject"] == s])
                          for s in seeds]
                record[kind], sem = stats.mean_sem(values)
                record[f"{kind}_sem"] = table.finite(sem)
                if kind != "neither":
                    record[f"shuffled_{kind}"] = float(np.mean([r[f"shuffled_{kind}"] for r in own]))
            result.append(record)
    return result


def print_table(records: list[dict]) -> None:
    print(f"Cells of motor thalamus whose rate follows the error, the reward-prediction error or both "
          f"(p < {P:g} each),\nas a share of all; in brackets with trials shuffled. Mean ± SEM over "
          "subjects.\n")
    header = ("group", "convergence", "population", "cells", "n", "error only", "reward only", "both",
              "neither")
    cells = []
    for r in records:
        line = [r["group"], f"{r['convergence']:g}", r["population"], str(r["cells"]), str(r["n"])]
        for kind in KINDS:
            text = table.number(r[kind], r[f"{kind}_sem"])
            line.append(text if kind == "neither" else f"{text} [{r[f'shuffled_{kind}']:.2g}]")
        cells.append(tuple(line))
    table.show(header, cells)


def draw(records: list[dict], title: str, cut: str, left: str) -> plt.Figure:
    """A panel per population, shares over convergence, or by group where some or all have the same. `cut`: what
    is unlike the whole experiment; `left`: who of measure() is left out."""
    set_style(12)
    figure, panels = plt.subplots(1, 3, figsize=(12, 4.2), sharey=True, layout="constrained")
    groups = list(dict.fromkeys(r["group"] for r in records))
    by_group = len({r["convergence"] for r in records}) < max(2, len(groups))
    names = {"error": "error only", "reward": "reward-prediction error only", "mixed": "both"}
    for axes, population in zip(panels, (*POPULATIONS, "all")):
        own = [r for r in records if r["population"] == population]
        if not by_group:
            own.sort(key=lambda r: r["convergence"])
        x = range(len(own)) if by_group else [r["convergence"] for r in own]
        for kind, tint in COLOURS.items():
            marker, size = MARKERS[kind]
            axes.errorbar(x, [r[kind] for r in own], [r[f"{kind}_sem"] or 0.0 for r in own], color=tint,
                          marker=marker, markersize=size, linestyle="none" if by_group else "-",
                          linewidth=2.2, label=names[kind])
            axes.plot(x, [r[f"shuffled_{kind}"] for r in own], "_" if by_group else ":", color=tint,
                      linewidth=1.4, markersize=22)
        axes.set_title({"all": "VL and VA"}.get(population, population), loc="left",
                       fontweight="bold")
        if by_group:
            axes.set_xticks(x, groups, rotation=30, ha="right", parse_math=False)
            axes.set_xlim(-0.5, len(groups) - 0.5)
        else:
            axes.set_xlabel("convergence")
    panels[0].set_ylabel("share of cells")
    top = axes.get_ylim()[1]  # of all panels, when all curves are drawn
    axes.set_ylim(-0.03 * top, top)
    figure.legend(*axes.get_legend_handles_labels(), frameon=False, fontsize=10, ncols=3,
                  loc="upper left", bbox_to_anchor=(0, 1 - 0.22 / figure.get_figheight()))
    figure.suptitle(f"{title}\n", x=0.012, ha="left", fontweight="bold", fontsize=15, parse_math=False)
    n = stats.span(r["n"] for r in records)
    note = (f"Mean ± SEM over n = {n} subject{'s'[: n != '1']}; {'lines' if by_group else 'dotted'}: the same "
            "with trials shuffled.")
    lines = [*footnote(cut, f"{left[:1].upper()}{left[1:]}", 140), *footnote("", note, 140)]
    figure.supxlabel("\n".join(lines), fontsize=10, color="0.2", x=0.012, ha="left")
    return figure


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    rows, left = measure(directory)
    if left:
        print(f"thalamus.py: {left}", file=sys.stderr)
    records = shares(rows)
    run = behaviour.read(directory, set())
    table.write_csv(directory / "units.csv", rows)
    table.write_csv(directory / "shares.csv", records)
    figure = draw(records, run.title or directory.name, run.cut, left)
    return records, lambda: print_table(records), save_both(figure, directory, "thalamus"), run.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("thalamus", "Counts cells of motor thalamus that follow error, reward-prediction "
                        "error or both.", "a run directory with thalamus_spikes.nc", "results/convergence",
                        analyse, arguments)


if __name__ == "__main__":
    table.end(main, "thalamus.py")
