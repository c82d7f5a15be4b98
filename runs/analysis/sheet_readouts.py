"""Read-outs of the motor sheet: from what maps.py, spines.py, tms.py, observation.py, nerves.py and
bold.py find of one subject to one number. targets.toml names these functions, as it names those of
readouts.py.

Every function takes a Subject and returns a float: NaN where its run has not what is read.
"""

from __future__ import annotations

import functools
import importlib
import pathlib
import sys

import numpy as np

import stats
from behaviour import BadInput, Subject

LABELS = {
    "territory_of_practised": "territory of the practised fingers, after / before practice",
    "territory_change": "territory of the practised fingers, change by practice",
    "territory_after_rest": "territory of the practised fingers, change by practice and the rest after it",
    "territory_regained": "territory of the practised fingers, after practice, change from the start",
    "territory_left": "territory of the practised fingers, at the end, change from the start",
    "co_contraction": "co-contraction of a finger asked for and the others",
    "individuation": "individuation of finger movements",
    "dystonic": "share of subjects whose co-contraction is .4 or more",
    "patterns_apart": "unlikeness of the fingers' BOLD-like patterns, last block of movements",
    "total_change": "territory of all muscles, change by practice",
    "jaccard_change": "Jaccard index of the practised maps, change by practice",
    "overlap_change": "volume overlap of the practised maps, change by practice",
    "rmt": "resting motor threshold",
    "s50_rmt": "half-maximal intensity / RMT",
    "k_rmt": "slope of recruitment / RMT",
    "r2": "R² of the Boltzmann fit",
    "sici": "ratio at 2-4 ms",
    "icf": "ratio at 10-20 ms",
    "lici": "ratio at 100 ms",
    "decoded_as_first": "share of intended fingers that are decoded as before",
    "surround": "response as another finger moves / at rest",
    "formed_first": "synapses formed and kept per day, first block of practice",
    "formed": "synapses formed and kept per day, practice",
    "density_trained": "synapses after practice, of those at the start",
    "density_end": "synapses at the end, of those at the start",
    "new_survive": "share of the practice's new synapses that are left at the end",
    "new_survive_coactive": "the same, source by the same finger",
    "new_survive_other": "the same, source elsewhere",
    "injured": "finger's rate after the stroke, of the healthy one",
    "recovered": "what therapy adds to it",
    "kept": "what of this is left later",
    "pmv_share": "PMv rate, observation / movement",
    "pmv_naive_share": "PMv rate, first observation / movement",
    "mep_observing": "response, observing / alone",
    "mep_anodal": "response, +1 mV / 0",
    "mep_cathodal": "response, -1 mV / 0",
    "interaction_low": "interaction below the predicted crossing",
    "interaction_high": "interaction above it",
    "crossing_gap": "crossing - predicted, in k",
    "neighbours_before": "silenced sites that answer with a neighbour, before",
    "neighbours_during": "silenced sites that answer with a neighbour, during",
    "neighbours_after": "silenced sites that answer with a neighbour, after",
    "fast_change": "silenced sites that answer with a neighbour, first day minus before",
    "slow_change": "silenced sites that answer with a neighbour, late minus first day",
    "sprouted": "new synapses from other parts, of those at the start",
    "mep_blocked": "response of a neighbour, during / before",
    "rmt_blocked": "its threshold, change",
    "sici_blocked": "its ratio at 2-4 ms, change",
}

# Module, file that it reads, and its rows of a run directory; a row names its "subject".
FINDERS = {
    "maps": ("cortex_weights.nc", lambda module, directory: module.measure(directory)[0]),
    "practice": ("behaviour.nc", lambda module, directory: module.trials(directory)),
    "bold": ("cortex_energy.nc", lambda module, directory: module.fingers(directory)),
    "spines": ("cortex_weights.nc", lambda module, directory: module.measure(directory)),
    "observation": ("cortex.nc", lambda module, directory: module.measure(directory)[0]),
    "nerves": ("probes.nc", lambda module, directory: module.measure(directory)[0]),
    "tms": ("probes.nc", lambda module, directory: module.measure(module.read(directory))),
}

DYSTONIC = 0.4  # co-contraction from which fingers are called dystonic (chosen, as the band of DY_CCI)


@functools.cache
def _all_rows(module: str, directory: pathlib.Path) -> list[dict]:
    file, rows = FINDERS[module]
    if not (directory / file).is_file():
        return []
    name = "maps" if module == "practice" else module
    try:
        return rows(importlib.import_module(name), directory)  # loads matplotlib: only when needed
    except BadInput as error:  # of another brain, or without the records: the rest can be read
        print(f"score.py: left out: {error}", file=sys.stderr)
        return []


def _rows(subject: Subject, module: str) -> list[dict]:
    return [row for row in _all_rows(module, subject.directory) if row["subject"] == subject.member]


# --- Maps of the fingers (maps.py: of weights) -----------------------------------------------


def _map_change(subject: Subject, name: str, blocks: int = 1) -> float:
    """Change of an index from before practice to `blocks` blocks later."""
    rows = _rows(subject, "maps")
    start = next((i for i, row in enumerate(rows) if row["reference"]), len(rows))
    return rows[start + blocks][f"{name}_change"] if start + blocks < len(rows) else np.nan


def territory_change(subject: Subject) -> float:
    """Change of the territory of the practised fingers by the first block of practice."""
    return _map_change(subject, "territory")


def territory_of_practised(subject: Subject) -> float:
    """The territory after the first block of practice as a multiple of that before."""
    return 1 + territory_change(subject)


def territory_after_rest(subject: Subject) -> float:
    """As territory_change, to the end of the block after that: what rest has left of it."""
    return _map_change(subject, "territory", 2)


def territory_regained(subject: Subject) -> float:
    """Territory of the practised fingers after the first block of practice, relative to the first
    snapshot: to before a lesion."""
    rows = _rows(subject, "maps")
    start = next((i for i, row in enumerate(rows) if row["reference"]), len(rows))
    if start + 1 >= len(rows) or not rows[0]["territory"]:
        return np.nan
    return rows[start + 1]["territory"] / rows[0]["territory"] - 1


def territory_left(subject: Subject) -> float:
    """The same of the last snapshot."""
    rows = _rows(subject, "maps")
    return rows[-1]["territory"] / (rows[0]["territory"] or np.nan) - 1 if rows else np.nan


def patterns_apart(subject: Subject) -> float:
    """1 - cosine of the BOLD-like patterns of fingers that move alone, in the last such block."""
    rows = _rows(subject, "bold")
    return rows[-1]["unlikeness"] if rows else np.nan


def total_change(subject: Subject) -> float:
    """Change of the territory of all muscles by the first block of practice."""
    return _map_change(subject, "total")


def jaccard_change(subject: Subject) -> float:
    """Change of the Jaccard index of the maps of practised neighbours."""
    return _map_change(subject, "jaccard")


def overlap_change(subject: Subject) -> float:
    """Change of the volume overlap of the maps of practised neighbours."""
    return _map_change(subject, "overlap")


def _last_moves(subject: Subject, name: str) -> float:
    """Mean over the movements of one finger in the last block that has any."""
    rows = [row for row in _rows(subject, "practice")
            if " " not in row["fingers"] and np.isfinite(row[name])]
    values = [row[name] for row in rows if row["block"] == rows[-1]["block"]]
    return float(np.mean(values)) if values else np.nan


def co_contraction(subject: Subject) -> float:
    """2 sum min(r_a, r_b) / sum (r_a + r_b) of the motor pools' rates of the finger asked for (a) and
    each other (b), movements of one finger in the last block of movements."""
    return _last_moves(subject, "co_contraction")


def individuation(subject: Subject) -> float:
    """1 - mean rate of the other fingers' pools over that of the finger asked for, over the same."""
    return _last_moves(subject, "individuation")


def dystonic(subject: Subject) -> float:
    """1 where co_contraction is at least DYSTONIC, else 0: the mean over subjects is a share."""
    value = co_contraction(subject)
    return float(value >= DYSTONIC) if np.isfinite(value) else np.nan


# --- Therapies after a stroke: movements in phases in which nothing is learned ---------------


def _movement(subject: Subject, phase: str) -> float:
    """Mean rate of the asked finger's motor pool in a phase, of that in the phase "healthy"."""
    def rate(name: str) -> float:
        trials = set(subject.labels.get(name, np.array([])).tolist())
        values = [row["rate_asked"] for row in _rows(subject, "practice") if row["trial"] in trials]
        return float(np.mean(values)) if values else np.nan

    return rate(phase) / (rate("healthy") or np.nan)


def injured(subject: Subject) -> float:
    """Rate of the finger's motor pool after the stroke, as a share of that before."""
    return _movement(subject, "injured")


def recovered(subject: Subject) -> float:
    """What this share has gained when the therapy is over."""
    return _movement(subject, "treated") - injured(subject)


def kept(subject: Subject) -> float:
    """The same after the rest that follows."""
    return _movement(subject, "later") - injured(subject)


# --- Stimulation (tms.py) --------------------------------------------------------------------


def _index(subject: Subject, name: str) -> float:
    """Mean over the subject's probes that tell it."""
    return stats.mean([row[name] for row in _rows(subject, "tms")])


def rmt(subject: Subject) -> float:
    """Resting motor threshold, in thresholds of layer 2/3 axons."""
    return _index(subject, "rmt")


def s50_rmt(subject: Subject) -> float:
    """Half-maximal intensity of the recruitment curve over the threshold."""
    return _index(subject, "s50_rmt")


def k_rmt(subject: Subject) -> float:
    """Slope parameter of the recruitment curve over the threshold."""
    return _index(subject, "k_rmt")


def r2(subject: Subject) -> float:
    """Coefficient of determination of the curve's Boltzmann fit."""
    return _index(subject, "r2")


def sici(subject: Subject) -> float:
    """Short-interval inhibition: conditioned over unconditioned response, at 2-4 ms."""
    return _index(subject, "sici")


def icf(subject: Subject) -> float:
    """Facilitation: the same at 10-20 ms."""
    return _index(subject, "icf")


def surround(subject: Subject) -> float:
    """Response of a finger's muscle as another one begins to move, over that at rest."""
    return _index(subject, "surround")


def decoded_as_first(subject: Subject) -> float:
    """Share of intended finger movements that are decoded from what corticospinal cells send, by what was
    learned from the subject's first probe of intention."""
    return _index(subject, "decoded_as_first")


def lici(subject: Subject) -> float:
    """Long-interval inhibition: the same at 100 ms, with a conditioning pulse above threshold."""
    return _index(subject, "lici")


# --- Spines (spines.py: on the cells of the practised fingers) -------------------------------


def _practice(subject: Subject, name: str) -> list[float]:
    """Values after each block of practice, in groups without one over the same trials."""
    return [row[name] for row in _rows(subject, "spines") if row["practice"] == "on"]


def _end(subject: Subject, name: str) -> float:
    rows = _rows(subject, "spines")
    return rows[-1][name] if rows else np.nan


def formed_first(subject: Subject) -> float:
    """Synapses, as shares of those at the start, that formed per day of the first block of practice
    and are there at its end."""
    return (_practice(subject, "per_day") or [np.nan])[0]


def formed(subject: Subject) -> float:
    """The same, mean over the days of practice."""
    rows = _rows(subject, "spines")
    blocks = [(now["day"] - before["day"], now["per_day"])
              for before, now in zip(rows, rows[1:]) if now["practice"] == "on"]
    days, per_day = np.array(blocks or [(np.nan, np.nan)]).T
    return float((days * per_day).sum() / days.sum())


def density_trained(subject: Subject) -> float:
    """Synapses at the end of practice, of those at the start."""
    return (_practice(subject, "density") or [np.nan])[-1]


def density_end(subject: Subject) -> float:
    """Synapses after the last block, of those at the start."""
    return _end(subject, "density")


def new_survive(subject: Subject) -> float:
    """Share of the synapses that formed in practice, and were there at its end, that is there after
    the last block."""
    return _end(subject, "survival")


def new_survive_coactive(subject: Subject) -> float:
    """new_survive of those whose source lies by the same practised finger as their target."""
    return _end(subject, "survival_coactive")


def new_survive_other(subject: Subject) -> float:
    """new_survive of all others."""
    return _end(subject, "survival_other")


# --- Seen movements (observation.py) ---------------------------------------------------------


def _observed(subject: Subject, name: str) -> float:
    return next((row[name] for row in _rows(subject, "observation")), np.nan)


def pmv_share(subject: Subject) -> float:
    """Rate of PMv cells in the last block of observation over that in the last of movements."""
    return _observed(subject, "pmv_share")


def pmv_naive_share(subject: Subject) -> float:
    """The same of the first block of observation."""
    return _observed(subject, "pmv_naive") / (_observed(subject, "pmv_execute") or np.nan)


def mep_observing(subject: Subject) -> float:
    """Response to a pulse in observation over that alone, not polarised."""
    return _observed(subject, "mep_ratio")


def mep_anodal(subject: Subject) -> float:
    """Response at +1 mV over that at 0, alone."""
    return _observed(subject, "mep_anodal")


def mep_cathodal(subject: Subject) -> float:
    """Response at -1 mV over that at 0, alone."""
    return _observed(subject, "mep_cathodal")


def interaction_low(subject: Subject) -> float:
    """Mean interaction of observation and current below the predicted crossing."""
    return _observed(subject, "low")


def interaction_high(subject: Subject) -> float:
    """The same above it."""
    return _observed(subject, "high")


def crossing_gap(subject: Subject) -> float:
    """Where the interaction changes sign less where that is predicted, in slope parameters."""
    return _observed(subject, "gap")


# --- Blocks of nerves (nerves.py) ------------------------------------------------------------


def _nerves(subject: Subject, name: str) -> float:
    return next((row[name] for row in _rows(subject, "nerves")), np.nan)


def neighbours_before(subject: Subject) -> float:
    """Share of the silenced part's sites that answer with a muscle of another part, first map."""
    return _nerves(subject, "share_before")


def neighbours_during(subject: Subject) -> float:
    """The same in the map in the block (without one: the second), on sites of the first."""
    return _nerves(subject, "share_during")


def neighbours_after(subject: Subject) -> float:
    """The same in the map after the block (without one: the third), on sites of the first."""
    return _nerves(subject, "share_after")


def fast_change(subject: Subject) -> float:
    """The share in the first map in the block minus that before."""
    return neighbours_during(subject) - neighbours_before(subject)


def slow_change(subject: Subject) -> float:
    """The share in a second, late map in the block minus that in the first."""
    return _nerves(subject, "share_late") - neighbours_during(subject)


def sprouted(subject: Subject) -> float:
    """Stable synapses of layer 2/3 cells of other parts on corticospinal cells of the silenced one that
    have formed since, of all that these had at the start."""
    return _nerves(subject, "sprouted")


def mep_blocked(subject: Subject) -> float:
    """Response of the probe's muscle in the block over that before, where that is small."""
    return _nerves(subject, "mep")


def rmt_blocked(subject: Subject) -> float:
    """Change of its threshold, of that before."""
    return _nerves(subject, "rmt")


def sici_blocked(subject: Subject) -> float:
    """Change of its ratio of paired pulses."""
    return _nerves(subject, "sici")
