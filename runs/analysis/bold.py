"""A BOLD-like map of the motor sheet: where transmission uses more, or less, in another phase.

A stand-in for what a scanner shows: the power of synapses, release and recycling per bin of the sheet
(transmission_energy in cortex_energy.nc), blurred by a Gaussian of FWHM, and its change from one phase
to another as a share of the first. BOLD goes with synaptic input somewhat more than with spikes
(Logothetis et al. 2001, Nature 412:150), but blood flow is driven by transmitters rather than by the
energy that is used (Attwell & Iadecola 2002, Trends Neurosci 25:621).

Means over whole trials. Shares are many times those of a scanner's signal: rest, spikes and background
input (bias_mv, noise_mv) are not in the denominator. Watts are of the model's living cells, and grow
with brain.scale. The blur fills a lesion from what surrounds it. `quartet energy` prints and draws it.

Where fingers are asked for one at a time, also how far their patterns differ, as in pattern analyses of
a scanner's maps: per pair 1 - cosine of what they add to rest, R_a and R_b, of two halves of all trials
(1: odd, 2: even), so that noise adds nothing on average (Walther et al. 2016, NeuroImage 137:188):
    1 - (R_a1·R_b2 + R_a2·R_b1) / (2 sqrt((R_a1·R_a2) (R_b1·R_b2)))
0: alike, 1: nothing in common. Rest is that of the NEAREST trials of rest, without a lesion between: what
the sheet became since counts as common to all fingers.
"""

from __future__ import annotations

import itertools
import pathlib

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

import behaviour
import netcdf
import stats
import table
from behaviour import BadInput
from figure import footnote, set_style
from sheet import FIELDS

# Sheet units, of about .8 mm (assumed): 2.3 mm, in grey matter of V1 at 7 T without large vessels, an
# upper bound (Shmuel et al. 2007, NeuroImage 35:539).
FWHM = 2.9
LEAST = 4  # trials of a finger alone that make a pattern (chosen)
NEAREST = 20  # trials of rest (chosen)


def blur(power: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A map (y, x) through a Gaussian of FWHM that ends with the sheet: an even map stays as it is."""
    def kernel(at):
        weights = np.exp(-4 * np.log(2) * (at[:, None] - at) ** 2 / FWHM**2)
        return weights / weights.sum(axis=1, keepdims=True)
    return kernel(y) @ power @ kernel(x).T


def read(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Watts (subject, trial, y, x) of a cortex_energy.nc, and x and y of the bins; None where it has no
    map. Raises BadInput."""
    with netcdf.open_dataset(path) as file:
        if "transmission_energy" not in file.variables:
            return None
        joules = file["transmission_energy"].transpose("subject", "trial", "sheet_y", "sheet_x").values
        return (1e3 * joules / float(file.attrs["trial_duration_ms"]), file["sheet_x"].values,
                file["sheet_y"].values)


def measure(path: pathlib.Path, groups: dict, phases: dict[str, tuple]) -> list[dict] | None:
    """One row per group and bin: watts in the first phase and the change to the second as a share of
    it, means over subjects, blurred; NaN where nothing transmits. None where the file has no map.

    `path`: a cortex_energy.nc; `phases`: by group two names, and per subject the trials of each.
    Raises BadInput.
    """
    found = read(path)
    if found is None:
        return None
    watts, x, y = found
    rows = []
    for name, (names, trials) in phases.items():
        power = np.array([[blur(watts[subject.member, own].mean(axis=0), x, y)
                           for own in of_subject]
                          for subject, of_subject in zip(groups[name].subjects, trials)])
        if not np.isfinite(power).all():
            raise BadInput(f"{path}: transmission_energy has missing values in {name}; run the "
                           "experiment again")
        first, second = power[:, 0], power[:, 1]
        change = np.full_like(first, np.nan)
        np.divide(stats.change(first, second), first, out=change, where=first > 0)
        for row in range(len(y)):
            for column in range(len(x)):
                mean, sem = stats.mean_sem(change[:, row, column])
                rows.append({"group": name, "phase": names[0], "other_phase": names[1],
                             "subjects": len(power), "x": x[column], "y": y[row],
                             "watt": first[:, row, column].mean(), "change_share": mean,
                             "change_share_sem": sem})
    return rows


def unlikeness(patterns: dict[int, np.ndarray]) -> float:
    """Mean over pairs of fingers of 1 - cosine (above). `patterns`: by digit what each half of its
    trials adds to rest, shape (2, bins). NaN where a finger adds nothing that both halves have."""
    distances = []
    for a, b in itertools.combinations(patterns.values(), 2):
        own = (a[0] @ a[1]) * (b[0] @ b[1])
        both = a[0] @ a[1] > 0 and b[0] @ b[1] > 0
        distances.append(1 - (a[0] @ b[1] + a[1] @ b[0]) / (2 * np.sqrt(own)) if both else np.nan)
    return float(np.mean(distances)) if distances else np.nan


def nearest_rest(subject, own: np.ndarray, blocks: list[dict]) -> np.ndarray:
    """The NEAREST trials of rest to those of a block, `own`, on its side of all lesions."""
    block = subject.columns["block"].astype(int)
    lesions = np.cumsum([b.get("lesion_radius", 0) > 0 for b in blocks])
    rest = np.flatnonzero(subject.columns["rests"] & (lesions[block] == lesions[block[own[0]]]))
    away = np.maximum(own[0] - rest, rest - own[-1])
    return np.sort(rest[np.argsort(away, kind="stable")[:NEAREST]])


def fingers(directory: pathlib.Path) -> list[dict]:
    """A row per subject and block that asks for at least two fingers alone, each in LEAST trials or
    more, where there are trials of rest. Raises BadInput."""
    found = read(directory / "cortex_energy.nc")
    if found is None:
        return []
    watts, x, y = found
    run = behaviour.read(directory, set(), {"fingers"})
    if run.resolved is None:
        return []
    rows = []
    for group in run.groups.values():
        blocks = behaviour.blocks_of(run.resolved, group.name)
        for subject in group.subjects:
            columns = subject.columns
            if "fingers" not in columns:
                continue
            asked = np.where(columns["watched"], -1, columns["fingers"]).astype(int)
            for block in dict.fromkeys(columns["block"].astype(int)):
                own = np.flatnonzero(columns["block"] == block)
                rest = nearest_rest(subject, own, blocks)
                trials = {digit: own[asked[own] == 1 << (digit - 1)] for digit in range(1, 6)}
                trials = {digit: at for digit, at in trials.items() if len(at) >= LEAST}
                if len(trials) < 2 or len(rest) < 2:
                    continue
                power = watts[subject.member]
                added = {digit: [power[at[half::2]].mean(axis=0) - power[rest[half::2]].mean(axis=0)
                                 for half in (0, 1)] for digit, at in trials.items()}
                patterns = {digit: np.array([blur(one, x, y).ravel() for one in halves])
                            for digit, halves in added.items()}
                rows.append({"group": group.name, "subject": subject.member, "block": block,
                             "phase": behaviour.phase_name(blocks[block], block),
                             "fingers": " ".join(map(str, trials)),
                             "trials": min(map(len, trials.values())), "rest_trials": len(rest),
                             "unlikeness": unlikeness(patterns)})
    return rows


def show_fingers(rows: list[dict]) -> None:
    cells = []
    for key in dict.fromkeys((row["group"], row["block"]) for row in rows):
        own = [row for row in rows if (row["group"], row["block"]) == key]
        cells.append((key[0], own[0]["phase"], own[0]["fingers"], str(len(own)),
                      table.number(*stats.mean_sem(row["unlikeness"] for row in own))))
    print("\nHow far the patterns of fingers that move alone differ (0: alike, 1: nothing in common)")
    table.show(("group", "phase", "digits", "n", "1 - cosine"), cells)


def nearest_muscle(x: float, y: float) -> str:
    return min(FIELDS, key=lambda muscle: (FIELDS[muscle][0] - x) ** 2 + (FIELDS[muscle][1] - y) ** 2)


def show(rows: list[dict]) -> None:
    """The bins of the largest and the smallest change: of 108, and not tested."""
    cells = []
    for name in dict.fromkeys(row["group"] for row in rows):
        own = [row for row in rows if row["group"] == name]
        line = [name, f"{own[0]['phase']} to {own[0]['other_phase']}", str(own[0]["subjects"])]
        changed = [row for row in own if np.isfinite(row["change_share"])]
        for choose in (max, min):
            if not any(row["change_share"] for row in changed):
                line += ["-"] * 3
                continue
            row = choose(changed, key=lambda r: r["change_share"])
            line += [table.percent(row["change_share"], row["change_share_sem"]),
                     f"({row['x']:g}, {row['y']:g})", nearest_muscle(row["x"], row["y"])]
        cells.append(tuple(line))
    print("\nBOLD-like map of the motor sheet: change of the power of transmission, %")
    table.show(("group", "phases", "n", "most", "at", "nearest to", "least", "at", "nearest to"), cells)


def draw(rows: list[dict], labels: dict[str, str], title: str, cut: str) -> plt.Figure:
    """Per group the sheet with its change; all on one scale. `labels`: of all groups, also of those that
    have no map. `cut`: what is unlike the whole experiment."""
    set_style(10, {"axes.spines.top": True, "axes.spines.right": True})
    groups = list(dict.fromkeys(row["group"] for row in rows))
    finite = [abs(row["change_share"]) for row in rows if np.isfinite(row["change_share"])]
    most = 100 * max(finite, default=0) or 1.0
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
        axes.set_title(f"{labels[name]}: {own[0]['phase']} to {own[0]['other_phase']} "
                       f"(n = {own[0]['subjects']})", fontsize=10)
        axes.set_xticks([])
        axes.set_yticks([])
    figure.colorbar(image, ax=panels[:, 0], label="change of the power\nof transmission, %", shrink=0.6)
    figure.suptitle(f"{title}: BOLD-like map of the motor sheet, medial to lateral", fontsize=11)
    note = (f"Means over whole trials, blurred (FWHM {FWHM} units, about 2.3 mm); a share of the power of "
            "transmission, not a scanner's per cent.")
    without = ", ".join(name for name in labels if name not in groups)
    lines = [*footnote(cut, without and f"No map of {without}: without both phases.", 130),
             *footnote("", note, 130)]
    figure.supxlabel("\n".join(lines), fontsize=8)
    return figure
