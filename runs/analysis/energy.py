#!/usr/bin/python3
"""What a run's regions and populations use, and how that changes from one phase to another.

    energy.py results/mine --between baseline rotated

prints, per group, region and population, the power of every term of the ledger in the first phase
(models/energy.hpp says what is counted and which constants are assumed), and how far the second
phase differs: by the ledger, and by the rule of thumb of 2 nJ per spike, the latter also as a share
of a brain's 20 W. Writes the same, in watts, as energy.csv into the run directory. For groups with both
phases it then shows where on the motor sheet that is: a BOLD-like map (bold.py says of what), bold.csv,
bold.png and .pdf; and where fingers move alone how far their patterns differ: bold_fingers.csv.

Means over subjects of the power over whole trials. Rates (rate_hz) are per cell that lives in that phase;
those in behaviour.nc and REGION.nc are per cell of the intact population, and lower where cells were
removed. Changes that are rounding alone are 0.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import argparse
import pathlib
import sys

import numpy as np

import behaviour
import bold
import netcdf
import stats
import table
from behaviour import BadInput
from figure import save_both

REGIONS = ("cortex", "cerebellum", "basal_ganglia", "thalamus")
BRAIN_WATT = 20  # of the whole human brain


def phases_of(subject) -> dict[str, np.ndarray]:
    """A subject's trials by phase, in the schedule's order; blocks without one are their own,
    "block 0" for the first."""
    names = np.array([f"block {block:.0f}" for block in subject.columns["block"]], dtype=object)
    for label, trials in subject.labels.items():
        names[trials] = label
    return {name: np.flatnonzero(names == name) for name in dict.fromkeys(names)}


def phases_between(groups, wanted: list[str] | None) -> dict[str, list[str]]:
    """The two phases to compare, by group; the second is None where a schedule has but one. Groups
    that have not both of `wanted` are left out, and said. Raises BadInput where none has."""
    names = {group.name: list(phases_of(group.subjects[0])) for group in groups}
    if wanted and wanted[0] == wanted[1]:
        raise BadInput(f"--between {wanted[0]} {wanted[1]}: a phase does not differ from itself; give two")
    if not wanted:
        return {group: (own + [None])[:2] for group, own in names.items()}
    lacking = {group: [name for name in wanted if name not in own] for group, own in names.items()}
    if all(lacking.values()):
        have = "; ".join(f"{group}: {', '.join(own)}" for group, own in names.items())
        raise BadInput(f"no group has the phases {' and '.join(wanted)}; write two of one group's "
                       f"after --between ({have})")
    for group, absent in lacking.items():
        if absent:
            print(f"energy.py: left out: {group} has no phase {' or '.join(absent)}; it has "
                  f"{', '.join(names[group])}", file=sys.stderr)
    return {group: list(wanted) for group, absent in lacking.items() if not absent}


def measure(directory: pathlib.Path, run, phases_by_group: dict[str, list[str]]) -> list[dict]:
    """One row per group, region and population, and one per region (population "all"); watts.
    Raises BadInput."""
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
                    power = np.column_stack([
                        energy[subject.member, own].mean(axis=0), thumb[subject.member, own].mean(axis=0),
                        spikes[subject.member, own].mean(axis=0)]) / seconds
                    mean.append(np.column_stack([power, cells[subject.member, own].mean(axis=0)]))
            first = np.mean(means[0], axis=0)
            second = np.mean(means[1], axis=0) if means[1] else np.full_like(first, np.nan)
            together = [("all", first.sum(axis=0), second.sum(axis=0))]
            for name, a, b in [*zip(populations, first, second), *together]:
                *_, thumb_watt, _, number = a
                used = dict(zip(terms, a))
                total = sum(used.values())
                rate, other_rate = (x[-2] / x[-1] if x[-1] else np.nan for x in (a, b))
                *terms_change, thumb_change, _, _ = stats.change(a, b)
                rows.append(
                    {"group": group.name, "region": region, "population": name,
                     "phase": phases[0], "subjects": len(group.subjects), "cells": number,
                     "rate_hz": rate}
                    | {f"{term}_watt": watt for term, watt in used.items()}
                    | {"total_watt": total,
                       "total_without_plasticity_watt": total - used["plasticity"],
                       "rule_of_thumb_watt": thumb_watt, "other_phase": phases[1] or "",
                       "change_rate_hz": float(stats.change(rate, other_rate)),
                       "change_watt": sum(terms_change), "change_rule_of_thumb_watt": thumb_change,
                       "change_share": sum(terms_change) / total if total else np.nan,
                       "change_rule_of_thumb_share_of_brain": thumb_change / BRAIN_WATT})
    return rows


def measure_sheet(directory: pathlib.Path, run, phases_by_group: dict[str, list[str]]) -> list[dict]:
    """What bold.py measures, of the groups that have two phases; says which have no map. Raises
    BadInput."""
    chosen = {}
    for name, phases in phases_by_group.items():
        if phases[1] is None:
            print(f"energy.py: no map of {name}, which has one phase", file=sys.stderr)
            continue
        trials = [phases_of(subject) for subject in run.groups[name].subjects]
        chosen[name] = phases, [[own[phase] for phase in phases] for own in trials]
    rows = bold.measure(directory / "cortex_energy.nc", run.groups, chosen)
    if rows is None:
        print(f"energy.py: {directory / 'cortex_energy.nc'}: has no map of the sheet; run the experiment "
              "again with this version to have one", file=sys.stderr)
    return rows or []


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
    directory = options.directory
    try:
        run = behaviour.read(directory, set())
        phases = phases_between(run.groups.values(), options.between)
        rows = measure(directory, run, phases)
        sheet = measure_sheet(directory, run, phases)
        fingers = bold.fingers(directory)
    except (BadInput, OSError) as error:
        print(f"energy.py: {error}", file=sys.stderr)
        return 2
    print_table(rows)
    if sheet:
        bold.show(sheet)
    if fingers:
        bold.show_fingers(fingers)
    if run.cut:
        print(f"\n{behaviour.extent_of(run.cut)}")
    try:
        for name, written in (("energy.csv", rows), ("bold.csv", sheet), ("bold_fingers.csv", fingers)):
            path = directory / name
            if written:
                table.write_csv(path, written)
            else:  # one there is of an earlier call
                path.unlink(missing_ok=True)
        if sheet:
            path = directory / "bold.png"
            drawn = bold.draw(sheet, run.labels, run.title or directory.name, run.cut)
            print(f"\nFigure: {save_both(drawn, directory, 'bold')}")
        else:
            for path in (directory / "bold.png", directory / "bold.pdf"):
                path.unlink(missing_ok=True)
    except OSError as error:  # somebody else's run, or a full disk: the numbers are there
        print(f"energy.py: {path}: not written ({error.strerror}), but printed; make room or its directory "
              "writable, or copy the run elsewhere", file=sys.stderr)
    return 0


if __name__ == "__main__":
    table.end(main, "energy.py")
