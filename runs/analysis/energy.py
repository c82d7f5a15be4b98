#!/usr/bin/python3
"""What a run's regions and populations use, and how that changes from one phase to another.

    energy.py results/mine --between baseline rotated

prints, per group, region and population, the power of every term of the ledger in the first phase
(models/energy.hpp says what is counted and which constants are assumed), and how far the second
phase differs: by the ledger, and by the rule of thumb of 2 nJ per spike, the latter also as a share
of a brain's 20 W. Writes the same, in watts, as energy.csv into the run directory.

Means over subjects of the power over whole trials. Rates (rate_hz) are per living cell; those in
behaviour.nc and REGION.nc are per cell of the intact population, and lower where cells were removed.

Then what a scanner would see of the motor sheet: a BOLD-like map, bold.csv and bold.png and .pdf. Blood
flow follows transmission rather than spikes (Logothetis et al. 2001, Nature 412:150): per bin of the
sheet the power of synapses, release and recycling, blurred by a Gaussian of FWHM sheet units, and how
far the second phase differs, as a share of the first. It is the mean over whole trials, as of a block
design, and not in per cent of a scanner's signal, to which haemodynamics and the power of rest add.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import pathlib
import signal
import sys

sys.dont_write_bytecode = True  # the sources may be installed where nobody may write
if __name__ == "__main__":  # before the slow imports: Ctrl-C and `| head` end it quietly
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

import behaviour
import netcdf
import table
from behaviour import BadInput
from figure import save_both
from maps import FIELDS

REGIONS = ("cortex", "cerebellum", "basal_ganglia", "thalamus")
BRAIN_WATT = 20  # of the whole human brain
# Sheet units, of .8 mm: of gradient echoes at 7 T (2.3 mm: Shmuel et al. 2007, NeuroImage 35:539).
FWHM = 2.9


def phases_of(subject) -> dict[str, np.ndarray]:
    """A subject's trials by phase, in the schedule's order; blocks without one are their own,
    "block 0" for the first."""
    names = np.array([f"block {block:.0f}" for block in subject.columns["block"]], dtype=object)
    for label, trials in subject.labels.items():
        names[trials] = label
    return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names)}


def phases_between(groups, wanted: list[str] | None, silent: bool = False) -> dict[str, list[str]]:
    """The two phases to compare, by group; the second is None where a schedule has but one. Groups
    that have not both of `wanted` are left out, and said unless `silent`. Raises BadInput where none
    has."""
    names = {group.name: list(phases_of(group.subjects[0])) for group in groups}
    if not wanted:
        return {group: (own + [None])[:2] for group, own in names.items()}
    lacking = {group: [name for name in wanted if name not in own] for group, own in names.items()}
    if all(lacking.values()):
        have = "; ".join(f"{group}: {', '.join(own)}" for group, own in names.items())
        raise BadInput(f"no group has the phases {' and '.join(wanted)}; write two of one group's "
                       f"after --between ({have})")
    for group, absent in lacking.items():
        if absent and not silent:
            print(f"energy.py: left out: {group} has no phase {' or '.join(absent)}; it has "
                  f"{', '.join(names[group])}", file=sys.stderr)
    return {group: list(wanted) for group, absent in lacking.items() if not absent}


def measure(directory: str | pathlib.Path, between: list[str] | None = None) -> list[dict]:
    """One row per group, region and population, and one per region (population "all"); watts.
    Raises BadInput."""
    directory = pathlib.Path(directory)
    run = behaviour.read(directory, set())
    phases_by_group = phases_between(run.groups.values(), between)
    rows = []
    for region in REGIONS:
        path = directory / f"{region}_energy.nc"
        if not path.is_file():
            raise BadInput(f"{path}: no such file; copy it from where the run was made, or run the "
                           "experiment again with this version")
        with netcdf.open_dataset(path) as file:
            seconds = 1e-3 * float(file.attrs["trial_duration_ms"])
            populations = netcdf.texts(file["population"])
            terms = netcdf.texts(file["term"])
            energy = file["energy"].transpose("subject", "trial", "population", "term").values
            thumb = file["energy_rule_of_thumb"].transpose("subject", "trial", "population").values
            spikes = file["spikes"].transpose("subject", "trial", "population").values
            cells = file["cells"].transpose("subject", "trial", "population").values
        for group in (run.groups[name] for name in phases_by_group):
            phases = phases_by_group[group.name]
            means = [[] for _ in phases]
            for subject in group.subjects:
                trials = phases_of(subject)
                for phase, mean in zip(phases, means):
                    if phase is None:
                        continue
                    own = trials[phase]
                    mean.append(np.column_stack([
                        energy[subject.member, own].mean(axis=0), thumb[subject.member, own].mean(axis=0),
                        spikes[subject.member, own].mean(axis=0)]) / seconds)
            first = np.mean(means[0], axis=0)
            second = np.mean(means[1], axis=0) if means[1] else np.full_like(first, np.nan)
            count = np.mean([cells[s.member, phases_of(s)[phases[0]][0]]
                             for s in group.subjects], axis=0)
            stacks = list(zip(populations, first, second, count))
            for name, a, b, number in stacks + [("all", first.sum(axis=0), second.sum(axis=0),
                                                 count.sum())]:
                used = dict(zip(terms, a))
                rows.append(
                    {"group": group.name, "region": region, "population": name,
                     "phase": phases[0], "subjects": len(group.subjects), "cells": number,
                     "rate_hz": a[-1] / number if number else np.nan}
                    | {f"{term}_watt": watt for term, watt in used.items()}
                    | {"total_watt": sum(used.values()),
                       "total_without_plasticity_watt": sum(used.values()) - used["plasticity"],
                       "rule_of_thumb_watt": a[-2], "other_phase": phases[1] or "",
                       "change_rate_hz": (b - a)[-1] / number if number else np.nan,
                       "change_watt": (b - a)[:-2].sum(), "change_rule_of_thumb_watt": (b - a)[-2],
                       "change_share": (b - a)[:-2].sum() / sum(used.values())
                                       if sum(used.values()) else np.nan,
                       "change_rule_of_thumb_share_of_brain": (b - a)[-2] / BRAIN_WATT})
    return rows


def blur(power: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A map (y, x) through a Gaussian of FWHM that ends with the sheet."""
    def kernel(at):
        weights = np.exp(-4 * np.log(2) * (at[:, None] - at) ** 2 / FWHM**2)
        return weights / weights.sum(axis=1, keepdims=True)
    return kernel(y) @ power @ kernel(x).T


def bold(directory: str | pathlib.Path, between: list[str] | None = None) -> list[dict]:
    """One row per group that has two phases and bin of the sheet: watts in the first phase, and the
    change to the second as a share of it, both blurred. Raises BadInput."""
    directory = pathlib.Path(directory)
    run = behaviour.read(directory, set())
    rows = []
    with netcdf.open_dataset(directory / "cortex_energy.nc") as file:
        if "transmission_energy" not in file.variables:
            raise BadInput(f"{directory / 'cortex_energy.nc'}: has no map of the sheet; run the "
                           "experiment again with this version")
        seconds = 1e-3 * float(file.attrs["trial_duration_ms"])
        x, y = file["sheet_x"].values, file["sheet_y"].values
        joules = file["transmission_energy"].transpose("subject", "trial", "sheet_y", "sheet_x").values
    for name, phases in phases_between(run.groups.values(), between, silent=True).items():
        if phases[1] is None:
            continue
        firsts, changes = [], []
        for subject in run.groups[name].subjects:
            trials = phases_of(subject)
            first, second = (blur(joules[subject.member, trials[phase]].mean(axis=0) / seconds, x, y)
                             for phase in phases)
            firsts.append(first)
            changes.append(second / first - 1)
        change = np.mean(changes, axis=0)
        sem = (np.std(changes, axis=0, ddof=1) / np.sqrt(len(changes)) if len(changes) > 1
               else np.full_like(change, np.nan))
        first = np.mean(firsts, axis=0)
        rows += [{"group": name, "phase": phases[0], "other_phase": phases[1],
                  "subjects": len(changes), "x": x[column], "y": y[row],
                  "watt": first[row, column], "change_share": change[row, column],
                  "change_share_sem": sem[row, column]}
                 for row in range(len(y)) for column in range(len(x))]
    return rows


def nearest_muscle(x: float, y: float) -> str:
    return min(FIELDS, key=lambda muscle: (FIELDS[muscle][0] - x) ** 2 + (FIELDS[muscle][1] - y) ** 2)


def print_bold(rows: list[dict]) -> None:
    cells = []
    for name in dict.fromkeys(row["group"] for row in rows):
        own = [row for row in rows if row["group"] == name]
        line = [name, f"{own[0]['phase']} to {own[0]['other_phase']}", str(own[0]["subjects"])]
        for row in (max(own, key=lambda r: r["change_share"]), min(own, key=lambda r: r["change_share"])):
            line += [f"{100 * row['change_share']:+.1f}", f"({row['x']:g}, {row['y']:g})",
                     nearest_muscle(row["x"], row["y"])]
        cells.append(tuple(line))
    print("\nBOLD-like map of the motor sheet: change of the power of transmission, %")
    table.show(("group", "phases", "n", "most", "at", "nearest to", "least", "at", "nearest to"), cells)


def draw_bold(rows: list[dict], labels: dict[str, str], title: str) -> plt.Figure:
    """Per group the sheet with its change of the power of transmission; all on one scale."""
    plt.rcParams.update({"font.size": 10, "pdf.fonttype": 42, "svg.hashsalt": "quartet"})
    groups = list(dict.fromkeys(row["group"] for row in rows))
    most = 100 * max(abs(row["change_share"]) for row in rows) or 1.0
    figure, panels = plt.subplots(len(groups), 1, figsize=(8.2, 2.45 * len(groups) + 0.9),
                                  squeeze=False, layout="constrained")
    for axes, name in zip(panels[:, 0], groups):
        own = [row for row in rows if row["group"] == name]
        x, y = (sorted({row[axis] for row in own}) for axis in "xy")
        change = 100 * np.array([row["change_share"] for row in own]).reshape(len(y), len(x))
        half = (x[1] - x[0]) / 2
        image = axes.imshow(change, origin="lower", cmap="RdBu_r", vmin=-most, vmax=most,
                            extent=(x[0] - half, x[-1] + half, y[0] - half, y[-1] + half))
        for muscle, (at_x, at_y) in FIELDS.items():
            axes.plot(at_x, at_y, "+", color="black", markersize=4)
            axes.text(at_x, at_y + 0.25, muscle.replace(" ", "\n"), ha="center", va="bottom",
                      fontsize=6, linespacing=0.9,
                      path_effects=[withStroke(linewidth=1.5, foreground="white")])
        axes.set_title(f"{labels.get(name, name)}: {own[0]['phase']} to {own[0]['other_phase']} "
                       f"(n = {own[0]['subjects']})", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(image, ax=panels[:, 0], label="change of the power\nof transmission, %", shrink=0.6)
    figure.suptitle(f"{title}: BOLD-like map of the motor sheet, medial to lateral", fontsize=11)
    return figure


def print_table(rows: list[dict]) -> None:
    """Nanowatts, a table per group."""
    terms = [key.removesuffix("_watt") for key in rows[0]
             if key.endswith("_watt") and "rule" not in key and "total" not in key
             and "change" not in key]

    def nano(value: float) -> str:
        return "-" if np.isnan(value) else f"{1e9 * value:.3g}"

    for name in dict.fromkeys(row["group"] for row in rows):
        own = [row for row in rows if row["group"] == name]
        print(f"\n{name}: nW in {own[0]['phase']}"
              + (f"; change to {own[0]['other_phase']}" if own[0]["other_phase"] else "")
              + f" (mean of {own[0]['subjects']} subject{'s'[: own[0]['subjects'] != 1]})")
        table.show(("region", "population", "Hz per\nliving cell", *terms, "total", "at 2 nJ\nper spike",
                    "change\nHz", "change\nnW", "change\n%", "change at 2 nJ\nnW"),
                   [(row["region"], row["population"], table.number(row["rate_hz"]),
                     *[nano(row[f"{term}_watt"]) for term in terms], nano(row["total_watt"]),
                     nano(row["rule_of_thumb_watt"]), table.number(row["change_rate_hz"]),
                     nano(row["change_watt"]), table.number(100 * row["change_share"]),
                     nano(row["change_rule_of_thumb_watt"])) for row in own])
        total, plasticity, thumb, change, change_thumb = (
            sum(row[key] for row in own if row["population"] == "all")
            for key in ("total_watt", "plasticity_watt", "rule_of_thumb_watt", "change_watt",
                        "change_rule_of_thumb_watt"))
        print(f"All regions: {nano(total)} nW ({nano(total - plasticity)} without plasticity, whose "
              f"cost is assumed); at 2 nJ per spike {nano(thumb)} nW.")
        if own[0]["other_phase"]:
            print(f"Change: {nano(change)} nW, {table.number(100 * change / total)} % of it; at 2 nJ "
                  f"per spike {nano(change_thumb)} nW, {table.number(100 * change_thumb / BRAIN_WATT)}"
                  f" % of a brain's {BRAIN_WATT} W.")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="energy.py",
        description="What a run's regions and populations use, how it changes between phases, and "
                    "where on the motor sheet.",
        epilog="Example: energy.py results/mine --between baseline rotated",
    )
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="a run directory")
    parser.add_argument("--between", nargs=2, metavar="PHASE", help="default: the first two")
    options = parser.parse_args(arguments)
    try:
        rows = measure(options.directory, options.between)
    except (BadInput, OSError) as error:
        print(f"energy.py: {error}", file=sys.stderr)
        return 2
    print_table(rows)
    try:
        activation = bold(options.directory, options.between)
    except BadInput as error:  # a run of an earlier version: its ledger is there
        print(f"energy.py: no bold.png: {error}", file=sys.stderr)
        activation = []
    if activation:
        print_bold(activation)
    path = options.directory / "energy.csv"
    try:
        table.write_csv(path, rows)
        if activation:
            path = options.directory / "bold.csv"
            table.write_csv(path, activation)
            path = options.directory / "bold.png"
            experiment = behaviour.resolved(options.directory) or {}
            labels = {g["name"]: g.get("label", g["name"]) for g in experiment.get("group", [])}
            drawn = draw_bold(activation, labels, experiment.get("title", options.directory.name))
            print(f"\nFigure: {save_both(drawn, options.directory, 'bold')}")
    except OSError as error:  # somebody else's run, or a full disk: the numbers are there
        print(f"energy.py: {path}: not written ({error.strerror}), but "
              "printed; make room or its directory writable, or copy the run elsewhere",
              file=sys.stderr)
    return 0


if __name__ == "__main__":
    table.end(main, "energy.py")
