#!/usr/bin/python3
"""Maps of the fingers on the motor sheet, before and after they practise.

    maps.py results/finger_practice

computes from the snapshots of plastic weights how strongly every site of the sheet is coupled to every
muscle, prints what practice and the rest after it changed, writes maps.csv (a row per subject and
snapshot), practice.csv (a row per practice trial) and practice_fingers.csv (a row per subject, block of
practice and finger asked for) into the run directory, and draws maps.png and .pdf. The run must have
recorded weights (record.weights_subjects) of a plastic sheet (brain.cortex.sheet_plasticity.plastic).

Sites within a focal lesion are of nobody's territory, not even before it. The coupling of site x to
muscle f is a map of weights, not of responses to a stimulus:
    M_f(x) = sum_i K(x, i) [a_if + LATERAL sum_j e_ij a_jf],   a_if = sum_p w_ip F_f(p)
i and j run over layer 2/3 cells, p over corticospinal (PT) cells; K is a Gaussian of STIMULUS_SD,
F_f the muscle's field (sheet.py), summing to 1; w and e are weights over the mean sum of a
cell's weights in their projection in the subject's first snapshot. Inhibition does not enter; cells
that a focal lesion has killed (lesion_site) have no part.

Statistics are over simulated subjects. Exit codes: 0 computed, 1 standard output is full, 2 bad usage
or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import dataclasses
import pathlib
import textwrap

import matplotlib.pyplot as plt
import numpy as np

import behaviour
import netcdf
import reading
import stats
import table
from behaviour import BadInput
from figure import footnote, save_both, set_style
from sheet import EDGE, FINGERS, HEIGHT, MUSCLES, WIDTH, alive, fields, jaccard, volume_overlap

TINTS = {"thumb": "#AA3377", "index": "#EE6677", "middle": "#CCBB44", "ring": "#228833",
         "little": "#4477AA"}

PITCH = 0.25  # between sites, sheet units
STIMULUS_SD = 0.5  # reach of a stimulus, sheet units (chosen: some .4 mm)
LATERAL = 0.5  # weight of the step through layer 2/3 (chosen)
STILL = 1.0  # degrees: a finger that is asked for and flexes by less on average hardly moves (chosen)

# What the table has of the practised fingers, as changes.
MEANING = {
    "area": "area of the practised fingers' maps",
    "territory": "territory of the practised fingers",
    "neighbours": "territory of the fingers beside them",
    "total": "territory of all muscles",
    "distance": "distance of the centres of gravity",
    "jaccard": "Jaccard index of the practised maps",
    "overlap": "volume overlap of the practised maps",
    "cosine": "cosine of the practised maps",
}


def sites() -> tuple[np.ndarray, np.ndarray]:
    """x and y of the sites, shape (rows, columns)."""
    return np.meshgrid(np.arange(PITCH / 2, WIDTH, PITCH), np.arange(PITCH / 2, HEIGHT, PITCH))


def through(weights: np.ndarray, sources: np.ndarray, targets: np.ndarray, cells: int) -> np.ndarray:
    """Sum over synapses of weight times what the target does, shape (cells, muscles): what each
    source does. weights and sources: (targets, synapses); targets: (targets, muscles)."""
    result = np.zeros((cells, targets.shape[1]))
    for muscle in range(targets.shape[1]):
        # Vacant sites, of weight 0, have `cells` as their source.
        result[:, muscle] = np.bincount(
            sources.ravel(), (weights * targets[:, muscle, None]).ravel(), minlength=cells)[:cells]
    return result


@dataclasses.dataclass
class Snapshot:
    member: int
    group: str
    trial: int  # that the subject had done
    maps: np.ndarray  # (muscles, rows, columns)


def snapshots(path: pathlib.Path, experiment: dict) -> list[Snapshot]:
    """Maps of every snapshot of a run; a lesion before a block is in the snapshot after it. Raises
    BadInput."""
    if not path.is_file():
        raise BadInput(f"{path}: no such file; record weights: --set record.weights_subjects=1 (or "
                       "more)")
    x, y = sites()
    result = []
    with netcdf.open_dataset(path) as file:
        names = ("L23E_L5PT", "L23E_L23E")
        if any(f"weight_{name}" not in file.variables for name in names):
            raise BadInput(f"{path}: has no weights of the sheet, which is not plastic in this run; "
                           "run with --set brain.cortex.sheet_plasticity.plastic=true")
        cell_x, cell_y = (file[f"source_{axis}_L23E_L5PT"].values for axis in "xy")
        output = [file[f"target_{axis}_L23E_L5PT"].values for axis in "xy"]
        field = fields(*output)
        reach = np.exp(-((x.ravel()[:, None] - cell_x) ** 2 + (y.ravel()[:, None] - cell_y) ** 2)
                       / (2 * STIMULUS_SD**2))
        wired = file["recorded_subject"].values.tolist()
        groups = netcdf.texts(file["group_name"])
        initial = {}  # mean sum of a cell's weights, by subject and projection
        for index, (member, trial) in enumerate(zip(file["subject"].values, file["trial"].values)):
            done, before = [], 0
            for block in behaviour.blocks_of(experiment, groups[index]):
                if before < trial:
                    done.append(block)
                before += block["trials"]
            inputs, outputs = alive(cell_x, cell_y, done), alive(*output, done)

            def pathway(name, targets):
                weights = file[f"weight_{name}"][index].values
                mean = initial.setdefault((member, name), weights.sum(axis=1).mean())
                sources = file[f"source_{name}"]
                changing = "snapshot" in sources.dims  # synapses come and go
                wiring = sources[index if changing else wired.index(member)].values.astype(int)
                return through(weights / mean, wiring, targets, len(cell_x))
            direct = pathway("L23E_L5PT", field * outputs[:, None]) * inputs[:, None]
            lateral = pathway("L23E_L23E", direct) * inputs[:, None]
            coupling = reach @ (direct + LATERAL * lateral)
            result.append(Snapshot(int(member), groups[index], int(trial),
                                   coupling.T.reshape(len(MUSCLES), *x.shape)))
    return result


def centre(one: np.ndarray) -> np.ndarray:
    """Centre of gravity of a map, sheet units, shape (2,); NaN of an empty one."""
    x, y = sites()
    return np.array([(x * one).sum(), (y * one).sum()]) / (one.sum() or np.nan)


def area(one: np.ndarray) -> float:
    """Sites above EDGE of the map's largest value, in square sheet units."""
    return float(np.count_nonzero(one > EDGE * one.max()) * PITCH**2)


def pair(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """Distance and overlap of two maps: Jaccard index of their areas, shared volume over that of the
    smaller one, cosine; NaN of what empty maps do not tell."""
    in_a, in_b = a > EDGE * a.max(), b > EDGE * b.max()
    return {
        "distance": float(np.linalg.norm(centre(a) - centre(b))),
        "jaccard": jaccard(in_a, in_b),
        "overlap": volume_overlap(a, b),
        "cosine": float((a * b).sum() / (np.sqrt((a * a).sum() * (b * b).sum()) or np.nan)),
    }


def relative(now: float, before: float) -> float:
    """Change as a share of what was before; NaN where that was nothing."""
    return now / before - 1 if before else np.nan


def describe(maps: np.ndarray, practised: list[int], edge: float,
             counted: np.ndarray | bool = True) -> dict[str, float]:
    """Indices of the practised fingers (digits): means over them and over their neighbouring pairs.
    Territories are of the sites that are `counted`.

    A site is of the territory of the muscle to which it is coupled most, if more than `edge`: as in
    maps of intracortical stimulation of fixed strength.
    """
    owner = np.where(counted & (maps.max(axis=0) > edge), maps.argmax(axis=0), -1)
    unit = PITCH**2
    territory = {m: float(np.count_nonzero(owner == k) * unit) for k, m in enumerate(MUSCLES)}
    own = [FINGERS[d - 1] for d in practised]
    beside = [FINGERS[d - 1] for d in range(1, 6)
              if d not in practised and {d - 1, d + 1} & set(practised)]
    one = {m: maps[MUSCLES.index(m)] for m in own}
    # Fingers that lie next to each other among the practised ones.
    pairs = [pair(one[a], one[b]) for a, b in zip(own, own[1:])]
    result = {
        "area": float(np.mean([area(m) for m in one.values()])),
        "territory": sum(territory[m] for m in own),
        "neighbours": sum(territory[m] for m in beside) if beside else np.nan,
        "total": sum(territory.values()),
    } | {f"territory_{m}": territory[m] for m in FINGERS}
    for name in ("distance", "jaccard", "overlap", "cosine"):
        result[name] = float(np.mean([p[name] for p in pairs])) if pairs else np.nan
    return result


def measure(directory: pathlib.Path) -> tuple[list[dict], dict]:
    """A row per subject and snapshot, and the mean maps by (group, block). Raises BadInput.

    The first snapshot is from before the first trial, each other one from a block's end. "change" is
    relative to the snapshot before the first block of practice. In groups that practise nothing, the
    fingers and the block are those of the first group that does.
    """
    experiment = behaviour.experiment_of(directory)
    found = snapshots(directory / "cortex_weights.nc", experiment)
    rows, sums = [], {}
    schedules = {g["name"]: behaviour.blocks_of(experiment, g["name"]) for g in experiment["group"]}
    others = next((blocks for blocks in schedules.values() if behaviour.practised_fingers(blocks)), [])
    for member in dict.fromkeys(s.member for s in found):
        own = [s for s in found if s.member == member]
        group = own[0].group
        blocks = schedules[group]
        practising = blocks if behaviour.practised_fingers(blocks) else others
        practised = behaviour.practised_fingers(practising)
        if not practised:
            continue
        ends = np.cumsum([0] + [block["trials"] for block in blocks]).tolist()
        if [s.trial for s in own] != ends:  # still running, or stopped
            continue
        first, _ = behaviour.practice_of(practising)
        if first >= len(blocks):
            continue
        reference = own[first].maps
        edge = EDGE * max(reference[MUSCLES.index(f)].max() for f in FINGERS)
        outside = alive(*sites(), blocks)  # of lesions, whenever they are made
        before = describe(reference, practised, edge, outside)
        for index, snapshot in enumerate(own):
            phase = behaviour.phase_name(blocks[index - 1], index - 1) if index else "start"
            values = describe(snapshot.maps, practised, edge, outside)
            rows.append({"group": group, "subject": member, "block": index - 1, "phase": phase,
                         "trial": snapshot.trial, "reference": index == first,
                         "fingers": " ".join(map(str, practised)),
                         "correlation": blocks[first].get("finger_correlation", np.nan),
                         "lesion": any(b.get("lesion_radius", 0) > 0 for b in blocks)}
                        | values
                        | {f"{k}_change": relative(values[k], before[k]) for k in values})
            count, total = sums.get((group, index - 1), (0, 0.0))
            sums[group, index - 1] = count + 1, total + snapshot.maps
    if not rows:
        raise BadInput(f"{directory}: no finished subject that practises fingers and whose weights are "
                       "recorded; run runs/experiments/finger_practice.toml, or give a block task = "
                       "\"fingers\" and record.weights_subjects = 1 or more")
    return rows, {key: total / count for key, (count, total) in sums.items()}


def trials(directory: pathlib.Path) -> list[dict]:
    """A row per trial that asks the subject for fingers: what moved.

    individuation = 1 - mean over the other fingers of their pool's rate / that of the fingers asked
    for (mean); co_contraction = 2 sum min(r_a, r_b) / sum (r_a + r_b) over pairs of a finger asked for
    and another.
    """
    run = behaviour.read(directory, {"fingers", "reward", "reward_prediction_error"}
                         | {f"{what}_{f}" for what in ("rate", "flexion") for f in FINGERS})
    rows = []
    for group in run.groups.values():
        for subject in group.subjects:
            columns = subject.columns
            rates = np.stack([columns[f"rate_{f}"] for f in FINGERS], axis=1)
            for trial in np.flatnonzero((columns["fingers"] > 0) & ~columns["watched"]):
                asked = np.array([int(columns["fingers"][trial]) >> k & 1 for k in range(5)], bool)
                moved, others = rates[trial, asked], rates[trial, ~asked]
                low = np.minimum.outer(moved, others).sum()
                both = np.add.outer(moved, others).sum()
                rows.append({
                    "group": group.name, "subject": subject.member, "trial": int(trial),
                    "block": int(columns["block"][trial]),
                    "fingers": " ".join(str(k + 1) for k in np.flatnonzero(asked)),
                    "rate_asked": float(moved.mean()),
                    "individuation": (1 - others.mean() / moved.mean()
                                      if others.size and moved.mean() > 0 else np.nan),
                    "co_contraction": 2 * low / both if others.size and both > 0 else np.nan,
                    "reward": columns["reward"][trial],
                    "reward_prediction_error": columns["reward_prediction_error"][trial],
                } | {f"{what}_{f}": columns[f"{what}_{f}"][trial]
                     for what in ("rate", "flexion") for f in FINGERS})
    return rows


def by_finger(rows: list[dict], done: list[dict]) -> list[dict]:
    """A row per subject, block of practice and finger that it asks for, where the means over fingers may
    hide one that does not move. Individuation, as in trials(), is of the finger asked for alone."""
    records = []
    for row in rows:
        own = [d for d in done if (d["subject"], d["block"]) == (row["subject"], row["block"])]
        for k, finger in enumerate(FINGERS, 1):
            asked = [d for d in own if str(k) in d["fingers"].split()]
            if asked:
                records.append({
                    "group": row["group"], "subject": row["subject"], "block": row["block"],
                    "phase": row["phase"], "finger": finger, "movements": len(asked),
                    "rewarded": stats.mean([d["reward"] for d in asked]),
                    "individuation": stats.mean([d["individuation"] for d in asked if d["fingers"] == str(k)]),
                    "flexion_deg": stats.mean([d[f"flexion_{finger}"] for d in asked]),
                    "territory": row[f"territory_{finger}"]})
    return records


def still(fingers: list[dict]) -> list[str]:
    """Says of which groups a finger hardly moves in which phases, on average over subjects."""
    found: dict[tuple, list[str]] = {}
    for group, phase, finger in dict.fromkeys((r["group"], r["phase"], r["finger"]) for r in fingers):
        own = [r for r in fingers if (r["group"], r["phase"], r["finger"]) == (group, phase, finger)]
        if stats.mean([r["flexion_deg"] for r in own]) < STILL:
            rewarded = stats.mean([r["rewarded"] for r in own])
            found.setdefault((group, finger), []).append(f'"{phase}" (rewarded {rewarded:.2g})')
    return [f"{group}: the {finger}{' finger' * (finger != 'thumb')} hardly moves when asked to (less than "
            f"{STILL:g} degree) in {', '.join(phases)}: the means over fingers hide it (practice_fingers.csv)"
            for (group, finger), phases in found.items()]


def summary(rows: list[dict], done: list[dict]) -> list[dict]:
    """One record per group and block from the first practice on, and where there is a lesion also for
    earlier blocks: mean changes over subjects."""
    records = []
    for group in dict.fromkeys(r["group"] for r in rows):
        own = [r for r in rows if r["group"] == group]
        start = next(r["block"] for r in own if r["reference"])
        earliest = 0 if own[0]["lesion"] else start
        for block in sorted({r["block"] for r in own if r["block"] >= earliest} - {start}):
            here = [r for r in own if r["block"] == block]
            record = {"group": group, "block": block, "correlation": here[0]["correlation"],
                      "phase": here[0]["phase"], "n": len(here)}
            for name in MEANING:
                record[name], record[f"{name}_sem"] = stats.mean_sem(r[f"{name}_change"] for r in here)
            first = next(r["trial"] for r in own if r["block"] == block - 1)
            last = here[0]["trial"]
            shares = {"reward": [], "individuation": [], "individuation_first": []}
            for subject in {r["subject"] for r in here}:
                moves = [d for d in done if d["subject"] == subject and first <= d["trial"] < last]
                quarter = max(1, len(moves) // 4)
                if not moves:
                    continue
                shares["reward"].append(np.mean([d["reward"] for d in moves]))
                shares["individuation_first"].append(
                    np.mean([d["individuation"] for d in moves[:quarter]]))
                shares["individuation"].append(
                    np.mean([d["individuation"] for d in moves[-quarter:]]))
            for name, values in shares.items():
                record[name], record[f"{name}_sem"] = stats.mean_sem(values)
            records.append(record)
    return records


def print_table(records: list[dict]) -> None:
    print("Changes of the practised fingers' maps, as a percentage of those before practice; mean ± SEM "
          "over subjects.\nMaps are of weights, not of responses to a stimulus (docstring of "
          "maps.py).\n")
    header = ("group", "correlation", "after", "n", "map\narea", "terri-\ntory", "neigh-\nbours",
              "total", "distance", "Jaccard", "overlap", "cosine", "rewarded", "individuation\nfirst, last")
    cells = []
    for r in records:
        line = [r["group"], table.number(r["correlation"]), r["phase"], str(r["n"])]
        line += [table.percent(r[name], r[f"{name}_sem"]) for name in MEANING]
        line.append(table.number(r["reward"]))
        line.append("-" if not np.isfinite(r["individuation"]) else
                    f"{r['individuation_first']:.2f}, {r['individuation']:.2f}")
        cells.append(tuple(line))
    table.show(header, cells)
    print("\nmap area: sites above a tenth of a map's largest value; territory: sites coupled most to a "
          "practised finger\n(neighbours: to a finger beside; total: to any muscle), at a threshold fixed "
          "before practice; distance: of centres\nof gravity; individuation: of the motor pools' rates "
          "in the first and last quarter of the block's movements\n(hits are judged by flexions: "
          "individuation in behaviour.nc).")


def window(maps: dict, columns: dict[str, list[int]]) -> tuple[float, float, float, float]:
    """The part of the sheet, left, right, low and high, that has the maps of all fingers that are drawn."""
    x, y = sites()
    inside = np.zeros(x.shape, bool)
    fingers = [MUSCLES.index(f) for f in FINGERS]
    for group, blocks in columns.items():
        edge = EDGE * maps[group, blocks[0]][fingers].max()
        for block in blocks:
            inside |= (maps[group, block][fingers] > edge).any(axis=0)
    return (x[inside].min() - PITCH, x[inside].max() + PITCH, y[inside].min() - PITCH, y[inside].max() + PITCH)


def draw(rows: list[dict], maps: dict, records: list[dict], labels: dict[str, str],
         blocks: dict[str, list[dict]], title: str, cut: str) -> plt.Figure:
    """A row per group: maps before practice and after each later one of its `blocks`, with their
    lesions; on the right, changes of the indices by each block of practice. `cut`: what is unlike the
    whole experiment."""
    set_style(11)
    groups = list(dict.fromkeys(r["group"] for r in rows))
    x, y = sites()
    columns = {}
    for group in groups:
        own = [r for r in rows if r["group"] == group]
        start = next(r["block"] for r in own if r["reference"])
        columns[group] = [start] + sorted({r["block"] for r in own if r["block"] > start})
    width = max(map(len, columns.values()))
    n = {r["n"] for r in records}
    note = footnote(cut, f"n = {stats.span(n)} subject{'s' if max(n) > 1 else ''} per group. Coupling of "
                    "sites to fingers (weights): filled above a half, line at a tenth of the largest before "
                    "practice; dots: centres of gravity; strong: practised fingers. From left to right: "
                    "little finger to thumb.", 150)
    below = 0.43 + 0.16 * len(note)  # inches
    left, right, low, high = window(maps, columns)
    tall = 3.3 * (high - low) / (right - left)  # inches, of a map
    figure = plt.figure(figsize=(3.3 * width + 5.0, (tall + 0.3) * len(groups) + 0.85 + below))
    grid = figure.add_gridspec(len(groups), width + 1, width_ratios=[3.3] * width + [3.8],
                               left=0.11, right=0.985, top=1 - 0.95 / figure.get_figheight(),
                               bottom=below / figure.get_figheight(), hspace=0.3 / tall, wspace=0.12)
    titles = {}
    for row, group in enumerate(groups):
        practised = {FINGERS[int(d) - 1]
                     for d in next(r["fingers"] for r in rows if r["group"] == group).split()}
        before = maps[group, columns[group][0]]
        edge = max(before[MUSCLES.index(f)].max() for f in FINGERS)
        for column, block in enumerate(columns[group]):
            axes = figure.add_subplot(grid[row, column])
            now = maps[group, block]
            axes.set_xlim(left, right)
            axes.set_ylim(low, high)
            axes.set_aspect("equal")
            axes.set_xticks([])
            axes.set_yticks([])
            for side in axes.spines.values():
                side.set_visible(False)
            for finger in FINGERS:
                one = now[MUSCLES.index(finger)]
                used = finger in practised
                axes.contourf(x, y, one, levels=[0.5 * edge, 10 * edge], colors=[TINTS[finger]],
                              alpha=0.55 if used else 0.2)
                axes.contour(x, y, one, levels=[EDGE * edge], colors=[TINTS[finger]],
                             linewidths=1.8 if used else 0.9)
                axes.plot(*centre(one), "o", color=TINTS[finger], markersize=5 if used else 3)
            for lesion in blocks.get(group, [])[: block + 1]:
                if lesion.get("lesion_radius", 0) > 0:
                    axes.add_patch(plt.Circle(lesion["lesion_site"], lesion["lesion_radius"],
                                              fill=False, hatch="xx", edgecolor="0.45",
                                              linewidth=0.8))
            phase = next(r["phase"] for r in rows if r["group"] == group and r["block"] == block)
            text = "before practice" if column == 0 else f"after \"{phase}\""
            if titles.get(column) != text:  # where it is not as in the row above
                titles[column] = text
                axes.set_title(text, loc="left", fontsize=11 if row == 0 else 9, pad=2)
            if column == 0:
                axes.text(-0.03, 0.5, textwrap.fill(labels.get(group, group), 16), ha="right", va="center",
                          transform=axes.transAxes, fontsize=10, fontweight="bold")
    panel = figure.add_subplot(grid[:, width])
    box = panel.get_position()
    names_of_phases = 1.1 / figure.get_figwidth()  # their room, as a share of the figure
    panel.set_position([box.x0 + names_of_phases, box.y0, box.width - names_of_phases, box.height])
    names = {"overlap": "#004488", "jaccard": "#DDAA33", "distance": "#BB5566", "territory": "#228833"}
    # Groups that practise nothing are read at the blocks of the first that does.
    practice = {g: [k for k, b in enumerate(blocks.get(g, [])) if b.get("task") == "fingers"] for g in groups}
    others = next(filter(None, practice.values()), [])
    shown = [(place, r) for place, g in enumerate(groups) for r in records
             if r["group"] == g and r["block"] in (practice[g] or others)]
    places = []
    for place, record in shown:
        own = [r for at, r in shown if at == place]
        places.append(place + 0.7 * ((own.index(record) + 0.5) / len(own) - 0.5))
    for name, tint in names.items():
        panel.errorbar([100 * r[name] for _, r in shown], places,
                       xerr=[100 * np.nan_to_num(r[f"{name}_sem"]) for _, r in shown],
                       fmt="o", color=tint, label=name, markersize=6)
    panel.axvline(0, color="0.5", linewidth=1)
    panel.set_ylim(len(groups) - 0.5, -0.5)
    panel.set_xlabel("change from before practice (%)", fontsize=9.5)
    panel.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(-0.05, 1.0), ncols=2,
                 columnspacing=1, handlelength=1)
    panel.set_yticks(places, [f"after \"{r['phase']}\"" for _, r in shown], fontsize=8)
    figure.suptitle(title, x=0.012, ha="left", fontweight="bold", fontsize=14, parse_math=False)
    figure.text(0.012, 0.012, "\n".join(note), fontsize=9, color="0.2")
    return figure


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    rows, maps = measure(directory)
    done = trials(directory)
    records = summary(rows, done)
    run = behaviour.read(directory, set())
    table.write_csv(directory / "maps.csv", rows)
    table.write_csv(directory / "practice.csv", done)
    fingers = by_finger(rows, done)
    if fingers:
        table.write_csv(directory / "practice_fingers.csv", fingers)
    blocks = {name: behaviour.blocks_of(run.resolved, name) for name in run.groups}
    figure = draw(rows, maps, records, run.labels, blocks, run.title or directory.name, run.cut)

    def show() -> None:
        print_table(records)
        for line in still(fingers):
            print(f"\n{line}")

    return records, show, save_both(figure, directory, "maps"), run.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("maps", "Maps of the fingers on the motor sheet before and after practice.",
                        "a run directory with cortex_weights.nc of a plastic sheet",
                        "results/finger_practice", analyse, arguments)


if __name__ == "__main__":
    table.end(main, "maps.py")
