#!/usr/bin/python3
"""What seen movements and direct current do to the motor sheet, alone and together.

    observation.py results/observation

prints a table, writes observation.csv (a row per subject and curve) and observation_curves.csv (a row per
subject, curve and operating point) into the run directory, and draws observation.png and .pdf. The run must
be of brains that see hands (brain.cortex.observation.connected), or have probes of kind "polarization";
what its blocks do not tell stays empty.

From cortex.nc, mean rates of PFG and PMv cells from when a movement can be seen to its end:
    naive, observe    in the first and the last block with task = "observe"
    execute           in the last block with task = "fingers"; share: observe / execute
From probes.nc, of a block whose probe has kind = "polarization" and one whose probe also has `observed`,
mean responses f(x) alone and g(x) in observation, x: the sheet's polarisation. Each phase and intensity of
pulses has a curve f, and the k-th phase alone goes with the k-th in observation. Beyond the x at which
either is largest the sheet fires by itself and responses fall: what follows leaves these points out.
    mep_ratio         g/f at x = 0; mep_anodal, mep_cathodal: f/f(0) at the smallest polarisation above
                      and below 0 (anodal_mv, cathodal_mv)
    x50, k, top       of the logistic through f, up to its largest response (Devanne et al. 1997, Exp
                      Brain Res 114:329); a: by how many mV that is moved to fit g best
    interaction       I(x) = g(x+b) - g(x) - f(x+b) + f(x), with b = current_mv, two steps of the
                      polarisations: what observation and current do together beyond the sum of what
                      each does; in units of top
    predicted         x50 - (a + b)/2, where I changes sign if g is f moved by a and f is a logistic
    crossing          where I changes from above to below 0: the place between two operating points
                      which divides them best (largest sum of I before less I after), interpolated.
                      Noise has such a place, too: it says something only where low and high differ
    low, high         mean I at operating points below and above `predicted`
Statistics are over simulated subjects.

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
import stats
import table
import tms
from behaviour import BadInput
from figure import footnote, save_both, set_style

STEPS = 2  # of polarisation, that the current is (chosen, for an effect above the noise)
CELLS = ("PFG", "PMv")
MOMENTS = ("naive", "observe", "execute")
INDICES = ("mep_ratio", "mep_anodal", "mep_cathodal", "x50", "k", "a", "predicted", "crossing", "gap",
           "low", "high")
LEVELS = ("anodal_mv", "cathodal_mv", "current_mv")
TINTS = ("#4477AA", "#EE6677", "#228833", "#CCBB44", "#AA3377", "#66CCEE")
MARKERS = "os^Dv"  # of curves of one group


def observed_blocks(blocks: list[dict]) -> dict[str, int | None]:
    """The blocks that MOMENTS name; None where there is none."""
    observing = [i for i, block in enumerate(blocks) if block.get("task") == "observe"]
    moving = [i for i, block in enumerate(blocks) if block.get("task") == "fingers"]
    return {"naive": observing[0] if len(observing) > 1 else None,
            "observe": observing[-1] if observing else None,
            "execute": moving[-1] if moving else None}


def rates(directory: pathlib.Path, experiment: dict) -> dict[int, dict]:
    """By subject, the mean rate in Hz of CELLS at MOMENTS; of none where rates are not recorded, or
    brains see no hands. Raises BadInput."""
    path = directory / "cortex.nc"
    if not path.is_file():
        return {}
    found = {}
    with netcdf.open_dataset(path) as file:
        if "rate_PFG" not in file.variables:
            return {}
        groups = netcdf.texts(file["group_name"])
        trial = file["trial"].values
        for index, member in enumerate(file["subject"].values.tolist()):
            group = groups[index]
            blocks = behaviour.blocks_of(experiment, group)
            ends = np.cumsum([block["trials"] for block in blocks])
            body = {key: behaviour.setting(experiment, group, f"body.{key}")
                    for key in ("trial_ms", "cue_ms", "deadline_ms", "vision_delay_ms")}
            within = file["time"].values - body["trial_ms"] * trial
            seen = ((within > body["cue_ms"] + body["vision_delay_ms"])
                    & (within <= body["deadline_ms"] + body["vision_delay_ms"]))
            found[member] = {}
            for moment, block in observed_blocks(blocks).items():
                for cells in CELLS:
                    own = seen & (trial >= ends[block] - blocks[block]["trials"]) \
                        & (trial < ends[block]) if block is not None else np.zeros_like(seen)
                    rate = file[f"rate_{cells}"].values[own, index]
                    found[member][f"{cells.lower()}_{moment}"] = \
                        float(rate.mean()) if rate.size else np.nan
    return found


def response_curves(directory: pathlib.Path, experiment: dict) -> dict[int, dict[tuple, tuple]]:
    """By subject, and by phase and intensity in RMT: polarisations, and mean responses of the probe's muscle
    alone and in observation."""
    if not (directory / "probes.nc").is_file():
        return {}
    found: dict[int, tuple[dict, dict]] = {}  # by subject, alone and observing: sizes by polarisation
    for probe in tms.read(directory).probes:
        block = behaviour.blocks_of(experiment, probe.group)[probe.block]
        observing = bool(block.get("probe", {}).get("observed"))
        for trial in probe.of("polarization"):
            key = probe.phase, round(float(probe.intensity[trial] / probe.rmt), 6)
            curve = found.setdefault(probe.subject, ({}, {}))[observing].setdefault(key, {})
            x = float(probe.polarization[trial] + block.get("polarization_mv", 0.0))
            curve.setdefault(x, []).append(probe.size[trial, probe.muscle])
    result: dict[int, dict[tuple, tuple]] = {}
    for subject, (alone, observed) in found.items():
        phases = [list(dict.fromkeys(phase for phase, _ in curves)) for curves in (alone, observed)]
        partner = dict(zip(*phases))
        for phase, intensity in sorted(alone, key=lambda key: (phases[0].index(key[0]), key[1])):
            curve = alone[phase, intensity]
            other = observed.get((partner.get(phase), intensity))
            x = np.array(sorted(curve.keys() & (other or curve).keys()))
            if not x.size:
                raise BadInput(f"{directory / 'probes.nc'}: the probes of subject {subject} alone and in "
                               "observation have no polarisation in common; give them the same "
                               "probe.polarizations_mv")
            result.setdefault(subject, {})[phase, intensity] = (x, *(
                np.array([np.mean(one[v]) for v in x]) if one else None for one in (curve, other)))
    return result


def current(x: np.ndarray) -> float:
    """What is added to each x for the interaction, mV; NaN of a single polarisation."""
    return float(STEPS * np.diff(x).min()) if len(x) > 1 else np.nan


def interaction(x: np.ndarray, alone: np.ndarray, observing: np.ndarray) -> np.ndarray:
    """I at each x, NaN where x + current(x) was not given."""
    later, added = {round(v, 6): i for i, v in enumerate(x)}, current(x)
    result = np.full(len(x), np.nan)
    for i, v in enumerate(x):
        j = later.get(round(v + added, 6))
        if j is not None:
            result[i] = observing[j] - observing[i] - alone[j] + alone[i]
    return result


def crossing(x: np.ndarray, index: np.ndarray) -> float:
    """Where the index changes from above to below 0: the place between two points that divides them
    best; NaN where no place does better than none."""
    known = np.isfinite(index)
    x, index = x[known], index[known]
    sums = [index[:i].sum() - index[i:].sum() for i in range(len(x) + 1)]
    best = int(np.argmax(sums))
    if not 0 < best < len(x):
        return np.nan
    before, after = index[best - 1], index[best]
    share = before / (before - after) if before > 0 > after else 0.5
    return float(x[best - 1] + share * (x[best] - x[best - 1]))


def shift(x: np.ndarray, observing: np.ndarray, top: float, x50: float, k: float) -> float:
    """By how many mV the logistic must be moved to the left to fit `observing` best, -8 to 8."""
    moves = np.linspace(-8.0, 8.0, 1601)
    curves = top / (1 + np.exp(np.clip((x50 - moves[:, None] - x) / k, -500, 500)))
    return float(moves[np.argmin(((curves - observing) ** 2).sum(axis=1))])


def indices(x: np.ndarray, alone: np.ndarray,
            observing: np.ndarray | None) -> tuple[dict, np.ndarray]:
    """INDICES of two curves, the second of which may lack, and the interaction in units of top."""
    rising = slice(0, int(np.argmax(alone)) + 1)
    record = dict.fromkeys((*LEVELS, *INDICES), np.nan) | {"current_mv": current(x)}
    at = {round(float(v), 6): i for i, v in enumerate(x)}
    if 0 in at and alone[at[0]] > 0:
        if observing is not None:
            record["mep_ratio"] = observing[at[0]] / alone[at[0]]
        for name, levels in (("anodal", [v for v in at if v > 0]), ("cathodal", [v for v in at if v < 0])):
            if levels:
                nearest = record[f"{name}_mv"] = min(levels, key=abs)
                record[f"mep_{name}"] = alone[at[nearest]] / alone[at[0]]
    index = np.full(len(x), np.nan)
    if len(x[rising]) < 5:
        return record, index
    top, x50, k, _ = tms.boltzmann(x[rising], alone[rising])
    record |= {"x50": x50, "k": k}
    if observing is None:
        return record, index
    both = slice(0, min(rising.stop, int(np.argmax(observing)) + 1))
    a = shift(x[both], observing[both], top, x50, k)
    index = interaction(x, alone, observing) / top
    index[x + current(x) > x[both][-1]] = np.nan
    predicted = x50 - (a + current(x)) / 2
    found = crossing(x, index)
    below, above = index[x < predicted], index[x >= predicted]
    record |= {"a": a, "predicted": predicted, "crossing": found,
               "gap": (found - predicted) / k, "low": stats.mean(below), "high": stats.mean(above)}
    return record, index


def measure(directory: pathlib.Path) -> tuple[list[dict], list[dict]]:
    """A row per subject and curve, and one per subject, curve and operating point. Raises BadInput."""
    directory = pathlib.Path(directory)
    experiment = behaviour.experiment_of(directory)
    groups = [group["name"] for group in experiment["group"] for _ in range(group["subjects"])]
    fired, responses = rates(directory, experiment), response_curves(directory, experiment)
    if not fired and not responses:
        raise BadInput(f"{directory}: nothing to read: neither rates of brains that see hands (--set "
                       "brain.cortex.observation.connected=true, and record.rate_subjects=1 or more) "
                       "nor a probe of kind \"polarization\"")
    rows, points = [], []
    for subject in sorted(fired.keys() | responses.keys()):
        row = {"group": groups[subject], "subject": subject}
        row |= dict.fromkeys([f"{cells.lower()}_{m}" for cells in CELLS for m in MOMENTS], np.nan)
        row |= fired.get(subject, {})
        for cells in map(str.lower, CELLS):
            row[f"{cells}_share"] = row[f"{cells}_observe"] / (row[f"{cells}_execute"] or np.nan)
        if subject not in responses:
            rows.append(row | {"phase": "", "intensity_rmt": np.nan}
                        | dict.fromkeys((*LEVELS, *INDICES), np.nan))
        for (phase, intensity), (x, alone, observing) in responses.get(subject, {}).items():
            curve = {"phase": phase, "intensity_rmt": intensity}
            record, index = indices(x, alone, observing)
            points += [{"group": groups[subject], "subject": subject} | curve
                       | {"polarization_mv": float(v), "alone": float(f), "observing": float(g),
                          "interaction": float(i)}
                       for v, f, g, i in zip(x, alone, np.full(len(x), np.nan) if observing is None
                                             else observing, index)]
            rows.append(row | curve | record)
    return rows, points


def curve_of(row: dict) -> tuple:
    """Whose, before which phase, with pulses of which intensity."""
    return row["group"], row["phase"], "" if np.isnan(row["intensity_rmt"]) else row["intensity_rmt"]


def summary(rows: list[dict]) -> list[dict]:
    """A record per group and curve: means over subjects and SEM."""
    records = []
    for key in dict.fromkeys(map(curve_of, rows)):
        here = [r for r in rows if curve_of(r) == key]
        record = {name: here[0][name] for name in ("group", "phase", "intensity_rmt")} | {"n": len(here)}
        for name in [name for name in here[0] if name not in {"subject", *record}]:
            record[name], record[f"{name}_sem"] = stats.mean_sem(r[name] for r in here)
        records.append(record)
    return records


def print_table(records: list[dict]) -> None:
    print("Cells that fire for movements, Hz, mean ± SEM over subjects.\n")
    names = [f"{cells.lower()}_{m}" for cells in CELLS for m in (*MOMENTS, "share")]
    table.show(("group", "n", *(f"{cells}\n{m}" for cells in CELLS for m in (*MOMENTS, "share"))),
               [(r["group"], str(r["n"]), *(table.number(r[n], r[f"{n}_sem"]) for n in names))
                for r in {r["group"]: r for r in records}.values()])
    told = [r for r in records if r["phase"]]
    if not told:
        return
    print("\nObservation and direct current, on responses to pulses.\n")
    level = lambda r, name: f" ({r[name]:+g} mV)" if np.isfinite(r[name]) else ""
    table.show(("group", "alone", "RMT", "n", "MEP\nratio", "anodal\n/ 0", "cathodal\n/ 0", "x50\nmV", "k\nmV",
                "a\nmV", "predicted\nmV", "crossing\nmV", "apart\nin k", "interaction\nbelow", "\nabove"),
               [(r["group"], r["phase"], f"{r['intensity_rmt']:g}", str(r["n"]),
                 *(table.number(r[n], r[f"{n}_sem"]) + (level(r, f"{n[4:]}_mv") if n[4:] + "_mv" in LEVELS else "")
                   for n in INDICES)) for r in told])
    print("\nnaive, observe: another's movements before and after practice; execute: own ones; share: "
          "observe / execute.\nMEP ratio: observing / alone, not polarised; anodal, cathodal: alone, / not "
          "polarised; interaction: with two steps of\npolarisation, in units of the largest response, below "
          "and above the predicted crossing, up to the larger of both responses.")


def draw(records: list[dict], points: list[dict], labels: dict[str, str], title: str,
         cut: str) -> plt.Figure:
    """Rates; responses by polarisation; interaction by operating point. `cut`: what is unlike the whole
    experiment."""
    set_style(11)
    n = stats.span(r["n"] for r in records)
    note = footnote(cut, f"n = {n} simulated subject{'s'[: n != '1']} per group, mean ± SEM", 170)
    figure, axes = plt.subplots(1, 3, figsize=(16, 4.9))
    figure.subplots_adjust(left=0.05, right=0.99, top=0.74, bottom=(0.82 + 0.16 * len(note)) / 4.9, wspace=0.22)
    groups = list(dict.fromkeys(r["group"] for r in records))
    names = [f"{cells.lower()}_{m}" for cells in CELLS for m in MOMENTS]
    width = 0.8 / len(groups)
    handles = {}
    for g, (group, tint) in enumerate(zip(groups, itertools.cycle(TINTS))):
        own = [r for r in records if r["group"] == group]
        for name, place in zip(names, (0, 1, 2, 3.6, 4.6, 5.6)):
            if np.isfinite(own[0][name]):
                axes[0].bar(place + (g - (len(groups) - 1) / 2) * width, own[0][name], width * 0.92, color=tint,
                            yerr=np.nan_to_num(own[0][f"{name}_sem"]))
        for record, marker in zip(own, itertools.cycle(MARKERS)):
            curve = [p for p in points if curve_of(p) == curve_of(record)]
            x = sorted({p["polarization_mv"] for p in curve})
            text = labels.get(group, group)
            if len(own) > 1:
                text += f', "{record["phase"]}", {record["intensity_rmt"]:g} RMT'
            handles[text] = plt.Line2D([], [], color=tint, linewidth=3, marker=marker if curve else "")
            for panel, name, style in ((1, "alone", "-"), (1, "observing", "--"), (2, "interaction", "-")):
                mean, sem = np.array([stats.mean_sem(p[name] for p in curve if p["polarization_mv"] == v)
                                      for v in x]).reshape(-1, 2).T
                if np.isfinite(mean).any():
                    axes[panel].errorbar(x, mean, yerr=np.nan_to_num(sem), color=tint, linestyle=style,
                                         marker=marker, markersize=4)
            if np.isfinite(record["predicted"]):
                axes[2].axvline(record["predicted"], color=tint, linestyle=":", linewidth=1.6)
    axes[0].set_xticks([0, 1, 2, 3.6, 4.6, 5.6], [f"{c}\n{m}" for c in CELLS for m in MOMENTS], fontsize=9.5)
    axes[0].set_title("mean rate of cells that move fingers (Hz)", fontsize=11, loc="left")
    axes[1].set_title("response to a pulse (spikes per cell); dashed: observing", fontsize=11, loc="left")
    added = dict.fromkeys(f"{r['current_mv']:g} mV" for r in records if np.isfinite(r["predicted"]))
    axes[2].set_title(f"interaction with {', '.join(added) or 'current'}; dotted: predicted change of sign",
                      fontsize=11, loc="left")
    for panel in axes:
        if not panel.containers:
            panel.text(0.5, 0.5, "not told by this run", transform=panel.transAxes, ha="center", color="0.4")
            panel.set(xticks=[], yticks=[])
    if axes[2].containers:
        axes[2].axhline(0, color="0.6", linewidth=1)
    for panel in axes[1:]:
        panel.set_xlabel("polarisation of pyramidal cells (mV)")
    figure.legend(handles.values(), handles.keys(), frameon=False, loc="upper left",
                  bbox_to_anchor=(0.04, 0.93), ncols=min(len(handles), 4), fontsize=10)
    figure.suptitle(title, x=0.012, ha="left", fontweight="bold", fontsize=14, parse_math=False)
    figure.text(0.012, 0.02, "\n".join(note), fontsize=9, color="0.2", va="bottom")
    return figure


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    rows, points = measure(directory)
    records = summary(rows)
    run = behaviour.read(directory, set())
    table.write_csv(directory / "observation.csv", rows)
    if points:
        table.write_csv(directory / "observation_curves.csv", points)
    figure = draw(records, points, run.labels, run.title or directory.name, run.cut)
    return records, lambda: print_table(records), save_both(figure, directory, "observation"), run.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("observation", "Seen movements and direct current, alone and together.",
                        "a run directory of brains that see hands",
                        "results/observation", analyse, arguments)


if __name__ == "__main__":
    table.end(main, "observation.py")
