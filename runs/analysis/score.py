#!/usr/bin/python3
"""Compares runs with what people do.

    score.py results/cerebellar_vs_dopaminergic
    score.py results/card --run

prints one row per target of targets.toml that a run can answer, then the read-outs of groups that no
target names, then the rates of all populations beside expected ranges (published, judged, or quoted
unchecked: rates.py), and writes score.csv and rates.csv into the run directory (where it may not, it
says so). A directory with run directories in it counts as all of them, and gets a summary page of all
targets (summary.png, summary.pdf). Statistics are over simulated
subjects, never over trials. Two numbers of one row are of the subjects whose seeds both groups have (n:
pairs); of groups without a common one they are independent (n: n / n). A row that names trials of which a
run has fewer says how many there are ("here").

In score.csv and --json `n` counts what `n_unit` says, subjects or pairs, and `n_second` those of the second
number where it is independent; `rotation_deg` is the size of the rotation that was learned (the largest
that a subject had), and where subjects differ in it the smallest, beside the largest, `rotation_high_deg`.

With --run the standard experiments (targets.toml) are run into DIR/NAME first: what is complete there
is taken as it is, what is not is resumed.

Exit codes: 0 computed, 1 with --strict and a target out of its band or undefined, or none judged, or
standard output is full, or a run failed, 2 bad usage or input, 75 stopped by a signal: the same
command continues.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import argparse
import dataclasses
import json
import math
import pathlib
import re
import sys
import textwrap
import tomllib

import numpy as np

import behaviour
import rates
import readouts
import sheet_readouts
import simulations
import stats
import table
from targets import load_targets

HEADER_WIDTH = 24  # characters, of a group's label
BANDS = ("A band is a judgement: people's interval widened for the spread between laboratories, or without one what "
         "we ask for.")
NOT_RUN = "not run"  # verdict of a row none of whose groups is there
SAME_ANGLE = 0.05  # degrees; within it two rotations are one


@dataclasses.dataclass
class Sample:
    """One number per subject of a group, shape (n,); only subjects that have the number."""

    values: np.ndarray

    @property
    def n(self) -> int:
        return len(self.values)

    @property
    def mean(self) -> float:
        return stats.mean(self.values)

    @property
    def sem(self) -> float:
        """Standard error of the mean; NaN for fewer than two subjects."""
        return float(stats.sem(self.values))


@dataclasses.dataclass
class Result:
    target: dict
    mean: float = math.nan
    sem: float = math.nan
    counts: tuple[int, ...] = ()  # subjects of each of its numbers, or once of pairs
    verdict: str = ""
    paired: bool = False
    absent: list[str] = dataclasses.field(default_factory=list)  # groups that were not run
    rotations: tuple[float, ...] = ()  # sizes of those that its subjects learned, degrees

    @property
    def n(self) -> str:
        """For people: "4", "4 pairs", "4 / 3"."""
        return self.n_alone + (f" pair{'s'[: self.counts[0] != 1]}" if self.paired else "")

    @property
    def n_alone(self) -> str:
        """The same without "pairs"."""
        return " / ".join(map(str, self.counts))

    def n_record(self) -> dict:
        """For files; None where there is no number."""
        first, second, *_ = *self.counts, None, None
        unit = "pairs" if self.paired else "subjects"
        return {"n": first, "n_second": second, "n_unit": unit if self.counts else None}

    @property
    def other_rotation(self) -> bool | None:
        """Whether a subject learned another angle than people; None if one of them is not known."""
        if not self.rotations or "rotation" not in self.target:
            return None
        return any(abs(r - self.target["rotation"]) > SAME_ANGLE for r in self.rotations)

    @property
    def sem_crosses_band(self) -> bool | None:
        """Whether an edge of the band lies within one SEM; None if not judged or without a SEM."""
        if self.verdict not in ("in", "out") or math.isnan(self.sem):
            return None
        return any(abs(edge - self.mean) <= self.sem for edge in self.target["band"])


def readout(name: str):
    """The function of this name, of readouts.py or sheet_readouts.py."""
    return getattr(readouts if name in readouts.LABELS else sheet_readouts, name)


def evaluate(target: dict, groups: dict[str, behaviour.Group]) -> Result:
    """One row: the group's mean, or a ratio or difference of two, with standard error.

    Groups share their subjects' seeds: subject k has the same randomness with either brain. So two
    numbers are of the seeds that both groups have, paired, and their covariance counts; without a
    common seed they are independent. Errors propagate to first order.
    """
    parts = [target[key] for key in ("of", "over", "minus") if key in target]
    wanted = {part["group"] for part in parts}
    absent = sorted(wanted - set(groups))
    if absent:
        return Result(target, absent=absent, verdict=NOT_RUN if len(absent) == len(wanted) else
                      f"{NOT_RUN}: {', '.join(absent)}")
    members = [groups[part["group"]].subjects for part in parts]
    pairs = _pairs(*members) if len(parts) == 2 else []
    paired = bool(pairs)
    members = list(zip(*pairs)) or members
    numbers = [
        np.array([readout(part["readout"])(subject) for subject in subjects]) - target.get("chance", 0.0)
        for part, subjects in zip(parts, members)
    ]
    if paired:
        both = np.isfinite(numbers[0]) & np.isfinite(numbers[1])
        numbers = [x[both] for x in numbers]
    samples = [Sample(x[np.isfinite(x)]) for x in numbers]
    learned = {round(abs(s.rotation), 1) for subjects in members for s in subjects}
    result = Result(_with_trials_there(target, parts, members), paired=paired,
                    counts=tuple(s.n for s in samples[: 1 if paired else 2]),
                    rotations=tuple(sorted(r for r in learned if math.isfinite(r))))
    if any(s.n == 0 for s in samples):
        return dataclasses.replace(result, verdict="undefined: too few trials")

    if "over" in target:
        first, second = samples
        # A ratio to something that is itself not above zero says nothing about what is kept.
        if second.mean <= 2.0 * (0.0 if math.isnan(second.sem) else second.sem):
            verdict = (f"undefined: {parts[1]['group']} is not reliably above zero "
                       f"({table.number(second.mean, second.sem)})")
            return dataclasses.replace(result, verdict=verdict)
        mean = first.mean / second.mean
        if paired:
            sem = Sample(first.values - mean * second.values).sem / second.mean
        else:
            sem = math.hypot(first.sem, mean * second.sem) / second.mean
    elif "minus" in target:
        first, second = samples
        mean = first.mean - second.mean
        if paired:
            sem = Sample(first.values - second.values).sem
        else:
            sem = math.hypot(first.sem, second.sem)
    else:
        mean, sem = samples[0].mean, samples[0].sem
    return dataclasses.replace(result, mean=mean, sem=sem, verdict=_verdict(target, mean, sem))


def _with_trials_there(target: dict, parts: list[dict], members: list) -> dict:
    """The target; where its description names trials that not all of these subjects have, with those
    that all have: "trials 1-12 (here 1-6)", of two parts that differ "(here 1-6 and 1-12)"."""
    named = re.search(readouts.NAMED_TRIALS, target.get("description", ""))
    if not named:
        return target
    here = [readouts.first_trials(part["readout"], subjects) for part, subjects in zip(parts, members)]
    here = list(dict.fromkeys(min(n, int(named[1])) for n in here if n))  # 0: no such read-out
    if here in ([], [int(named[1])]):
        return target
    told = " and ".join("1" if n == 1 else f"1-{n}" for n in here)
    return target | {"description": target["description"].replace(named[0], f"{named[0]} (here {told})")}


def _pairs(first: list[behaviour.Subject], second: list[behaviour.Subject]) -> list[tuple]:
    """Subjects of the same seed, whatever others either group has: some may not be finished."""
    if first is second:
        return list(zip(first, second))
    partners = {s.seed: s for s in second if s.seed is not None}
    return [(s, partners[s.seed]) for s in first if s.seed in partners]


def _verdict(target: dict, mean: float, sem: float) -> str:
    if "band" not in target:
        return "no human value"
    low, high = target["band"]
    # A band from zero on asks for a sign, and half of all noise has it.
    sign = 0.0 in (low, high) and math.inf in (-low, high)
    told = abs(mean) > (0.0 if math.isnan(sem) else sem)
    return "in" if low <= mean <= high and (told or not sign) else "out"


def runs_in(directory: str | pathlib.Path) -> list[pathlib.Path]:
    """The run directory itself, or the run directories in it."""
    directory = pathlib.Path(directory)
    if (directory / "behaviour.nc").exists():
        return [directory]
    return sorted(path.parent for path in directory.glob("*/behaviour.nc")) or [directory]


def read(directories: list) -> list[behaviour.Behaviour]:
    """All runs of the directories; those without a finished subject are left out, and said, where
    others have one. Raises BadInput, also where two have a group of the same name: which of them a
    target means could not be told."""
    runs, unfinished = [], []
    for path in (path for directory in directories for path in runs_in(directory)):
        try:
            runs.append(behaviour.read(path, readouts.COLUMNS, readouts.OPTIONAL))
        except behaviour.Unfinished as error:
            unfinished.append(error)
    if not runs:
        raise unfinished[0]
    for error in unfinished:
        print(f"score.py: left out: {error}", file=sys.stderr)
    owner: dict[str, behaviour.Behaviour] = {}
    for run in runs:
        for name in run.groups:
            if name in owner:
                raise behaviour.BadInput(
                    f"{run.path.parent}: has a group {name}, as {owner[name].path.parent} has; score "
                    "them one by one")
            owner[name] = run
    return runs


def score(directories: list) -> tuple[list[behaviour.Behaviour], list[Result]]:
    """All rows for the runs together. Raises behaviour.BadInput."""
    runs = read(directories)
    groups = {name: group for run in runs for name, group in run.groups.items()}
    return runs, [evaluate(target, groups) for target in load_targets()["target"]]


def experiments_by_group() -> dict[str, str]:
    """The standard experiment that each group belongs to, in their order."""
    owners = {}
    for name in load_targets()["experiments"]:
        with open(simulations.EXPERIMENTS / f"{name}.toml", "rb") as file:
            owners |= {group["name"]: name for group in tomllib.load(file)["group"]}
    return owners


def standard(options: argparse.Namespace) -> list[simulations.Simulation]:
    """The runs of --run, there or not. Raises BadInput."""
    if len(options.directories) != 1:
        raise behaviour.BadInput("--run: name one directory, in which each experiment gets its own")
    (parent,) = map(pathlib.Path, options.directories)
    if (parent / "resolved.toml").exists():
        raise behaviour.BadInput(f"{parent}: is the directory of one run, and --run makes a directory "
                                 "with several runs; name another")
    flags = ["--full"] if options.full else []
    for name in ("seed", "subjects", "scale"):
        if (value := getattr(options, name)) is not None:
            flags += [f"--{name}", value]
    for setting in options.set:
        flags += ["--set", setting]
    return [simulations.Simulation(name, simulations.EXPERIMENTS / f"{name}.toml", flags,
                                   parent / name) for name in load_targets()["experiments"]]


def by_phase(group: behaviour.Group) -> dict[str, behaviour.Group]:
    """Its subjects that have a rotation, by phase of the schedule where several have the first rotation's
    sign: that of each is then what is learned; by "" where not. Without a rotation nothing is learned."""
    subjects = [s for s in group.subjects if np.isfinite(s.rotation)]
    if not subjects:
        still = [dataclasses.replace(s, phases=s.phases | {"learning": np.empty(0, int)})
                 for s in group.subjects]
        return {"": behaviour.Group(group.name, still, group.label)}
    parts: dict[str, list[behaviour.Subject]] = {}
    for subject in subjects:
        alike = np.flatnonzero(np.sign(subject.columns["rotation"]) == np.sign(subject.rotation))
        own = {phase: np.intersect1d(trials, alike) for phase, trials in subject.labels.items()}
        own = {phase: trials for phase, trials in own.items() if trials.size}
        if len(own) < 2 or sum(map(len, own.values())) < len(alike):  # some have no phase
            return {"": behaviour.Group(group.name, subjects, group.label)}
        for phase, trials in own.items():
            parts.setdefault(phase, []).append(dataclasses.replace(
                subject, phases=subject.phases | {"learning": trials},
                rotation=behaviour.largest(subject.columns["rotation"][trials])))
    return {phase: behaviour.Group(group.name, members, f'{group.label}, "{phase}"')
            for phase, members in parts.items()}


def parts_of(group: behaviour.Group) -> list[tuple[str, behaviour.Group, list[str]]]:
    """Phase, subjects and read-outs of each part of a group; read-outs of labelled phases once, by ""."""
    parts = by_phase(group)
    if "" in parts:
        return [("", parts[""], list(readouts.LABELS))]
    whole = behaviour.Group(group.name, [s for s in group.subjects if np.isfinite(s.rotation)], group.label)
    return [("", whole, [r for r in readouts.LABELS if r in readouts.BY_LABEL])] + [
        (phase, part, [r for r in readouts.LABELS if r not in readouts.BY_LABEL])
        for phase, part in parts.items()]


def others(run: behaviour.Behaviour, named: set[str]) -> list[Result]:
    """All read-outs of the groups that no target names, by phase; nothing of those that have none."""
    results = []
    for name, group in run.groups.items():
        for phase, part, wanted in parts_of(group) if name not in named else ():
            found = [evaluate(
                {"id": ".".join(filter(None, (name, phase, readout))),
                 "description": readouts.label(readout, part.subjects),
                 "words": getattr(readouts, readout).__doc__.partition("\n")[0],
                 "of": {"group": name, "readout": readout}, "phase": phase, "label": part.label},
                {name: part}) for readout in wanted]
            if any(math.isfinite(r.mean) for r in found):
                results += found
    return results


def named_groups(results: list[Result]) -> list[str]:
    """Groups that targets name."""
    return list(dict.fromkeys(r.target[key]["group"] for r in results
                              for key in ("of", "over", "minus") if key in r.target))


def compared(named: list[str]) -> str:
    """What is compared with people, in few words: these groups are too many to be read in a line."""
    owners = experiments_by_group()
    experiments = list(dict.fromkeys(owners[name] for name in named if name in owners))
    several = f", and {len(experiments) - 3} more experiments" if len(experiments) > 3 else ""
    return (f"the {len(named)} groups that runs/analysis/targets.toml names: {named[0]} and others of "
            f"{', '.join(experiments[:3])}{several}")


def count(results: list[Result]) -> dict[str, int]:
    kinds = ("in", "out", "no human value", "undefined", "not run")
    return {k: sum(r.verdict.partition(":")[0] == k for r in results) for k in kinds}


# --- Printing ---------------------------------------------------------------------------------


def _group(target: dict) -> str:
    """"abrupt_cerebellar / intact": the second name without what it shares with the first."""
    first = target["of"]["group"]
    second = (target.get("over") or target.get("minus") or target["of"])["group"]
    if first == second:
        return first
    condition, _, brain = second.rpartition("_")
    if first.rpartition("_")[0] == condition:
        second = brain
    return f"{first} {'/' if 'over' in target else '-'} {second}"


def _human(target: dict) -> str:
    if "human" not in target:
        return target.get("sign", "judgement" if "band" in target else "no human value")
    if "ci95" not in target:
        return f"{target['human']:.3g}"
    return "{:.3g} [{:.3g}, {:.3g}]".format(target["human"], *target["ci95"])


def band(target: dict) -> str:
    if "band" not in target:
        return "-"
    low, high = target["band"]
    if math.isinf(high):
        return f">= {low:.3g}"
    return f"<= {high:.3g}" if math.isinf(low) else f"{low:.3g} to {high:.3g}"


def _angles(angles) -> str:
    return " / ".join(f"{angle:g}" for angle in angles)


def _other_rotations(results: list[Result]) -> str:
    """Says which rows compare with people who learned another angle; "" if none does."""
    rows: dict[tuple, list[str]] = {}
    for r in results:
        if r.other_rotation and not math.isnan(r.mean):
            rows.setdefault((r.target["rotation"], r.rotations), []).append(r.target["id"])
    return "; ".join(f"{', '.join(names)} (people {people:g}, here {_angles(here)} degrees)"
                     for (people, here), names in rows.items())


def _cell(result: Result) -> str:
    """The verdict, with a mark where it says little."""
    judged = result.verdict in ("in", "out")
    unsure = judged and result.sem_crosses_band is not False
    return result.verdict + "?" * unsure + "*" * (judged and result.target.get("tuned", False))


def print_title(run: behaviour.Behaviour) -> None:
    print(run.title or run.path.parent.name)
    print(run.extent)
    left_out = behaviour.left_out(run)
    if left_out:
        print(left_out)
    print()


def print_table(results: list[Result]) -> None:
    header = (
        "target", "what", "group", "human [95 % CI]", "band", "simulated ± SEM", "n", "verdict",
    )
    rows = [
        (r.target["id"], r.target["description"], _group(r.target), _human(r.target),
         band(r.target), table.number(r.mean, r.sem), r.n, _cell(r))
        for r in results if r.verdict != NOT_RUN
    ]
    table.show(header, rows)
    counts = count(results)
    tuned = count([r for r in results if r.target.get("tuned", False)])
    print()
    print(
        f"{counts['in']} of {counts['in'] + counts['out']} judged targets are in their band, "
        f"{counts['out']} out; {counts['no human value']} without a human value, "
        f"{counts['undefined']} undefined, {counts['not run']} not run{_not_run(results)}.\n{BANDS}\n"
        f"\"*\" marks targets that parameters were tuned with in view: {tuned['in']} "
        f"of {tuned['in'] + tuned['out']} in;\nof the others, {counts['in'] - tuned['in']} of "
        f"{counts['in'] + counts['out'] - tuned['in'] - tuned['out']}.\n"
        "A quick run of few subjects is for a look: \"?\" marks verdicts where an edge of the "
        "band lies within\nmean ± SEM, or where one subject gives no SEM."
    )
    others = _other_rotations(results)
    if others:
        print(f"Another rotation than people's: {others}.")


def _not_run(results: list[Result]) -> str:
    """Which standard experiments have the groups that are missing; "" where none is."""
    owners = experiments_by_group()
    wanted = {owners[name] for r in results for name in r.absent}
    ordered = [name for name in dict.fromkeys(owners.values()) if name in wanted]
    return f" ({', '.join(ordered)}: quartet score DIR --run)" if ordered else ""


def print_others(run: behaviour.Behaviour, results: list[Result]) -> None:
    """Read-outs by group and phase, without those that none has."""
    sizes = {r.target["label"]: len(run.groups[r.target["of"]["group"]].subjects) for r in results}
    rows: dict[str, dict[str, str]] = {}
    for r in results:
        column = r.target["label"]
        some = f" (n = {r.n})" if r.counts[0] not in (0, sizes[column]) else ""
        rows.setdefault(r.target["description"], {})[column] = table.number(r.mean, r.sem) + some
    table.show(
        ("read-outs of other groups, mean ± SEM",
         *(textwrap.fill(f"{label} (n\u00a0=\u00a0{n})", HEADER_WIDTH).replace("\u00a0", " ")
           for label, n in sizes.items())),
        [(text, *(cells.get(label, "-") for label in sizes)) for text, cells in rows.items()
         if set(cells.values()) != {"-"}],
    )


def _record(result: Result) -> dict:
    """One row for score.csv and --json; None where there is no number."""
    target = result.target
    low, high = target.get("band", (None, None))
    ci_low, ci_high = target.get("ci95", (None, None))
    return {
        "id": target["id"],
        "description": target["description"],
        "group": _group(target),
        "phase": target.get("phase"),
        "readout": target["of"]["readout"],
        "words": target["words"],
        "human": target.get("human"),
        "ci95_low": ci_low,
        "ci95_high": ci_high,
        "human_n": target.get("n"),
        "human_sign": target.get("sign"),
        "human_rotation_deg": target.get("rotation"),
        "source": target.get("source"),
        "band_low": table.finite(low),
        "band_high": table.finite(high),
        "tuned": target.get("tuned", False),
        "simulated": table.finite(result.mean),
        "sem": table.finite(result.sem),
        **result.n_record(),
        "verdict": result.verdict,
        "sem_crosses_band": result.sem_crosses_band,
        "rotation_deg": min(result.rotations, default=None),
        "rotation_high_deg": max(result.rotations) if len(result.rotations) > 1 else None,
        "other_rotation": result.other_rotation,
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="score.py",
        description="Compares runs with what people do.",
        epilog="Example: score.py results/cerebellar_vs_dopaminergic --json",
    )
    parser.add_argument("directories", metavar="DIR", nargs="+",
                        help="a run directory, or a directory with run directories in it")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--strict", action="store_true",
        help="exit with 1 if a target is out or undefined, or none judged",
    )
    parser.add_argument("--run", action="store_true",
                        help="run the standard experiments into DIR first, each as its [quick] says; "
                        "the following flags are those of `quartet run`")
    simulations.add_options(parser)
    for name in ("--seed", "--subjects", "--scale"):
        parser.add_argument(name)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--full", action="store_true")
    options = parser.parse_args(arguments)
    if not options.run and (options.full or options.set or options.seed or options.subjects
                            or options.scale):
        parser.error("--full, --set, --seed, --subjects and --scale go with --run")
    try:
        if options.run:
            wanted = standard(options)
            simulations.check(wanted, options.program, options.ranks)
            simulations.complete(wanted, options.program, options.ranks)
        runs, results = score(options.directories)
        named = named_groups(results)
        own = [others(run, set(named)) for run in runs]
        rate_records = [rates.records(run.path.parent) for run in runs]
    except simulations.FAILURES as error:
        return simulations.refusal(error, "score.py")
    records = [_record(r) for r in results]
    own_records = [_record(r) for rows in own for r in rows]
    if len(options.directories) == 1:
        save(pathlib.Path(options.directories[0]) / "score.csv", records + own_records)
        if len(runs) > 1:
            save_summary(pathlib.Path(options.directories[0]), runs, results)
    for run, rows in zip(runs, rate_records):
        save(run.path.with_name("rates.csv"), rows)
    counts = count(results)
    if options.json:
        document = {"runs": [{"directory": str(run.path.parent), "title": run.title,
                              "extent": run.extent, "cut": run.cut,
                              "left_out": behaviour.left_out(run),
                              "rate_counts": rates.count(rows), "rates": rows}
                             for run, rows in zip(runs, rate_records)],
                    "counts": counts, "targets": records, "groups": own_records}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        show(runs, results, own, rate_records, named)
    if options.strict and counts["in"] + counts["out"] == 0:
        print(f"score.py: --strict: no target was judged; they are of {compared(named)}",
              file=sys.stderr)
        return 1
    return 1 if options.strict and counts["out"] + counts["undefined"] else 0


def show(runs, results: list[Result], own: list[list[Result]], rate_records: list[list[dict]],
         named: list[str]) -> None:
    """All tables."""
    for run in runs:
        print_title(run)
    judged = any(r.verdict in ("in", "out") for r in results)  # also of groups without a rotation
    if judged or any(set(named) & set(run.rotated()) for run in runs):
        print_table(results)
        print()
    for run, rows in zip(runs, own):
        if rows:
            print_others(run, rows)
            print()
    if any(own):
        print(textwrap.fill(f"Compared with people are {compared(named)}.", 100), end="\n\n")
    if len(runs) > 1:
        for run, rows in zip(runs, rate_records):
            if not rows:
                continue
            counts = rates.count(rows)
            print(f"{run.path.parent}: {counts['in']} of {counts['in'] + counts['out']} judged rates "
                  "are in their range (rates.csv)")
    elif rate_records[0]:
        rates.print_table(rate_records[0])
    else:
        print("no rates: none recorded (record.rate_subjects), or no group has the times of a trial "
              "in [body]\nand a second trial in its first block")


def save_summary(directory: pathlib.Path, runs: list[behaviour.Behaviour],
                 results: list[Result]) -> None:
    """Writes the summary page of several runs, or says that it could not."""
    import summary  # matplotlib is slow to load, and one run needs none

    counts = count(results)
    text = (f"{counts['in']} of {counts['in'] + counts['out']} judged targets are in their band; "
            f"{counts['no human value']} without a band, {counts['undefined']} undefined, "
            f"{counts['not run']} not run")
    notes = ["Model: mean over n simulated subjects (of two groups: n / n, or pairs). * tuned with the row in "
             f"view. {BANDS} With one edge: the unit is that edge, or where it is zero twice the "
             "mean."]
    for run in runs:
        size = f"brain.scale {run.resolved['brain']['scale']:g}; " if run.resolved else ""
        notes.append(f"{run.path.parent.name}: {size}{run.extent}.")
    try:
        summary.save(summary.draw(results, text, notes), directory)
    except OSError as error:
        print(f"score.py: {directory / 'summary.png'}: not written ({error.strerror}); make room or "
              "its directory writable", file=sys.stderr)


def save(path: pathlib.Path, rows: list[dict]) -> None:
    """Writes a table, where there is one, or says that it could not."""
    try:
        if rows:
            table.write_csv(path, rows)
    except OSError as error:  # somebody else's run, or a full disk: the numbers are there
        print(f"score.py: {path}: not written ({error.strerror}); what it would hold is in --json",
              file=sys.stderr)


if __name__ == "__main__":
    table.end(main, "score.py")
