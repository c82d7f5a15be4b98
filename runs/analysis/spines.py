#!/usr/bin/python3
"""How the synapses of the motor sheet come and go while fingers are practised.

    spines.py results/spines

follows the synapses among layer 2/3 cells and of these on corticospinal cells from snapshot to
snapshot, prints a table, writes spines.csv (a row per subject and snapshot) into the run directory,
and draws spines.png and .pdf. The run must have recorded weights (record.weights_subjects) of a
sheet whose synapses come and go (brain.cortex.sheet_plasticity.spines.structural).

Counted are synapses on cells within REACH of the centre of a practised finger's field, without those
that a focal lesion kills; in groups that practise nothing, on the same cells. Per snapshot, as shares
of the synapses at the start:
    density       synapses that are there; transient: those that have not decided
    per_day       synapses that formed since the last snapshot and are still there, per day: the
                  longer the block the fewer, as many go before it ends
    first_left    synapses of the start that are still there
and of the synapses that formed from the first practice on and are there at its end (the cohort; in
groups that practise nothing, over the same trials)
    survival      the share that is still there; of those whose source lies by the same practised
                  finger as their target (coactive), and of the others (other)
Days are model days of day_s seconds (models/spines.hpp). Statistics are over simulated subjects.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import itertools
import pathlib

import matplotlib.pyplot as plt
import numpy as np

import behaviour
import netcdf
import reading
import sheet
import stats
import table
from behaviour import BadInput
from figure import footnote, save_both, set_style

PROJECTIONS = ("L23E_L23E", "L23E_L5PT")
DAY_KEY = "brain.cortex.sheet_plasticity.spines.day_s"
REACH = 0.85  # of a finger's field, sheet units: 1.2 of its SDs (chosen)
TINTS = ("#EE6677", "#4477AA", "#CCBB44", "#228833", "#AA3377", "#66CCEE")


def finger_of(x: np.ndarray, y: np.ndarray, practised: list[int]) -> np.ndarray:
    """Digit of the nearest practised finger, 0 where none is within reach."""
    centres = np.array([sheet.FIELDS[sheet.FINGERS[digit - 1]] for digit in practised])
    distance = np.hypot(x[:, None] - centres[:, 0], y[:, None] - centres[:, 1])
    return np.where(distance.min(axis=1) < REACH, np.array(practised)[distance.argmin(axis=1)], 0)


class Synapses:
    """What a snapshot says of the synapses on the cells by practised fingers, flattened."""

    def __init__(self, file, index: int, practised: list[int], blocks: list[dict]):
        present, transient, formed, coactive = [], [], [], []
        for name in PROJECTIONS:
            places = [file[f"target_{axis}_{name}"].values for axis in "xy"]
            target = np.where(sheet.alive(*places, blocks), finger_of(*places, practised), 0)
            source = finger_of(*(file[f"source_{axis}_{name}"].values for axis in "xy"), practised)
            near = target > 0
            spine = file[f"spine_{name}"][index].values[near]
            cell = file[f"source_{name}"][index].values[near].astype(int)
            present.append((spine > 0).ravel())
            transient.append((spine == sheet.TRANSIENT).ravel())
            formed.append(file[f"formed_day_{name}"][index].values[near].ravel())
            coactive.append((np.append(source, 0)[cell] == target[near, None]).ravel())
        self.present, self.transient = np.concatenate(present), np.concatenate(transient)
        self.formed, self.coactive = np.concatenate(formed), np.concatenate(coactive)


def share(part: np.ndarray, of: np.ndarray) -> float:
    """Of those that are in `of`; NaN where there is none."""
    return float(np.count_nonzero(part & of) / np.count_nonzero(of)) if of.any() else np.nan


def measure(directory: pathlib.Path) -> list[dict]:
    """A row per subject and snapshot. Raises BadInput."""
    experiment = behaviour.experiment_of(directory)
    path = directory / "cortex_weights.nc"
    if not path.is_file():
        raise BadInput(f"{path}: no such file; record weights: --set record.weights_subjects=1 (or "
                       "more)")
    all_blocks = {group["name"]: behaviour.blocks_of(experiment, group["name"])
                  for group in experiment["group"]}
    practices = [p for p in map(behaviour.practice_of, all_blocks.values()) if p]
    if not practices:
        raise BadInput(f"{directory}: no group practises fingers; run runs/experiments/spines.toml, or "
                       "give a block task = \"fingers\"")
    practised = behaviour.practised_fingers([b for blocks in all_blocks.values() for b in blocks])
    rows = []
    with netcdf.open_dataset(path) as file:
        if f"spine_{PROJECTIONS[0]}" not in file.variables:
            raise BadInput(f"{path}: its synapses do not come and go; run with --set "
                           "brain.cortex.sheet_plasticity.plastic=true --set "
                           "brain.cortex.sheet_plasticity.spines.structural=true")
        groups = netcdf.texts(file["group_name"])
        members = file["subject"].values
        for member in dict.fromkeys(members.tolist()):
            own = np.flatnonzero(members == member)
            group = groups[own[0]]
            blocks = all_blocks[group]
            if len(own) != len(blocks) + 1:  # still running, or stopped
                continue
            first, last = behaviour.practice_of(blocks) or practices[0]
            if last >= len(blocks):
                continue
            day_s = behaviour.setting(experiment, group, DAY_KEY)
            days = file["time_ms"].values[own] / (1e3 * day_s)
            snapshots = [Synapses(file, int(i), practised, blocks) for i in own]
            start = snapshots[0].present
            cohort = snapshots[last + 1]
            moment = 0.5 / day_s  # days have rounded floats; synapses form once a second
            new = cohort.present & (cohort.formed > days[first] + moment)
            for k, now in enumerate(snapshots):
                there = new & now.present & (now.formed == cohort.formed)
                since = days[k - 1] + moment if k else np.inf
                number = np.count_nonzero(start)
                after = k > last
                rows.append({
                    "group": group, "subject": member, "block": k - 1,
                    "phase": behaviour.phase_name(blocks[k - 1], k - 1) if k else "start",
                    "day": float(days[k] - days[first]),
                    "practice": "" if k <= first else "on" if k <= last + 1 else "over",
                    "density": np.count_nonzero(now.present) / number,
                    "transient": np.count_nonzero(now.transient) / number,
                    "per_day": (np.count_nonzero(now.present & (now.formed > since)) / number
                                / (days[k] - days[k - 1]) if k else np.nan),
                    "first_left": share(now.present & (now.formed == 0), start),
                    "cohort": int(np.count_nonzero(new)),
                    "survival": share(there, new) if after else np.nan,
                    "survival_coactive": share(there, new & cohort.coactive) if after else np.nan,
                    "survival_other": share(there, new & ~cohort.coactive) if after else np.nan,
                })
    if not rows:
        raise BadInput(f"{directory}: no finished subject whose weights are recorded; run or resume it "
                       "to the end, with record.weights_subjects = 1 or more")
    return rows


def summary(rows: list[dict]) -> list[dict]:
    """A record per group and snapshot from the first practice on: means over subjects and SEM."""
    records = []
    for group, block in dict.fromkeys((r["group"], r["block"]) for r in rows):
        here = [r for r in rows if (r["group"], r["block"]) == (group, block)]
        if here[0]["day"] < 0:
            continue
        record = {key: here[0][key] for key in ("group", "block", "phase", "day")} | {"n": len(here)}
        for name in ("density", "transient", "per_day", "first_left", "survival", "survival_coactive",
                     "survival_other"):
            record[name], record[f"{name}_sem"] = stats.mean_sem(r[name] for r in here)
        records.append(record)
    return records


def print_table(records: list[dict]) -> None:
    print("Synapses on the cells of the practised fingers, as shares of those at the start; mean ± SEM "
          "over subjects.\n")
    header = ("group", "after", "day", "n", "density", "tran-\nsient", "formed\nper day",
              "first ones\nleft", "new ones\nsurvive", "coactive", "other")
    cells = []
    for r in records:
        cells.append((r["group"], r["phase"], f"{r['day']:.3g}", str(r["n"]),
                      *(table.number(r[name], r[f"{name}_sem"]) for name in
                        ("density", "transient", "per_day", "first_left", "survival",
                         "survival_coactive", "survival_other"))))
    table.show(header, cells)
    print("\nday: from the first practice on; survive: of the synapses that formed in practice (without "
          "one: over the same\ntrials) and were there at its end; coactive: those whose source lies by the "
          "same practised finger.")


def draw(records: list[dict], labels: dict[str, str], title: str, cut: str) -> plt.Figure:
    """Density, formation, what is left of the first and survival of the new ones, over days. `cut`: what
    is unlike the whole experiment."""
    set_style(11)
    n = stats.span(r["n"] for r in records)
    note = footnote(cut, f"n = {n} simulated subjects per group, mean ± SEM. Synapses of layer 2/3 cells on "
                    "the cells of the practised fingers.", 170)
    figure, axes = plt.subplots(1, 4, figsize=(16, 4.6))
    figure.subplots_adjust(left=0.05, right=0.99, top=0.76, bottom=(0.76 + 0.16 * len(note)) / 4.6, wspace=0.28)
    panels = (("density", "synapses (share of those at the start)"),
              ("per_day", "formed since the last point, still there, per day"),
              ("first_left", "first synapses that are left"),
              ("survival", "synapses of the practice that are left"))
    groups = list(dict.fromkeys(r["group"] for r in records))
    for panel, (name, label) in zip(axes, panels):
        for group, tint in zip(groups, itertools.cycle(TINTS)):
            own = [r for r in records if r["group"] == group and np.isfinite(r[name])]
            panel.errorbar([r["day"] for r in own], [r[name] for r in own],
                           yerr=[r[f"{name}_sem"] if np.isfinite(r[f"{name}_sem"]) else 0 for r in own],
                           color=tint, marker="o", markersize=5, label=labels.get(group, group))
        panel.set_xlabel("day of practice")
        panel.set_title(label, fontsize=10.5, loc="left")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, loc="upper left", bbox_to_anchor=(0.04, 0.93),
                  ncols=len(groups), fontsize=10)
    figure.suptitle(title, x=0.012, ha="left", fontweight="bold", fontsize=14, parse_math=False)
    figure.text(0.012, 0.02, "\n".join(note), fontsize=9, color="0.2", va="bottom")
    return figure


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    rows = measure(directory)
    records = summary(rows)
    run = behaviour.read(directory, set())
    table.write_csv(directory / "spines.csv", rows)
    figure = draw(records, run.labels, run.title or directory.name, run.cut)
    return records, lambda: print_table(records), save_both(figure, directory, "spines"), run.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("spines", "Synapses of the motor sheet that come and go with practice.",
                        "a run directory with cortex_weights.nc of a sheet whose synapses come and go",
                        "results/spines", analyse, arguments)


if __name__ == "__main__":
    table.end(main, "spines.py")
