#!/usr/bin/python3
"""Dopamine cells over a trial, early and late in every phase.

    dopamine.py results/cues

prints a table, writes dopamine.csv (a row per group, phase, stage and time in the trial) into the run
directory, and draws dopamine.png and .pdf. From basal_ganglia.nc, the rate of SNc per cell of the intact
population, of subjects whose rates are recorded (record.rate_subjects):
    early, late       the first EARLY trials of all blocks of a phase, and the last third of its trials; no late
                      stage where these are in part the same
    before            mean from the trial's start until the target can be seen
    cue               mean over CUE_MS from then on, minus before
    outcome           mean from when a reach may have its outcome seen to the trial's end, minus before
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
from behaviour import BadInput
from figure import footnote, save_both, set_style

EARLY = 3  # trials
CUE_MS = 150
STAGES = {"early": "#BBBBBB", "late": "#004488"}
BODY = ("trial_ms", "cue_ms", "go_ms", "deadline_ms", "vision_delay_ms", "outcome_delay_ms")


class Course:
    """SNc over the trials of a group's phase, Hz: `rate`, stage × subject × time in the trial, of one stage
    where there is no late one. `cue_ms` and `outcome_ms`: when they can first be seen, NaN where there is
    none."""

    def __init__(self, group: str, phase: str, task: str, body: dict, time: np.ndarray, trials: int,
                 rate: np.ndarray):
        self.group, self.phase, self.time, self.trials, self.rate = group, phase, time, trials, rate
        self.cue_ms = body["cue_ms"] + body["vision_delay_ms"] if task != "rest" else np.nan
        ended = {"reach": "go_ms", "fingers": "deadline_ms"}.get(task)  # reaches may end at once
        self.outcome_ms = body[ended] + body["vision_delay_ms"] + body["outcome_delay_ms"] if ended else np.nan

    def answers(self, stage: int) -> dict[str, tuple[float, float]]:
        """Mean and SEM over subjects of `before`, `cue` and `outcome`."""
        def mean(low, high):
            within = (self.time > low) & (self.time <= high)
            return self.rate[stage][:, within].sum(axis=1) / (np.count_nonzero(within) or np.nan)

        before = mean(0, self.cue_ms if np.isfinite(self.cue_ms) else np.inf)
        return {name: stats.mean_sem(values) for name, values in (
            ("before", before), ("cue", mean(self.cue_ms, self.cue_ms + CUE_MS) - before),
            ("outcome", mean(self.outcome_ms, np.inf) - before))}


def courses(directory: pathlib.Path) -> list[Course]:
    """By group and phase, of subjects that are done with the phase. Raises BadInput."""
    experiment = behaviour.experiment_of(directory)
    path = directory / "basal_ganglia.nc"
    if not path.is_file():
        raise BadInput(f"{directory}: no basal_ganglia.nc; run with record.rate_subjects = 1 or more")
    found = []
    with netcdf.open_dataset(path) as file:
        rate, clock = file["rate_SNc"].values, file["time"].values
        names = netcdf.texts(file["group_name"])
        for group in dict.fromkeys(names):
            body = {key: behaviour.setting(experiment, group, f"body.{key}") for key in BODY}
            own = rate[:, [name == group for name in names]]
            bins = int(np.count_nonzero(clock <= body["trial_ms"]))
            if not bins or clock[bins - 1] != body["trial_ms"]:
                raise BadInput(f"{path}: its time steps do not divide a trial of "
                               f"{body['trial_ms']:g} ms; run with a record.rate_bin_ms that does")
            per_trial = own[: len(own) // bins * bins].reshape(-1, bins, own.shape[1])
            blocks = behaviour.blocks_of(experiment, group)
            block_of = np.repeat(np.arange(len(blocks)), [block["trials"] for block in blocks])
            phase_of = np.array([behaviour.phase_name(block, k) for k, block in enumerate(blocks)])[block_of]
            for phase in dict.fromkeys(phase_of.tolist()):
                trials = np.flatnonzero(phase_of == phase)
                trials = trials[trials < len(per_trial)]
                if not len(trials):
                    continue
                late = trials[-max(1, len(trials) // 3) :]
                kinds = (trials[:EARLY], late)[: 1 if len(trials) < EARLY + len(late) else 2]
                stages = np.array([per_trial[t].mean(axis=0).T for t in kinds])
                done = np.isfinite(stages).all(axis=(0, 2))
                if done.any():
                    task = blocks[block_of[trials[0]]].get("task", "reach")
                    found.append(Course(group, phase, task, body, clock[:bins], len(trials), stages[:, done]))
    if not found:
        raise BadInput(f"{path}: no subject is done with a phase yet; `quartet resume {directory}` goes on")
    return found


def merged(orders: list[list[str]]) -> list[str]:
    """All names, each behind those that are before it in any of the orders, also by way of others, unless it
    is before them, too. Of several that may come next, the one that is seen first."""
    left = list(dict.fromkeys(itertools.chain(*orders)))
    before = {name: {one for order in orders if name in order for one in order[: order.index(name)]}
              for name in left}
    for middle in left:
        for own in before.values():
            own |= before[middle] if middle in own else set()
    result = []
    while left:
        result.append(next(name for name in left if all(name in before[one] for one in before[name] & {*left})))
        left.remove(result[-1])
    return result


def draw(found: list[Course], labels: dict[str, str], title: str, cut: str) -> plt.Figure:
    """A row per group, a column per phase, in the order of the schedules. `cut`: what is unlike the whole
    experiment."""
    set_style(11)
    groups = list(dict.fromkeys(c.group for c in found))
    phases = merged([[c.phase for c in found if c.group == group] for group in groups])
    figure, panels = plt.subplots(len(groups), len(phases), squeeze=False, sharex=True, sharey=True,
                                  figsize=(max(6.0, 3.3 * len(phases) + 0.8), 2.7 * len(groups) + 1.2),
                                  layout="constrained")
    for axes in panels.flat:
        axes.set_visible(False)
    for course in found:
        row, column = groups.index(course.group), phases.index(course.phase)
        axes = panels[row, column]
        axes.set_visible(True)
        for subjects, (name, tint) in zip(course.rate, STAGES.items()):
            mean = subjects.mean(axis=0)
            axes.plot(course.time, mean, color=tint, linewidth=1.8, label=name)
            if len(subjects) > 1:
                sem = stats.sem(subjects)
                axes.fill_between(course.time, mean - sem, mean + sem, color=tint, alpha=0.25, linewidth=0)
        for moment in filter(np.isfinite, (course.cue_ms, course.outcome_ms)):
            axes.axvline(moment, color="0.6", linewidth=1, linestyle=":")
        axes.set_title(f"{course.phase} ({course.trials} trials)", fontsize=11, loc="left")
        if column == 0:
            axes.set_ylabel(f"{labels.get(course.group, course.group)}\nSNc (Hz)")
    for column in panels.T:
        lowest = [one for one in column if one.get_visible()][-1]
        lowest.set_xlabel("time in the trial (ms)")
        lowest.tick_params(labelbottom=True)
    axes.set_ylim(bottom=0)  # of all panels, and when all curves are drawn: it keeps the top as it is then
    drawn = {text: line for one in panels.flat for line, text in zip(*one.get_legend_handles_labels())}
    figure.legend(drawn.values(), drawn.keys(), frameon=False, fontsize=10, ncols=2, loc="upper left",
                  bbox_to_anchor=(0, 1 - 0.22 / figure.get_figheight()))
    figure.suptitle(f"{title}\n", x=0.01, ha="left", fontweight="bold", fontsize=14, parse_math=False)
    n = stats.span(c.rate.shape[1] for c in found)
    note = footnote(cut, f"early: first {EARLY} trials of a phase; late: last third, where it is apart from "
                    f"these. Dotted: the target can be seen, an outcome can be seen. n = {n} simulated "
                    f"subject{'s'[: n != '1']}, mean ± SEM",
                    int(13 * figure.get_figwidth()))
    figure.supxlabel("\n".join(note), fontsize=9, x=0.01, ha="left", color="0.2")
    return figure


def analyse(directory: pathlib.Path) -> reading.Analysis:
    """Writes table and figure; for reading.read()."""
    found = courses(directory)
    run = behaviour.read(directory, set())  # before anything is written: without a finished subject it refuses
    records, rows = [], []
    for course in found:
        for stage, name in zip(range(len(course.rate)), STAGES):
            record = {"group": course.group, "phase": course.phase, "stage": name,
                      "n": course.rate.shape[1]}
            for answer, (mean, sem) in course.answers(stage).items():
                record[answer], record[f"{answer}_sem"] = mean, sem
            records.append(record)
            for index, time in enumerate(course.time):
                mean, sem = stats.mean_sem(course.rate[stage][:, index])
                rows.append({k: record[k] for k in ("group", "phase", "stage", "n")}
                            | {"time_ms": float(time), "rate_hz": mean, "sem": sem})
    table.write_csv(directory / "dopamine.csv", rows)

    def show() -> None:
        print("Rate of dopamine cells (SNc), Hz, mean ± SEM over subjects.\n")
        table.show(("group", "phase", "stage", "n", "before", "cue", "outcome"),
                   [(r["group"], r["phase"], r["stage"], str(r["n"]),
                     *(table.number(r[a], r[f"{a}_sem"]) for a in ("before", "cue", "outcome")))
                    for r in records])
        print(f"\nearly: first {EARLY} trials of a phase; late: last third, where it is apart from these; "
              "cue, outcome: minus before.")

    figure = draw(found, run.labels, run.title or directory.name, run.cut)
    return records, show, save_both(figure, directory, "dopamine"), run.cut


def main(arguments: list[str] | None = None) -> int:
    return reading.read("dopamine", "Dopamine cells over a trial, early and late in every phase.",
                        "a run directory with rates of the basal ganglia", "results/cues", analyse,
                        arguments)


if __name__ == "__main__":
    table.end(main, "dopamine.py")
