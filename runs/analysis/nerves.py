#!/usr/bin/python3
"""What the motor sheet does while the nerves of a part of the body are blocked.

    nerves.py results/nerve_block

prints a table, writes nerves.csv (a row per subject and part) and nerves_sites.csv (a row per subject,
part, map and site) into the run directory, and draws nerves.png and .pdf. The run must have probes: at most
one of a kind before a group's first block of trials with nerve_block, two in such blocks (during, and late)
and one after. Where a group has no such block, its probes are taken for what those of the same blocks are
in another group (else in their order for before, during and after), and it is read for each part that
others block. Muscles of a blocked part do not contract: in the block none is named in nerves_sites.csv.
Shares are of muscles of other parts at any time.

From maps (probe.kind = "map"), all of the same sites:
    silenced sites    those of the map before at which a muscle of the part answers, and more than any other
    answer            mean response of at least ANSWER spikes per corticospinal cell, and more than
                      CERTAIN standard errors (cells of some muscles fire at rest)
    share             of the silenced sites, those at which a muscle of another part answers. Before the
                      block this is what paralysis alone would show
From recruitment: the probe's muscle,
    mep               response during over that before, at the intensity at which the latter is TEST
                      (interpolated); mep_after likewise. None where intensities differ, as they do where
                      each probe seeks its own threshold (no probe.rmt)
From paired pulses:
    rmt               change of the resting motor threshold, of the threshold before
    sici              mean ratio at 2-4 ms during less that before, of conditioning pulses below the
                      threshold
From snapshots of weights, where synapses come and go (spines.structural),
    sprouted          stable synapses on corticospinal cells of the part, of layer 2/3 cells of other parts,
                      that have formed since nerves were first blocked and are there at the end, as a share
                      of all that these cells had at the start. A cell's part is that of the nearest field
Statistics are over simulated subjects.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import dataclasses
import itertools
import pathlib
import sys

import matplotlib.pyplot as plt
import numpy as np

import behaviour
import netcdf
import reading
import sheet
import stats
import table
import tms
from behaviour import BadInput
from figure import footnote, save_both, set_style
from targets import band

ANSWER = 0.1  # spikes per cell: the criterion of thresholds
CERTAIN = 3.0
TEST = 0.2  # spikes per cell (chosen: a sixth of the largest response, small as those of people's
# biceps at rest)
ASKED = band("NB_NEIGHBOURS")  # of share_during
MOMENTS = ("before", "during", "late", "after")
WITHOUT_BLOCK = ("before", "during", "after")  # where no group says more
STAGES = ("map", "recruitment", "conditioned")
INDICES = ("share_before", "share_during", "share_late", "share_after", "mep", "mep_after", "rmt", "sici",
           "sprouted")
TINTS = {"hand": "#DDDDDD", "shoulder": "#004488", "elbow": "#66CCEE", "biarticular": "#228833",
         "shoulder_girdle": "#AA3377", "face": "#EE7733"}
LOOKS = (("o", "-"), ("s", "--"), ("D", ":"), ("^", "-."))  # of groups
GROUP_TINTS = ("k", "#CC6677", "0.6", "#999933", "#44AA99", "#882255", "#DDCC77")  # none is a muscle's


def silenced_parts(experiment: dict, directory: pathlib.Path) -> dict[str, str | None]:
    """The part whose nerves a group blocks, None where none. Raises BadInput where no group has one, or one
    has several."""
    found = {}
    for name in (group["name"] for group in experiment["group"]):
        parts = {block.get("nerve_block", "none") for block in behaviour.blocks_of(experiment, name)} - {"none"}
        if len(parts) > 1:
            raise BadInput(f"{directory}: group {name} blocks nerves of {' and '.join(sorted(parts))} "
                           "(nerve_block), where one part is compared before, during and after; give each a "
                           "group of its own and run again")
        found[name] = parts.pop() if parts else None
    if not any(found.values()):
        raise BadInput(f"{directory}: blocks no nerves (nerve_block); run runs/experiments/nerve_block.toml")
    return found


def blocked(experiment: dict, group: str) -> list[int]:
    """Indices of a group's blocks of trials in which nerves are blocked."""
    return [k for k, block in enumerate(behaviour.blocks_of(experiment, group))
            if block.get("nerve_block", "none") != "none"]


def of_stage(probes: list[tms.Probe], stage: str) -> list[tms.Probe]:
    """Those that have trials of `stage`, in their order."""
    return sorted((p for p in probes if p.of(stage).size), key=lambda probe: probe.block)


def moments(probes: list[tms.Probe], blocks: list[int]) -> list[str]:
    """Of a subject's probes: before, in and after `blocks`."""
    found = ["during" if p.block in blocks else "before" if p.block < blocks[0] else "after" for p in probes]
    if found.count("during") == 2:
        found[len(found) - 1 - found[::-1].index("during")] = "late"
    return found


def by_moment(probes: list[tms.Probe], stage: str, blocks: list[int], others: dict[int, str],
              directory: pathlib.Path) -> dict[str, tms.Probe]:
    """A subject's probes that have trials of `stage`, by moment. `others`: the moment of a block's probe in
    groups that block nerves, which counts for one that does not. Raises BadInput where a moment has
    several."""
    own = of_stage(probes, stage)
    if not blocks:
        known = [others.get(p.block) for p in own]
        return dict(zip(known if all(known) else WITHOUT_BLOCK, own))
    found = moments(own, blocks)
    if found != [moment for moment in MOMENTS if moment in found]:
        raise BadInput(f"{directory}: group {own[0].group}: its probes with {stage} pulses are "
                       f"{', '.join(found)} (of the block of nerves), where at most one before, two during "
                       "and one after are compared; leave the others out (probe.kind = \"none\") and run "
                       "again")
    return dict(zip(found, own))


def sprouted(directory: pathlib.Path, part: str, since: dict[int, int], snapshots: dict[int, int]
             ) -> dict[int, float]:
    """By subject whose weights are recorded to the end. By subject, `since`: the block in which nerves are
    first blocked; `snapshots`: how many there are at the end. Empty where no synapses come and go."""
    path = directory / "cortex_weights.nc"
    if not path.is_file():
        return {}
    name = "L23E_L5PT"
    with netcdf.open_dataset(path) as file:
        if f"spine_{name}" not in file.variables:
            return {}
        fields = np.array(list(sheet.FIELDS.values()))
        inside = np.isin(sheet.MUSCLES, sheet.PARTS[part])

        def in_part(side: str) -> np.ndarray:
            x, y = (file[f"{side}_{axis}_{name}"].values for axis in "xy")
            nearest = np.hypot(x[:, None] - fields[:, 0], y[:, None] - fields[:, 1]).argmin(axis=1)
            return inside[nearest]

        target, source = in_part("target"), np.append(in_part("source"), True)  # no synapse: no source
        members = file["subject"].values
        shares = {}
        for member in dict.fromkeys(members.tolist()):
            own = np.flatnonzero(members == member)
            if member not in since or len(own) != snapshots[member]:
                continue
            first, last = int(own[0]), int(own[-1])
            formed = file[f"formed_day_{name}"][last].values[target]
            # The newest synapse before the block: days in the file count from the subject's start.
            start = file[f"formed_day_{name}"][int(own[since[member]])].values[target].max()
            stable = file[f"spine_{name}"][last].values[target] == sheet.STABLE
            foreign = ~source[file[f"source_{name}"][last].values[target].astype(int)]
            shares[member] = float(np.count_nonzero(stable & foreign & (formed > start))
                                   / np.count_nonzero(file[f"spine_{name}"][first].values[target]))
        return shares


def check_alike(experiment: dict, group: str, probes: list[tms.Probe], directory: pathlib.Path) -> None:
    """Raises BadInput where probes that are compared stimulate otherwise, or look at another muscle."""
    blocks = behaviour.blocks_of(experiment, group)
    for key in ("stimulator", "muscle", "width", "criterion", "map_intensity"):
        values = {str(blocks[p.block].get("probe", {}).get(key)) for p in probes}
        if len(values) > 1:
            raise BadInput(f"{directory}: group {group}: probes that are compared, of blocks "
                           f"{', '.join(str(p.block) for p in probes)}, have probe.{key} "
                           f"{' and '.join(sorted(values))}; give all the same and run again")


def site_responses(probe: tms.Probe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sites of a map, shape (sites, 2), mean responses, and whether they are answers, both of shape
    (sites, muscles)."""
    own = probe.of("map")
    sites, which = np.unique(probe.site[own], axis=0, return_inverse=True)
    sizes = [probe.size[own[which.ravel() == k]] for k in range(len(sites))]
    mean = np.array([size.mean(axis=0) for size in sizes])
    sem = np.array([stats.sem(size) for size in sizes])
    return sites, mean, (mean >= ANSWER) & (mean > CERTAIN * sem)  # none of a single pulse


def at_test(first: tuple[np.ndarray, np.ndarray], other: tuple[np.ndarray, np.ndarray]) -> float:
    """Response of the other of two recruitment curves over that of the first, where the first passes
    TEST; NaN where it does not, or they are not of the same intensities."""
    intensity, size = first
    passed = np.flatnonzero((size[:-1] < TEST) & (size[1:] >= TEST))
    if not passed.size or not np.array_equal(intensity, other[0]):
        return np.nan
    k = passed[0]
    there = intensity[k] + (TEST - size[k]) / (size[k + 1] - size[k]) * (intensity[k + 1] - intensity[k])
    return float(np.interp(there, intensity, other[1]) / TEST)


def _sici(probe: tms.Probe) -> float:
    return tms.mean_ratio(tms.ratios(probe), 2, 4, tms.BELOW_RMT)


def measure(directory: pathlib.Path) -> tuple[list[dict], list[dict], dict, tms.Laboratory]:
    """A row per subject and part; one per subject, part, map and site; recruitment curves (intensities in
    thresholds of layer 2/3 axons, sizes in spikes per cell) by subject and moment; and what they were read
    from. Says on standard error of whom curves cannot be compared. Raises BadInput."""
    directory = pathlib.Path(directory)
    experiment = behaviour.experiment_of(directory)
    parts = silenced_parts(experiment, directory)
    lab = tms.read(directory)
    rows, points, curves, unlike = [], [], {}, []
    for part in dict.fromkeys(filter(None, parts.values())):
        probes = [p for p in lab.probes if parts[p.group] in (part, None)]
        found = _measure_part(directory, experiment, part, dataclasses.replace(lab, probes=probes))
        rows += found[0]
        points += found[1]
        curves |= found[2]
        unlike += found[3]
    if unlike:
        whom = ", ".join(map(str, dict.fromkeys(unlike)))
        print(f"nerves.py: {directory}: subject {whom}: recruitment is at other intensities than before, "
              "and no MEP is compared; give probe.rmt, so that pulses are alike, and run again",
              file=sys.stderr)
    return rows, points, curves, lab


def _measure_part(directory: pathlib.Path, experiment: dict, part: str, lab: tms.Laboratory
                  ) -> tuple[list[dict], list[dict], dict, list[int]]:
    """The first three of measure(), and subjects whose curves cannot be compared, of one part and the groups
    that block no other."""
    silent = np.isin(lab.muscles, [sheet.name_in_files(muscle) for muscle in sheet.PARTS[part]])
    rows, points, curves, unlike = [], [], {}, []
    others = {stage: {} for stage in STAGES}  # by block, in groups that block nerves
    first, snapshots = {}, {}  # by subject
    for subject, group in sorted({(p.subject, p.group) for p in lab.probes}):
        probes = [p for p in lab.probes if p.subject == subject]
        snapshots[subject] = len(behaviour.blocks_of(experiment, group)) + 1
        if blocks := blocked(experiment, group):
            first[subject] = blocks[0]
            for stage in STAGES:
                found = of_stage(probes, stage)
                for probe, moment in zip(found, moments(found, blocks)):
                    others[stage].setdefault(probe.block, moment)
    # Those who never have a block count from when others first have.
    new = sprouted(directory, part, dict.fromkeys(snapshots, min(first.values(), default=0)) | first,
                   snapshots)
    for subject in sorted({p.subject for p in lab.probes}):
        probes = [p for p in lab.probes if p.subject == subject]
        group = probes[0].group
        blocks = blocked(experiment, group)
        mapped, recruited, paired = (by_moment(probes, stage, blocks, others[stage], directory)
                                     for stage in STAGES)
        for compared in (mapped, recruited, paired):
            check_alike(experiment, group, list(compared.values()), directory)
        row = {"group": group, "subject": subject, "part": part, "sites": 0}
        row |= dict.fromkeys(INDICES, np.nan) | {"sprouted": new.get(subject, np.nan)}
        grid = lost = None
        for moment, probe in mapped.items():
            sites, mean, answers = site_responses(probe)
            if grid is None:
                grid = sites
                best = np.argmax(np.where(answers, mean, -np.inf), axis=1)
                # None where there is no map before, for want of a threshold.
                lost = answers.any(axis=1) & silent[best] & (moment == "before")
                row["sites"] = int(lost.sum())
            if not np.array_equal(sites, grid):
                raise BadInput(f"{directory}: group {group}: the map of block {probe.block} is of other "
                               "sites than the first, with which it is compared; give both the same "
                               "probe.spacing and run again")
            if row["sites"]:
                row[f"share_{moment}"] = float(answers[lost][:, ~silent].any(axis=1).mean())
            moves = answers & ~(silent & (probe.block in blocks))
            for k, place in enumerate(sites):
                best = int(np.argmax(np.where(moves[k], mean[k], -np.inf)))
                points.append({"group": group, "subject": subject, "part": part, "moment": moment,
                               "x": float(place[0]), "y": float(place[1]), "silenced": int(lost[k]),
                               "muscle": lab.muscles[best] if moves[k].any() else "",
                               "response": float(mean[k, best]) if moves[k].any() else np.nan})
        for moment, probe in recruited.items():
            levels, sizes, _ = tms.recruitment(probe)
            curves[subject, moment] = levels * probe.rmt, sizes
        for name, moment in (("mep", "during"), ("mep_after", "after")):
            if {"before", moment} <= recruited.keys():
                first, other = curves[subject, "before"], curves[subject, moment]
                row[name] = at_test(first, other)
                if not np.array_equal(first[0], other[0]):
                    unlike.append(subject)
        if {"before", "during"} <= paired.keys():
            if not (paired["before"].given or paired["during"].given):
                row["rmt"] = paired["during"].rmt / paired["before"].rmt - 1
            row["sici"] = _sici(paired["during"]) - _sici(paired["before"])
        rows.append(row)
    return rows, points, curves, unlike


def summary(rows: list[dict]) -> list[dict]:
    """A record per group and part: means over subjects and SEM."""
    records = []
    for group, part in dict.fromkeys((r["group"], r["part"]) for r in rows):
        here = [r for r in rows if (r["group"], r["part"]) == (group, part)]
        record = {"group": group, "part": part, "n": len(here)}
        for name in ("sites", *INDICES):
            record[name], record[f"{name}_sem"] = stats.mean_sem(r[name] for r in here)
        records.append(record)
    return records


def print_table(records: list[dict]) -> None:
    print("Sites of the silenced part, and its neighbours; mean ± SEM over subjects.\n")
    table.show(("group", "part", "n", "silenced\nsites", "answer with a neighbour\nbefore", "\nduring", "\nlate",
                "\nafter",
                "MEP during\n/ before", "MEP after\n/ before", "RMT\nchange", "SICI\nchange",
                "sprouted"),
               [(r["group"], r["part"], str(r["n"]), *(table.number(r[n], r[f"{n}_sem"]) for n in ("sites", *INDICES)))
                for r in records])
    print(f"\nAnswers: {ANSWER:g} spikes per cell or more, above {CERTAIN:g} standard errors. MEP: of the "
          f"probe's muscle, where it is {TEST:g} before. Sprouted: new\nsynapses from other parts on the "
          "silenced part's cells, of those at the start.")


def _tint(muscle: str) -> str:
    if muscle in map(sheet.name_in_files, sheet.FINGERS):
        return TINTS["hand"]
    return TINTS.get(muscle) or TINTS[muscle.split("_")[0]]


def draw(records: list[dict], points: list[dict], curves: dict, groups: dict[int, str],
         labels: dict[str, str], title: str, cut: str) -> plt.Figure:
    """Maps of the first subject of each group that has any, sites coloured by the muscle that answers
    most; shares of sites; recruitment before and during, or else new synapses. `cut`: what is unlike the
    whole experiment."""
    set_style(11)
    told = dict.fromkeys((r["group"], r["part"]) for r in records)
    parts = dict.fromkeys(part for _, part in told)
    names = {key: labels[key[0]] + f", {key[1]}" * (len(parts) > 1) for key in told}
    mapped = [key for key in told if any((p["group"], p["part"]) == key for p in points)]
    shown = [m for m in MOMENTS if any(p["moment"] == m for p in points)] or list(WITHOUT_BLOCK)
    figure = plt.figure(figsize=(16, 2.6 + 1.75 * max(len(mapped), 2)))
    columns = len(shown)
    grid = figure.add_gridspec(max(len(mapped), 1), columns + 1, left=0.05, right=0.99, top=0.8,
                               bottom=0.14, wspace=0.2, hspace=0.5, width_ratios=(1,) * columns + (1.15,))
    for row, key in enumerate(mapped):
        here = [p for p in points if (p["group"], p["part"]) == key]
        first = min(p["subject"] for p in here)
        for column, moment in enumerate(shown):
            own = [p for p in here if p["subject"] == first and p["moment"] == moment]
            if not own:
                continue
            axes = figure.add_subplot(grid[row, column])
            for p in own:
                axes.plot(p["x"], p["y"], "s", markersize=8.5, markeredgewidth=1.1 if p["silenced"] else 0,
                          markeredgecolor="k", color=_tint(p["muscle"]) if p["muscle"] else "w")
            axes.set(xlim=(0, sheet.WIDTH), ylim=(0, sheet.HEIGHT), aspect="equal", xticks=[0, 9, 18],
                     yticks=[0, 6])
            axes.set_title(moment if column else f"{names[key]}: {moment}", fontsize=10.5, loc="left")
    halves = grid[:, columns].subgridspec(2, 1, hspace=0.75)
    shares, second = figure.add_subplot(halves[0]), figure.add_subplot(halves[1])
    colours = dict(zip(told, itertools.cycle(GROUP_TINTS)))
    for k, record in enumerate(r for r in records if (r["group"], r["part"]) in mapped):
        key = record["group"], record["part"]
        marker, line = LOOKS[k % len(LOOKS)]  # ever smaller: all are seen where they coincide
        shares.errorbar(range(columns), [record[f"share_{m}"] for m in shown],
                        yerr=[np.nan_to_num(record[f"share_{m}_sem"]) for m in shown], marker=marker,
                        markersize=max(11 - 2.5 * k, 3.5), linestyle=line, color=colours[key], label=names[key])
    if "hand" in parts:
        shares.fill_between([0.8, 1.2], *ASKED, color="0.9", linewidth=0, zorder=0)
        shares.text(1.22, ASKED[1], "asked" + " of the hand" * (len(parts) > 1), fontsize=9, color="0.4", va="top")
    shares.set(xlim=(-0.15, columns - 0.85), ylim=(-0.06, 1.06), xticks=range(columns), xticklabels=shown)
    shares.set_title("silenced sites that answer with a neighbour", fontsize=10.5, loc="left")
    if curves:
        first = {group: (group, part) for group, part in reversed(told)}  # a group has one curve for all parts
        shown_names = {group: names[first[group]] for group in labels if group in first}
        _draw_recruitment(second, curves, groups, shown_names, {g: colours[key] for g, key in first.items()})
    elif any(np.isfinite(r["sprouted"]) for r in records):
        for k, record in enumerate(r for r in records if np.isfinite(r["sprouted"])):
            second.bar(k, 100 * record["sprouted"], yerr=100 * np.nan_to_num(record["sprouted_sem"]),
                       width=0.6, color=colours[record["group"], record["part"]])
        second.set(xticks=[])
        second.set_title("new synapses from other parts (%)", fontsize=10.5, loc="left")
    else:
        second.set_axis_off()
    handles = {text: handle for panel in (shares, second)
               for handle, text in zip(*panel.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), frameon=False, fontsize=9.5, ncols=len(handles),
                  loc="upper left", bbox_to_anchor=(0.04, 0.94))
    muscles = [plt.Line2D([], [], marker="s", linestyle="", color=tint, markersize=8,
                          label=name.replace("_", " ")) for name, tint in TINTS.items()]
    muscles.append(plt.Line2D([], [], marker="s", linestyle="", color="w", markeredgecolor="0.6",
                              markersize=8, label="no answer"))
    figure.legend(handles=muscles, frameon=False, fontsize=9.5, ncols=len(muscles), loc="upper left",
                  bbox_to_anchor=(0.04, 0.89))
    figure.suptitle(title, x=0.012, ha="left", fontweight="bold", fontsize=14, parse_math=False)
    n = stats.span(r["n"] for r in records)
    note = ("Sites of the first subject per group, coloured by the muscle that answers most; edged: the "
            "silenced part's; late: the last map in the block. Shares (± SEM) and responses (at equal "
            f"intensities): means over n = {n} subject{'s'[: n != '1']}.")
    figure.text(0.012, 0.02, "\n".join(footnote(cut, note, 170)), fontsize=9, color="0.2", va="bottom")
    return figure


def _draw_recruitment(axes: plt.Axes, curves: dict, groups: dict[int, str], labels: dict[str, str],
                      colours: dict[str, str]) -> None:
    """Mean responses over subjects, before (dashed) and during the block."""
    for k, group in enumerate(labels):
        own = [s for s, name in groups.items() if name == group
               and (s, "before") in curves and (s, "during") in curves]
        for moment, style in (("before", "--"), ("during", "-")):
            alike = {}  # sizes by intensities: only curves of equal ones have a mean
            for subject in own:
                intensity, size = curves[subject, moment]
                alike.setdefault(tuple(intensity), []).append(size)
            for intensity, sizes in alike.items():
                axes.plot(intensity, np.mean(sizes, axis=0), style, color=colours[group],
                          linewidth=max(3.4 - 0.7 * k, 1),  # all are seen where they coincide
                          label=labels[group] if style == "-" else None)
    axes.set_xlabel("intensity (thresholds of layer 2/3 axons)")
    axes.set_title("response (spikes per cell); dashed: before", fontsize=10.5, loc="left")


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    rows, points, curves, lab = measure(directory)
    records = summary(rows)
    table.write_csv(directory / "nerves.csv", rows)
    if points:
        table.write_csv(directory / "nerves_sites.csv", points)
    figure = draw(records, points, curves, {r["subject"]: r["group"] for r in rows}, lab.groups,
                  lab.title or directory.name, lab.cut)

    return records, lambda: print_table(records), save_both(figure, directory, "nerves"), lab.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("nerves", "What the motor sheet does while nerves are blocked.",
                        "a run directory with probes before and during a block of nerves",
                        "results/nerve_block", analyse, arguments)


if __name__ == "__main__":
    table.end(main, "nerves.py")
