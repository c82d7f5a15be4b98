#!/usr/bin/python3
"""What stimulation of the resting motor sheet shows: threshold, recruitment, paired pulses, maps,
inhibition around a movement, and which finger is to move.

    tms.py results/tms

reads probes.nc, where every trial of stimulation of a run stands with its raw motor-evoked potentials
(MEPs), computes the indices below for every subject and probe, prints means over subjects beside the
range that is asked for, in all and by the phase before which the probe was, and writes tms.csv
(indices), tms_curves.csv (recruitment and paired-pulse curves) and, where a map was made, tms_maps.csv
(per muscle) and tms_overlaps.csv (per pair of muscles) into the run directory, and the figure tms.png
and .pdf (none of probes of intention alone). Thresholds that were given (probe.rmt) are no result and
enter no mean; nor is there a mean over probes of other CONDITIONS.

A MEP is in spikes per corticospinal cell of the muscle within 10 ms after the test pulse; its size is
what it has above the background at rest. Intervals of single subjects are percentiles of a bootstrap
over pulses.

Exit codes: 0 computed, 1 standard output is full, 2 bad usage or input.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import collections
import dataclasses
import itertools
import pathlib
import textwrap

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patheffects import withStroke

import behaviour
import netcdf
import reading
import sheet
import stats
import table
from behaviour import BadInput
from figure import footnote, save_both, set_style
from targets import band

BOOTSTRAPS = 200
STRONG = 1.39  # RMT; waves are shown of stronger pulses
LEAST_SD = 0.02  # spikes per corticospinal cell: of what silent muscles are sent, for decoding
MOVES = 0.1  # spikes per corticospinal cell: from there on a muscle moves, as the threshold's criterion
# Conditioning, in RMT, that indices are for: Kujirai et al. 1993, J Physiol 471:501; of long intervals any
# above the threshold (Valls-Solé et al. 1992, EEG Clin Neurophysiol 85:355; the number is chosen).
BELOW_RMT, ABOVE_RMT = 0.8, 1.2
STYLES = (("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"))  # of curves of one group
COLOURS = ["#004488", "#BB5566", "#DDAA33", "#228833", "#66CCEE", "#AA3377", "0.4"]

# Index → (what it is, as printed; the range that is asked for, None where there is none). The ranges
# are wide around values quoted for people's hand muscles at rest, unchecked: priors, not data. They are
# those of targets.toml, where it has a row for the index.
INDICES = {
    "rmt": ("resting motor threshold, in thresholds of layer 2/3 axons", None),
    "s50_rmt": ("half-maximal intensity / RMT", band("RC_S50")),
    "k_rmt": ("slope parameter of the recruitment curve / RMT", band("RC_SLOPE")),
    "r2": ("R² of its Boltzmann fit", band("RC_FIT")),
    "mep_120": ("response at 1.2 RMT (spikes per cell)", None),
    "sici": ("short-interval inhibition: ratio at 2-4 ms", band("SICI")),
    "recovery": ("ratio at 6-11 ms", None),
    "icf": ("facilitation: ratio at 10-20 ms", band("ICF")),
    "lici": ("long-interval inhibition: ratio at 100 ms", band("LICI")),
    "lici_late": ("ratio at 250-300 ms", (0.8, 1.2)),
    "surround": ("response as another finger begins to move / at rest", band("DY_SURROUND")),
    "decoded": ("share of intended fingers that are decoded", None),
    "decoded_as_first": ("the same, as learned from the subject's first such probe", None),
}


# Of a block's probe, and of the block: what a response depends on.
CONDITIONS = (("stimulator", "width", "site"), ("polarization_mv", "nerve_block", "drug"))


@dataclasses.dataclass
class Probe:
    """The trials of stimulation of one probe. Arrays run over trials (and muscles)."""

    group: str
    subject: int
    block: int
    phase: str  # of that block, as phases() has it
    muscle: int  # whose threshold was sought
    rmt: float  # sought or given; NaN where none was found
    stage: np.ndarray
    intensity: np.ndarray
    conditioning: np.ndarray
    interval: np.ndarray  # ms
    polarization: np.ndarray  # mV
    digit: np.ndarray  # the only finger that is asked to move, 0 where there is none
    site: np.ndarray  # shape (trials, 2)
    size: np.ndarray  # MEP above background, shape (trials, muscles)
    volley: np.ndarray  # of `muscle`, shape (trials, time)
    given: bool = False  # the threshold was not sought (probe.rmt)
    conditions: dict[str, str] = dataclasses.field(default_factory=dict)  # values of CONDITIONS

    def of(self, stage: str) -> np.ndarray:
        """Indices of the trials of a stage."""
        return np.flatnonzero(self.stage == stage)


@dataclasses.dataclass
class Laboratory:
    title: str
    groups: dict[str, str]  # label by name, in the experiment's order
    muscles: list[str]
    centres: np.ndarray  # of their fields, shape (muscles, 2), sheet units
    time: np.ndarray  # of volleys: ends of bins, ms after the test pulse
    probes: list[Probe]
    cut: str  # what is unlike the whole experiment: left out, changed or unfinished


def conditions(block: dict) -> dict[str, str]:
    """CONDITIONS of a block and its probe."""
    return {key: str(values.get(key, "")) for values, keys in zip((block.get("probe", {}), block), CONDITIONS)
            for key in keys}


def phases(blocks: list[dict]) -> list[str]:
    """Of each block; with its number where blocks of one phase have probes of other CONDITIONS."""
    names = [behaviour.phase_name(block, k) for k, block in enumerate(blocks)]
    found: dict[str, list] = {}
    for name, block in zip(names, blocks):
        if block.get("probe", {}).get("kind", "none") != "none":
            found.setdefault(name, []).append(conditions(block))
    return [f"{name} (block {k})" if any(one != found[name][0] for one in found.get(name, ())) else name
            for k, name in enumerate(names)]


def read(directory: str | pathlib.Path) -> Laboratory:
    """All probes of a run. Raises BadInput."""
    directory = pathlib.Path(directory)
    path = directory / "probes.nc"
    experiment = behaviour.experiment_of(directory)
    planned = sum(group["subjects"] * sum(block.get("probe", {}).get("kind", "none") != "none"
                                          for block in behaviour.blocks_of(experiment, group["name"]))
                  for group in experiment["group"])
    if not path.is_file():
        raise BadInput(f"{path}: " + (
            "is missing, though blocks have probes; copy it again or run again" if planned else
            "no such file; give a block a probe (probe.kind = \"recruitment\", \"paired_pulse\", "
            "\"surround\", \"intention\" or \"map\") and run again"))
    names = [group["name"] for group in experiment["group"] for _ in range(group["subjects"])]
    with netcdf.open_dataset(path) as file:
        stages = np.array(file["stage"].attrs["flag_meanings"].split())[file["stage"].values]
        muscles = netcdf.texts(file["muscle_name"])
        centres = np.column_stack([file["muscle_x"].values, file["muscle_y"].values])
        size = file["mep"].values - file["background"].values
        keys = np.column_stack([file["subject"].values, file["block"].values])
        time = file["time"].values
        digit = file["digit"].values if "digit" in file.variables else np.zeros(len(keys), int)
        blocks = {name: behaviour.blocks_of(experiment, name) for name in dict.fromkeys(names)}
        probes = []
        for subject, block in np.unique(keys, axis=0):
            if not (0 <= subject < len(names) and 0 <= block < len(blocks[names[subject]])):
                raise BadInput(f"{path}: has a probe before block {block} of subject {subject}, which is not "
                               "in the resolved.toml beside it; take both from one run")
            told = blocks[names[subject]][block]
            own = np.flatnonzero((keys == (subject, block)).all(axis=1))
            probes.append(Probe(
                names[subject], int(subject), int(block), phases(blocks[names[subject]])[block],
                int(file["target_muscle"].values[own[0]]),
                float(file["rmt"].values[own[-1]]), stages[own], file["intensity"].values[own],
                file["conditioning"].values[own], file["interval"].values[own],
                file["polarization"].values[own], digit[own],
                np.column_stack([file["x"].values, file["y"].values])[own], size[own],
                file["volley"].values[own],
                told.get("probe", {}).get("rmt", 0) > 0,
                conditions(told)))
        title = str(file.attrs.get("title", ""))
        cut = str(file.attrs.get("cut", ""))
    if not probes:
        raise behaviour.Unfinished(f"{path}: no probe has finished yet; wait, or resume the run")
    labels = {group["name"]: group.get("label") or group["name"] for group in experiment["group"]}
    notes = [f"only {len(probes)} of {planned} probes finished so far"] * (len(probes) < planned)
    notes += [cut] * bool(cut)  # last, as in behaviour.read()
    return Laboratory(title, labels, muscles, centres, time, probes, "; ".join(notes))


# Indices.

def boltzmann(intensity: np.ndarray, size: np.ndarray) -> tuple[float, float, float, float]:
    """(largest, s50, k, r2) of size = largest / (1 + exp((s50 - intensity) / k)), least squares on
    mean sizes per intensity (Devanne et al. 1997, Exp Brain Res 114:329). R² over these means.

    `largest` follows in closed form; s50 and k are found on a grid that closes in on the minimum."""
    s50s = np.linspace(intensity.min(), intensity.max(), 41)
    ks = np.geomspace(0.005, 1.0, 41) * np.ptp(intensity)
    for _ in range(8):
        s50, k = (a.ravel() for a in np.meshgrid(s50s, ks))
        shape = 1.0 / (1.0 + np.exp(np.clip((s50[:, None] - intensity) / k[:, None], -500, 500)))
        largest = shape @ size / np.maximum(np.sum(shape**2, axis=1), 1e-12)
        error = np.sum((size - largest[:, None] * shape) ** 2, axis=1)
        best = np.argmin(error)
        width = s50s[1] - s50s[0]
        s50s = s50[best] + np.linspace(-2, 2, 41) * width
        ks = k[best] * np.geomspace(ks[0] / ks[1], ks[1] / ks[0], 41) ** 2
    r2 = 1.0 - error[best] / np.sum((size - size.mean()) ** 2)
    return float(largest[best]), float(s50[best]), float(k[best]), float(r2)


def recruitment(probe: Probe) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intensities in RMT, mean sizes and their standard errors, ascending."""
    own = probe.of("recruitment")
    levels = np.round(probe.intensity[own] / probe.rmt, 6)
    size = probe.size[own, probe.muscle]
    values = np.unique(levels)
    sem = [stats.sem(size[levels == v]) for v in values]
    return values, np.array([size[levels == v].mean() for v in values]), np.array(sem)


def ratios(probe: Probe, seed: int = 1) -> list[dict]:
    """One row per conditioning intensity (in RMT) and interval: mean conditioned over mean
    unconditioned response (Kujirai et al. 1993, J Physiol 471:501), with the 95 % interval of a
    bootstrap over pulses."""
    random = np.random.default_rng(seed)
    alone = probe.size[probe.of("unconditioned"), probe.muscle]
    own = probe.of("conditioned")
    rows = []
    strengths = np.round(probe.conditioning / probe.rmt, 6)
    for strength, interval in sorted(set(zip(strengths[own], probe.interval[own]))):
        here = own[(strengths[own] == strength) & (probe.interval[own] == interval)]
        size = probe.size[here, probe.muscle]
        drawn = [random.choice(size, size.size).mean() / random.choice(alone, alone.size).mean()
                 for _ in range(BOOTSTRAPS)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        rows.append({"conditioning": float(strength), "interval_ms": float(interval),
                     "ratio": float(size.mean() / alone.mean()), "low": float(low),
                     "high": float(high), "pulses": int(size.size)})
    return rows


def mean_ratio(rows: list[dict], first: float, last: float, usual: float) -> float:
    """Mean ratio over the intervals from `first` to `last` ms with conditioning pulses on the side of the
    RMT that `usual` is on; where they have several strengths, of the one nearest to `usual`, as inhibition
    that turns into facilitation has no mean. NaN where there are none."""
    own = [r for r in rows
           if first <= r["interval_ms"] <= last and (r["conditioning"] < 1) == (usual < 1)]
    strength = min((r["conditioning"] for r in own), key=lambda c: abs(c - usual), default=np.nan)
    own = [r["ratio"] for r in own if r["conditioning"] == strength]
    return float(np.mean(own)) if own else np.nan


def surround(probe: Probe) -> float:
    """Mean response as other fingers begin to move, less what that movement sends without a pulse,
    over that at rest (Sohn & Hallett 2004, Exp Brain Res 158:397); NaN without such pulses, and where
    no muscle moves by MOVES or more."""
    rest, moving, silent = (probe.size[probe.of(f"surround_{stage}")]
                            for stage in ("rest", "moving", "silent"))
    own = probe.muscle
    if not silent.size or silent.mean(axis=0).max() < MOVES or rest[:, own].mean() <= 0:
        return np.nan
    return float((moving[:, own].mean() - silent[:, own].mean()) / rest[:, own].mean())


def decoded(probe: Probe, by: Probe | None = None) -> float:
    """Share of the trials of intended movements whose finger is told from what is sent to all muscles:
    that of the nearest class mean, in SDs within classes, over the trials of `by`; without one, over the
    other trials of this probe. NaN where it has no such trials, or fewer than three of a finger, or of
    one finger alone, to learn from."""
    own, known = probe.of("intention"), (by or probe).of("intention")
    digits, labels = probe.digit[own], (by or probe).digit[known]
    sent, learned = probe.size[own], (by or probe).size[known]
    classes, number = np.unique(labels, return_counts=True)
    if not own.size or len(classes) < 2 or number.min() < 3:
        return np.nan
    right = 0
    for k, (trial, digit) in enumerate(zip(sent, digits)):
        others = np.arange(len(labels)) != (k if by is None else -1)  # without the trial itself
        rest, of_rest = learned[others], labels[others]
        means = np.array([rest[of_rest == c].mean(axis=0) for c in classes])
        scale = np.maximum((rest - means[np.searchsorted(classes, of_rest)]).std(axis=0), LEAST_SD)
        right += classes[np.argmin((((trial - means) / scale) ** 2).sum(axis=1))] == digit
    return float(right / len(digits))


def map_means(probe: Probe, trials: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sites, shape (sites, 2), and mean responses there, never below 0, shape (sites, muscles)."""
    sites, which = np.unique(probe.site[trials], axis=0, return_inverse=True)
    which = which.ravel()
    count = np.bincount(which, minlength=len(sites))
    sums = np.zeros((len(sites), probe.size.shape[1]))
    np.add.at(sums, which, probe.size[trials])
    return sites, np.maximum(sums / count[:, None], 0.0)


def area(response: np.ndarray) -> np.ndarray:
    """Sites of each muscle's map: response, shape (sites, muscles), above a tenth of its largest."""
    return response > sheet.EDGE * response.max(axis=0)


def centre_of_gravity(sites: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Response-weighted mean site of each muscle's map, shape (muscles, 2) (Wassermann et al. 1992,
    Electroencephalogr Clin Neurophysiol 85:1). Sites outside the map do not count."""
    weight = np.where(area(response), response, 0.0)
    with np.errstate(invalid="ignore"):
        return (weight.T @ sites) / weight.sum(axis=0)[:, None]


def maps(probe: Probe, lab: Laboratory, seed: int = 1) -> tuple[list[dict], list[dict]]:
    """Rows per muscle (largest response, area in squared sheet units, centre of gravity) and per
    pair of muscles (Jaccard index, volume overlap), each with the 95 % interval of a bootstrap over
    the sweeps of the grid. `reliability`: correlation over sites of the mean maps of odd and even
    sweeps."""
    random = np.random.default_rng(seed)
    own = probe.of("map")
    order = {}
    for trial in own:
        order.setdefault(tuple(probe.site[trial]), []).append(trial)
    sweeps = np.array(list(order.values())).T  # (sweeps, sites)
    sites, response = map_means(probe, own)
    spacing = np.diff(np.unique(sites[:, 0])).min() if len(np.unique(sites[:, 0])) > 1 else 1.0
    pairs = list(itertools.combinations(range(len(lab.muscles)), 2))

    def measure(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        sites, response = map_means(probe, chosen.ravel())
        inside = area(response)
        return (inside.sum(axis=0) * spacing**2, centre_of_gravity(sites, response),
                np.array([sheet.jaccard(inside[:, a], inside[:, b]) for a, b in pairs]),
                np.array([sheet.volume_overlap(response[:, a], response[:, b]) for a, b in pairs]))

    found = measure(sweeps)
    drawn = [measure(sweeps[random.integers(0, len(sweeps), len(sweeps))])
             for _ in range(BOOTSTRAPS if len(sweeps) > 1 else 0)]
    bounds = [np.nanpercentile([d[i] for d in drawn], [2.5, 97.5], axis=0) if drawn
              else np.full((2, *found[i].shape), np.nan) for i in range(4)]
    halves = [map_means(probe, sweeps[start::2].ravel())[1] if len(sweeps) > 1 else response
              for start in (0, 1)]
    key = {"group": probe.group, "subject": probe.subject, "block": probe.block}
    muscles = []
    for m, name in enumerate(lab.muscles):
        muscles.append(key | {
            "muscle": name, "largest": float(response[:, m].max()), "area": float(found[0][m]),
            "area_low": float(bounds[0][0][m]), "area_high": float(bounds[0][1][m]),
            "x": float(found[1][m, 0]), "x_low": float(bounds[1][0][m, 0]),
            "x_high": float(bounds[1][1][m, 0]), "y": float(found[1][m, 1]),
            "y_low": float(bounds[1][0][m, 1]), "y_high": float(bounds[1][1][m, 1]),
            "reliability": _correlation(halves[0][:, m], halves[1][:, m])})
    overlaps = [key | {
        "muscle_a": lab.muscles[a], "muscle_b": lab.muscles[b], "jaccard": float(found[2][i]),
        "jaccard_low": float(bounds[2][0][i]), "jaccard_high": float(bounds[2][1][i]),
        "volume_overlap": float(found[3][i]), "volume_low": float(bounds[3][0][i]),
        "volume_high": float(bounds[3][1][i])} for i, (a, b) in enumerate(pairs)]
    return muscles, overlaps


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a, b)[0, 1]) if np.ptp(a) > 0 and np.ptp(b) > 0 else np.nan


def indices(probe: Probe) -> dict:
    """All of INDICES that the probe tells; NaN for the others."""
    record = dict.fromkeys(INDICES, np.nan) | {"rmt": np.nan if probe.given else probe.rmt}
    if probe.of("recruitment").size:
        levels, size, _ = recruitment(probe)
        if len(levels) >= 4:
            _, record["s50_rmt"], record["k_rmt"], record["r2"] = boltzmann(levels, size)
        below, above = levels[levels <= 1.2], levels[levels >= 1.2]
        if below.size and above.size and below[-1] > 1.0999 and above[0] < 1.3001:
            record["mep_120"] = float(np.interp(1.2, levels, size))
    if probe.of("conditioned").size:
        rows = ratios(probe)
        record |= {"sici": mean_ratio(rows, 2, 4, BELOW_RMT),
                   "recovery": mean_ratio(rows, 6, 11, BELOW_RMT),
                   "icf": mean_ratio(rows, 10, 20, BELOW_RMT),
                   "lici": mean_ratio(rows, 100, 100, ABOVE_RMT),
                   "lici_late": mean_ratio(rows, 250, 300, ABOVE_RMT)}
    return record | {"surround": surround(probe), "decoded": decoded(probe)}


def measure(lab: Laboratory) -> list[dict]:
    """One row per probe."""
    rows, first = [], {}
    for p in lab.probes:  # in the order of blocks
        row = {"group": p.group, "subject": p.subject, "block": p.block, "phase": p.phase,
               "muscle": lab.muscles[p.muscle], "pulses": len(p.stage), "given_rmt": p.rmt if p.given else None}
        row |= p.conditions | indices(p)
        if p.of("intention").size:
            if p.subject in first:
                row["decoded_as_first"] = decoded(p, first[p.subject])
            first.setdefault(p.subject, p)
        rows.append(row)
    return rows


def summary(lab: Laboratory, rows: list[dict]) -> list[dict]:
    """One row per group and index: mean over subjects (of a subject's probes that tell it), its
    standard error, and n. `phase` and `muscle` are None; where an index was told before several
    phases, or of several muscles, a row for each pair of both follows. No mean over probes of several
    muscles or other CONDITIONS."""
    alike = ("muscle", *itertools.chain(*CONDITIONS))
    records = []
    for group, index in itertools.product(lab.groups, INDICES):
        told = [row for row in rows if np.isfinite(row[index])]
        own = [row for row in told if row["group"] == group]
        apart = list(dict.fromkeys((row["phase"], row["muscle"]) for row in told))
        pooled = len({tuple(row.get(key) for key in alike) for row in own}) == 1
        for phase, muscle in (((None, None),) * pooled + tuple(apart if len(apart) > 1 else ())):
            by_subject = {}
            for row in own:
                if phase is None or (phase, muscle) == (row["phase"], row["muscle"]):
                    by_subject.setdefault(row["subject"], []).append(row[index])
            values = [float(np.mean(v)) for v in by_subject.values()]
            if values:
                mean, sem = stats.mean_sem(values)
                records.append({"group": group, "index": index, "phase": phase, "muscle": muscle,
                                "mean": mean, "sem": sem, "n": len(values)})
    return records


def summary_of_ratios(lab: Laboratory, points: list[dict]) -> list[dict]:
    """The same of every pair of conditioning intensity and interval in the curves, by phase where several
    have that intensity."""
    records = []
    paired = [r for r in points if r["curve"] == "paired_pulse"]
    for group, strength in itertools.product(lab.groups, sorted({r["conditioning"] for r in paired})):
        alike = [r for r in paired if r["conditioning"] == strength]
        told = list(dict.fromkeys(r["phase"] for r in alike))
        for phase in told:
            here = [r for r in alike if (r["group"], r["phase"]) == (group, phase)]
            for interval, mean, sem, n in zip(*_mean_over_subjects(here, "interval_ms")) if here else ():
                records.append({
                    "group": group, "index": "ratio", "phase": phase if len(told) > 1 else None,
                    "muscle": None, "conditioning": strength, "interval_ms": float(interval),
                    "mean": float(mean), "sem": float(sem), "n": int(n)})
    return records


# Output.

def without_threshold(lab: Laboratory) -> str:
    """What a reader is told of probes that found no threshold, and so went no further; "" for none."""
    subjects = collections.Counter((p.group, p.phase) for p in lab.probes
                                   if p.of("threshold").size and not np.isfinite(p.rmt))
    told = ", ".join(f'{group} before "{phase}" ({n} subject{"s"[: n != 1]})'
                     for (group, phase), n in subjects.items())
    return f"No threshold was found, and nothing else measured: {told}." if told else ""


def print_table(lab: Laboratory, records: list[dict]) -> None:
    if missed := without_threshold(lab):
        print(f"{missed}\n")
    groups = [g for g in lab.groups if any(r["group"] == g for r in records)]
    if not records:  # maps, or polarised responses, at a given threshold
        print("These probes tell no index; maps are in tms_maps.csv and tms_overlaps.csv, and what "
              "polarisation does is told by `quartet observation`.")
        return
    n = {r["n"] for r in records}
    print(f"Stimulation of the resting motor sheet; mean ± SEM over n = "
          f"{stats.span(n)} subject{'s'[: max(n) != 1]}. In brackets: "
          "the range that is asked for.\n")
    lines = []
    for index, (what, asked) in INDICES.items():
        told = [r for r in records if r["index"] == index]
        several = len({r["muscle"] for r in told} - {None}) > 1
        rows = [(None, None), *((r["phase"], r["muscle"]) for r in told)] if told else []
        for phase, muscle in dict.fromkeys(rows):
            own = {r["group"]: r for r in told if (r["phase"], r["muscle"]) == (phase, muscle)}
            text = (what + (f" ({asked[0]:g}-{asked[1]:g})" if asked else "") if phase is None
                    else f'  before "{phase}"' + (f", {muscle.replace('_', ' ')}" if several else ""))
            lines.append((text, *(table.number(own[g]["mean"], own[g]["sem"]) if g in own else "-"
                                  for g in groups)))
    curve = lambda r: (r["phase"] or "", r["conditioning"], r["interval_ms"])
    for key in sorted({curve(r) for r in records if r["index"] == "ratio"}):
        phase, strength, interval = key
        own = {r["group"]: r for r in records if r["index"] == "ratio" and curve(r) == key}
        lines.append((f"ratio at {interval:g} ms, conditioning {strength:g} RMT"
                      + (f', before "{phase}"' if phase else ""),
                      *(table.number(own[g]["mean"], own[g]["sem"]) if g in own else "-"
                        for g in groups)))
    table.show(("", *groups), lines)
    if any(r["index"] == "ratio" for r in records):
        print(f"\nRatios without a strength are of the conditioning pulses nearest to {BELOW_RMT:g} RMT (to "
              f"20 ms) or {ABOVE_RMT:g} RMT.")
    if any(r["phase"] is not None for r in records):
        print("\nbefore: before the first trial of that phase's blocks; above these lines: mean over all,\n"
              "none where they are of several muscles, coils, sites, drugs, nerve blocks or polarisations.")


def curves(lab: Laboratory) -> list[dict]:
    """One row per point of the recruitment and paired-pulse curves of every probe."""
    rows = []
    for probe in lab.probes:
        key = {"group": probe.group, "subject": probe.subject, "block": probe.block, "phase": probe.phase}
        if probe.of("recruitment").size:
            for level, size, sem in zip(*recruitment(probe)):
                rows.append(key | {"curve": "recruitment", "intensity_rmt": float(level),
                                   "conditioning": None, "interval_ms": None, "value": float(size),
                                   "low": float(size - 1.96 * sem), "high": float(size + 1.96 * sem)})
        if probe.of("conditioned").size:
            for r in ratios(probe):
                rows.append(key | {"curve": "paired_pulse", "intensity_rmt": None,
                                   "conditioning": r["conditioning"], "interval_ms": r["interval_ms"],
                                   "value": r["ratio"], "low": r["low"], "high": r["high"]})
    return rows


def _mean_over_subjects(rows: list[dict], x: str) -> tuple[np.ndarray, ...]:
    """Points, means over subjects, their SEM and numbers of subjects."""
    points = sorted({r[x] for r in rows})
    found = []
    for point in points:
        by_subject = {}
        for r in rows:
            if r[x] == point:
                by_subject.setdefault(r["subject"], []).append(r["value"])
        found.append((*stats.mean_sem([np.mean(v) for v in by_subject.values()]), len(by_subject)))
    return np.array(points), *np.array(found).T


def draw(lab: Laboratory, rows: list[dict], records: list[dict]) -> plt.Figure:
    """rows: of curves(); records: of summary()."""
    set_style(12)
    mapped = [p for p in lab.probes if p.of("map").size]
    first = {p.group: p.subject for p in reversed(mapped)}
    mapped = [p for p in mapped if p.subject == first[p.group]]
    around = [r for r in records if r["index"] == "surround"]
    shown = _panels_with_data(lab, rows) + ["surround"] * bool(around)
    counts = ({r["n"] for r in around}
              | {len({r["subject"] for r in rows if r["group"] == g}) for g in {r["group"] for r in rows}})
    n = stats.span(counts) if counts else ""
    note = footnote(lab.cut, (f"Mean ± SEM over n = {n} subject{'s'[: n != '1']} a group; grey: the range "
                              "that is asked for. " if counts else "")
                    + "Responses: spikes per corticospinal cell within 10 ms."
                    + (" Maps: of each group's first subject; ● sites, in the colour of the muscle that responds "
                       f"most and as large as it responds, grey where that is {sheet.EDGE:g} of the largest "
                       "response or less; + fields of muscles, ◇ centres of gravity; all maps: tms_maps.csv."
                       if mapped else ""), 150)
    lines = -(-len(shown) // 2)  # of panels
    beside = 1 if len(mapped) == 1 else 2  # maps in a row
    heights = [3.1] * lines + [3.7 if beside == 1 else 1.95] * -(-len(mapped) // beside)  # inches
    keys = 0.2 * max((-(-len(_series(name, lab, rows)) // 2) for name in shown), default=0)  # legends
    gap, top, bottom = 0.95 + keys, 0.8 + keys, 0.75 + 0.2 * len(note)
    height = sum(heights) + gap * (len(heights) - 1) + top + bottom
    figure = plt.figure(figsize=(13, height))
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights, hspace=gap / np.mean(heights),
                               wspace=0.2, left=0.07, right=0.98, top=1 - top / height,
                               bottom=bottom / height)
    if shown:
        # A panel without a neighbour takes its place too.
        panels = {name: figure.add_subplot(
            grid[i // 2, slice(None) if i == len(shown) - 1 and i % 2 == 0 else i % 2])
            for i, name in enumerate(shown)}
        if around:
            _draw_surround(panels.pop("surround"), lab, around)
        if panels:
            _draw_curves(panels, lab, rows)
    for i, probe in enumerate(mapped):
        _draw_map(figure.add_subplot(grid[lines + i // beside, i % beside if beside > 1 else slice(None)]),
                  lab, probe)
    figure.suptitle(lab.title or "Stimulation of the resting motor sheet", x=0.012, y=1 - 0.15 / height,
                    va="top", ha="left", fontweight="bold", fontsize=15, parse_math=False)
    figure.text(0.012, 0.12 / height, "\n".join(note), fontsize=10, color="0.2")
    return figure


def _panels_with_data(lab: Laboratory, rows: list[dict]) -> list[str]:
    return [name for name in ("recruitment", "waves", "short", "long") if _series(name, lab, rows)]


def _draw_curves(panels: dict[str, plt.Axes], lab: Laboratory, rows: list[dict]) -> None:
    for name, title, x_label, y_label in (
            ("recruitment", "Recruitment", "intensity (RMT)", "response"),
            ("waves", "Waves after 1.4 RMT or more", "ms after the pulse", "spikes per cell and ms"),
            ("short", "Paired pulses, conditioning below the RMT", "interval (ms)",
             "response / unconditioned"),
            ("long", "Paired pulses, conditioning above the RMT", "interval (ms)",
             "response / unconditioned")):
        if name in panels:
            panels[name].set_title(title, loc="left", fontweight="bold")
            panels[name].set_xlabel(x_label)
            panels[name].set_ylabel(y_label)
    for name, spans in (("short", ((2, 4, *INDICES["sici"][1]), (10, 20, *INDICES["icf"][1]))),
                        ("long", ((95, 105, *INDICES["lici"][1]),
                                  (250, 300, *INDICES["lici_late"][1])))):
        if name in panels:
            panels[name].axhline(1.0, color="0.6", linewidth=1)
            measured = [r["interval_ms"] for r in rows if r["curve"] == "paired_pulse"
                        and (r["conditioning"] < 1.0) == (name == "short")]
            for left, right, low, high in spans:
                if any(left <= interval <= right for interval in measured):
                    panels[name].fill_between([left, right], low, high, color="0.88", linewidth=0)
    tints = dict(zip(lab.groups, itertools.cycle(COLOURS)))
    explained = []
    for name, axes in panels.items():
        series = _series(name, lab, rows)
        for (group, phase, strength), own in series.items():
            parts = ((group, lab.groups[group]), (phase, f'before "{phase}"'), (strength, f"{strength} RMT"))
            told = [text for i, (value, text) in enumerate(parts) if len({key[i] for key in series}) > 1]
            mine = [key for key in series if key[0] == group]
            line, marker = STYLES[mine.index((group, phase, strength)) % len(STYLES)]
            look = {"color": tints[group], "linestyle": line, "label": ", ".join(told) or lab.groups[group]}
            if name == "waves":
                per_ms = np.mean(own, axis=0) / (lab.time[1] - lab.time[0])
                shown = lab.time <= 12
                axes.step(lab.time[shown], per_ms[shown], where="pre", linewidth=1.6, **look)
                continue
            x, mean, sem, _ = _mean_over_subjects(own, "interval_ms" if strength else "intensity_rmt")
            fitted = not strength and len(x) >= 4
            axes.errorbar(x, mean, np.nan_to_num(sem), marker=marker, markersize=5, linewidth=1.8,
                          **look | ({"linestyle": "none"} if fitted else {}))
            if fitted:
                largest, s50, k, _ = boltzmann(x, mean)
                fine = np.linspace(x[0], x[-1], 200)
                axes.plot(fine, largest / (1 + np.exp((s50 - fine) / k)), linewidth=1.8,
                          **look | {"label": None})
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
        handles, labels = axes.get_legend_handles_labels()
        if len(lab.groups) * len(series) > 1 and labels not in explained:
            axes.legend(handles, labels, frameon=False, fontsize=8.5, loc="lower left", ncols=2,
                        bbox_to_anchor=(-0.02, 0.98), labelspacing=0.3, columnspacing=1, handlelength=1.6)
            axes.set_title(axes.get_title(loc="left"), loc="left", fontweight="bold",
                           pad=6 + 14 * -(-len(labels) // 2))
            explained.append(labels)


def _series(name: str, lab: Laboratory, rows: list[dict]) -> dict[tuple[str, str, float | None], list]:
    """Rows, or volleys, of each curve of a panel: by group, phase and conditioning intensity."""
    result: dict[tuple, list] = {}
    if name == "waves":
        for p in lab.probes:
            strong = [p.volley[i] for i in p.of("recruitment") if p.intensity[i] > STRONG * p.rmt]
            if strong:
                result.setdefault((p.group, p.phase, None), []).extend(strong)
        return result
    for r in rows:
        strength = r["conditioning"]
        if name == ("recruitment" if strength is None else "short" if strength < 1.0 else "long"):
            result.setdefault((r["group"], r["phase"], strength), []).append(r)
    return dict(sorted(result.items(), key=lambda item: list(lab.groups).index(item[0][0])))


def _draw_surround(axes: plt.Axes, lab: Laboratory, records: list[dict]) -> None:
    """The index of every group, where it was told before several phases one point for each."""
    groups = [g for g in lab.groups if any(r["group"] == g for r in records)]
    axes.axhspan(*INDICES["surround"][1], color="0.88", linewidth=0)
    axes.axhline(1.0, color="0.6", linewidth=1)
    tints = dict(zip(lab.groups, itertools.cycle(COLOURS)))  # as in the other panels
    for place, group in enumerate(groups):
        own = [r for r in records if r["group"] == group]
        own = [r for r in own if r["phase"] is not None] or own
        for i, record in enumerate(own):
            x = place + 0.7 / max(len(own), 3) * (i - (len(own) - 1) / 2)
            axes.errorbar(x, record["mean"], np.nan_to_num(record["sem"]), fmt="o", color=tints[group],
                          markersize=6)
            if record["phase"] is not None:
                axes.annotate(record["phase"], (x, 0.0), xytext=(0, 4),
                              xycoords=("data", "axes fraction"), textcoords="offset points",
                              ha="center", fontsize=8, color="0.35", rotation=90)
    axes.set_xticks(range(len(groups)), [textwrap.fill(lab.groups[g], 15) for g in groups],
                    fontsize=10)
    axes.set_xlim(-0.6, len(groups) - 0.4)
    axes.set_ylim(bottom=1.1 * min(0.0, *(r["mean"] - np.nan_to_num(r["sem"]) for r in records)))
    axes.set_ylabel("response / at rest")
    axes.set_title("As another finger begins to move", loc="left", fontweight="bold")


def _draw_map(axes: plt.Axes, lab: Laboratory, probe: Probe) -> None:
    """Sites coloured by the muscle that responds most, the stronger the response the larger."""
    sites, response = map_means(probe, probe.of("map"))
    palette = plt.get_cmap("tab20")(np.linspace(0, 1, len(lab.muscles)))
    strongest, size = response.argmax(axis=1), response.max(axis=1)
    shown = size > sheet.EDGE * size.max()
    axes.scatter(*sites[shown].T, s=420 * size[shown] / size.max(), c=palette[strongest[shown]])
    axes.scatter(*sites[~shown].T, s=4, color="0.8")
    for m, name in enumerate(lab.muscles):
        text = name.replace("_finger", "").replace("_", "\n")  # fingers are closer than their names
        axes.annotate(text, lab.centres[m], xytext=(0, 8), textcoords="offset points", ha="center",
                      va="bottom", fontsize=8, color="0.15", linespacing=0.9,
                      path_effects=[withStroke(linewidth=2, foreground="w")])
        axes.plot(*lab.centres[m], "+", color=palette[m], markersize=9, markeredgewidth=1.5)
    centres = centre_of_gravity(sites, response)
    axes.scatter(*centres.T, s=36, marker="D", c=palette, edgecolors="black", linewidths=0.8)
    axes.set(xlim=(0, sheet.WIDTH), ylim=(0, sheet.HEIGHT), aspect="equal",
             xlabel="sheet (units of about .8 mm)")
    axes.set_title(f'{lab.groups[probe.group]}, subject {probe.subject}: map before "{probe.phase}"',
                   loc="left", fontweight="bold", fontsize=11)


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes tables and figure; for reading.read()."""
    lab = read(directory)
    rows = measure(lab)
    records = summary(lab, rows)
    table.write_csv(directory / "tms.csv", rows)
    if not any(np.isfinite(p.rmt) for p in lab.probes) and not records:
        raise BadInput(f"{directory / 'probes.nc'}: no probe found a threshold, and so there are no "
                       "indices; stimulate nearer to the muscle (probe.site), ask for less "
                       "(probe.criterion), or give the threshold (probe.rmt)")
    points = curves(lab)
    if points:
        table.write_csv(directory / "tms_curves.csv", points)
    mapped = [maps(p, lab) for p in lab.probes if p.of("map").size]
    if mapped:
        table.write_csv(directory / "tms_maps.csv", [row for muscles, _ in mapped for row in muscles])
        table.write_csv(directory / "tms_overlaps.csv", [row for _, overlaps in mapped for row in overlaps])
    drawn = None  # of probes of intention alone
    if points or mapped or any(r["index"] == "surround" for r in records):
        drawn = save_both(draw(lab, points, records), directory, "tms")
    records += summary_of_ratios(lab, points)

    def show() -> None:
        print_table(lab, records)
        if any(p.given for p in lab.probes):
            print("Thresholds of some probes were given (probe.rmt), not sought.")

    return records, show, drawn, lab.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("tms", "Threshold, recruitment, paired pulses, maps, the surround of movements and "
                        "intended fingers, of a run's probes.", "a run directory with probes.nc",
                        "results/tms", analyse, arguments)


if __name__ == "__main__":
    table.end(main, "tms.py")
