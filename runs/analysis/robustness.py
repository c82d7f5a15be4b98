#!/usr/bin/python3
"""Does what the model shows depend on seeds, on its size, on single learning rates, and on what it
should depend on?

    robustness.py results/robustness --program build/quartet

makes the runs that robustness.toml asks for, each of one group in DIR/VARIANT/GROUP (what is complete
there is taken as it is, what is not is resumed), and prints a table per part:

    seeds, scales, rates   the targets of targets.toml under each variant, beside the unchanged brain
    falsifiers             what must be lost, or kept, when one thing is taken away
    doses                  two read-outs over graded lesions; reported, not judged

Writes robustness.csv (a row per target or falsifier and variant), doses.csv (a row per subject) and
robustness.png and .pdf into DIR. In robustness.csv and --json `n` and `reference_n` count what `n_unit`
and `reference_n_unit` say, as in score.csv. Statistics are over simulated subjects.

Exit codes: 0 computed, 1 a run failed, standard output is full or, with --strict, something fails or
is not judged, 2 bad usage or input, 75 stopped by a signal: the same command continues.
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
import subprocess
import sys
import tomllib

import numpy as np

import behaviour
import readouts
import score
import simulations
import table
from behaviour import BadInput
from targets import load_targets

SETTINGS = pathlib.Path(__file__).with_suffix(".toml")
VARIED = ("seeds", "scales", "rates")  # parts that judge the targets
PARTS = (*VARIED, "falsifiers", "doses")
UNCHANGED = "unchanged"  # the variant with which others are compared: the first of the seeds
TUNED = "tuned"  # seed and scale of each experiment's own file
ALL_SEEDS = "all seeds"  # their subjects together
VERDICTS = {"in": "holds", "out": "fails"}


class Runs:
    """One run per variant of the brain and group, in DIR/VARIANT/GROUP, with flags of its own and
    those of the usual ones that it has not; TUNED has none of these."""

    def __init__(self, directory: pathlib.Path, usual: dict[str, str], shared: list[str]):
        self.directory, self.usual, self.shared = directory, usual, shared
        self.owners = score.experiments_by_group()
        self.wanted: dict[tuple[str, str], simulations.Simulation] = {}
        self._read: dict[str, dict[str, behaviour.Group]] = {}

    def add(self, variant: str, flags: list[str], groups: list[str]) -> None:
        usual = {} if variant == TUNED else self.usual
        flags = self.shared + flags + [word for flag, value in usual.items() if flag not in flags
                                       for word in (flag, value)]
        for group in groups:
            self.wanted[variant, group] = simulations.Simulation(
                f"{variant} {group}", simulations.EXPERIMENTS / f"{self.owners[group]}.toml",
                ["--group", group, *flags], self.directory / variant / group)

    def groups(self, variant: str) -> dict[str, behaviour.Group]:
        """By name. Raises BadInput."""
        if variant not in self._read:
            directories = [s.directory for (v, _), s in self.wanted.items() if v == variant]
            self._read[variant] = {name: group for run in score.read(directories)
                                   for name, group in run.groups.items()}
        return self._read[variant]


@dataclasses.dataclass
class Row:
    """A target or a falsifier under one variant, beside what it is without."""

    part: str
    name: str  # of the variant or falsifier
    result: score.Result
    reference: score.Result
    verdict: str
    kept: bool = False  # the result is a part of the reference

    @property
    def pooled(self) -> bool:
        return self.name == ALL_SEEDS

    def record(self) -> dict:
        target = self.result.target
        low, high = target["band"]
        reference_n = {f"reference_{key}": count for key, count in self.reference.n_record().items()}
        return {"part": self.part, "name": self.name, "id": target["id"],
                "what": target["description"], "value": table.finite(self.result.mean),
                "sem": table.finite(self.result.sem), **self.result.n_record(),
                "reference": table.finite(self.reference.mean),
                "reference_sem": table.finite(self.reference.sem), **reference_n,
                "value_is_part_of_reference": self.kept,
                "low": table.finite(low), "high": table.finite(high),
                "verdict": self.verdict, "sem_crosses_band": self.result.sem_crosses_band}


# --- What is run --------------------------------------------------------------------------------


def load(options: argparse.Namespace) -> dict:
    """robustness.toml, with [quick] unless --full; in `variants` what --part and --only choose, by
    part and name. Raises BadInput."""
    with open(SETTINGS, "rb") as file:
        settings = tomllib.load(file)
    quick = settings.pop("quick")
    if options.full:
        settings["groups"] = list(dict.fromkeys(
            group for target in load_targets()["target"] for group in groups_of(target)))
    else:
        settings |= {"groups": quick["groups"], "scale": quick["scale"]}
        settings["doses"]["values"] = quick["doses"]
    settings["flags"] = ["--full"] if options.full else ["--subjects", str(quick["subjects"])]
    change = settings["rates"]["change"]
    variants = {
        "seeds": {UNCHANGED: []} | {f"seed_{seed}": ["--seed", str(seed)]
                                    for seed in settings["seeds"][1:]},
        "scales": {f"scale_{scale:g}": ["--scale", f"{scale:g}"] for scale in settings["scales"]
                   if scale != settings["scale"]},
        "rates": {f"{key.removeprefix('brain.')}_{way}": (key, factor)
                  for key in settings["rates"]["keys"]
                  for way, factor in (("less", 1.0 - change), ("more", 1.0 + change))},
        "falsifiers": {f["name"]: f for f in settings["falsifier"]},
        "doses": {lesion["name"]: lesion for lesion in settings["lesion"]},
    }
    settings["variants"] = {part: {name: what for name, what in variants[part].items()
                                   if options.only in (None, name)} for part in options.part}
    if not any(settings["variants"].values()):
        raise BadInput(f"--only {options.only}: nothing of this name; there are " +
                       ", ".join(name for part in options.part for name in variants[part]))
    return settings


def with_values(variants: dict, program: str) -> dict[str, list[str]]:
    """Flags of the variants of learning rates, from the shipped values. Raises BadInput."""
    try:
        described = subprocess.run([program, "describe"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise simulations.no_program(program) from None
    flags = {}
    for name, (key, factor) in variants.items():
        found = re.search(rf"^ *{re.escape(key)} = (\S+)", described, re.MULTILINE)
        if found is None:
            raise BadInput(f"{SETTINGS}: {program} has no key {key}")
        flags[name] = ["--set", f"{key}={float(found[1]) * factor:.6g}"]
    return flags


def plan(settings: dict, options: argparse.Namespace) -> Runs:
    """All runs of the chosen parts, there or not."""
    runs = Runs(options.directory, {"--seed": str(settings["seeds"][0]),
                                    "--scale": f"{settings['scale']:g}"}, settings["flags"])
    variants = settings["variants"]
    if "rates" in variants:
        variants["rates"] = with_values(variants["rates"], options.program)
    for part in VARIED:
        if variants.get(part):
            runs.add(TUNED if part == "seeds" else UNCHANGED, [], settings["groups"])
        for name, flags in variants.get(part, {}).items():
            runs.add(name, flags, settings["groups"])
    for name, falsifier in variants.get("falsifiers", {}).items():
        base, groups = as_flags(falsifier.get("base", [])), groups_of(falsifier)
        runs.add(compared_with(falsifier), base, groups)
        runs.add(name, [*base, *as_flags(falsifier["set"])], groups)
    groups = [of["group"] for of in settings["doses"]["of"]]
    for name, lesion in variants.get("doses", {}).items():
        runs.add(UNCHANGED, [], groups)
        for dose in settings["doses"]["values"]:
            runs.add(f"{name}_{dose:g}", ["--set", f"{lesion['key']}={dose:g}"], groups)
    return runs


def as_flags(assignments: list[str]) -> list[str]:
    return [word for assignment in assignments for word in ("--set", assignment)]


def groups_of(target: dict) -> list[str]:
    return list(dict.fromkeys(
        target[key]["group"] for key in ("of", "over", "minus") if key in target))


def compared_with(falsifier: dict) -> str:
    """The variant without its `set`."""
    return f"{falsifier['name']}_base" if "base" in falsifier else UNCHANGED


# --- What comes out -----------------------------------------------------------------------------


def target_rows(part: str, variants: list[str], judged_groups: list[str], runs: Runs) -> list[Row]:
    """Targets with a band that these groups can answer, under each variant."""
    own = lambda name: {group: runs.groups(name)[group] for group in judged_groups}
    reference = own(TUNED if part == "seeds" else UNCHANGED)
    found = {name: own(name) for name in variants}
    if part == "seeds" and len(found) > 1:
        found[ALL_SEEDS] = {
            group: behaviour.Group(group, [s for groups in found.values()
                                           for s in groups[group].subjects])
            for group in judged_groups}
    rows = []
    for target in load_targets()["target"]:
        usual = score.evaluate(target, reference)
        if "band" not in target or usual.verdict.startswith(score.NOT_RUN):
            continue
        for name, groups in found.items():
            result = score.evaluate(target, groups)
            rows.append(Row(part, name, result, usual, VERDICTS.get(result.verdict, result.verdict)))
    return rows


def falsifier_row(falsifier: dict, runs: Runs) -> Row:
    before, after = runs.groups(compared_with(falsifier)), runs.groups(falsifier["name"])
    target = {"id": falsifier["name"], "description": falsifier["what"]} | {
        key: falsifier[key] for key in ("of", "over", "minus") if key in falsifier}
    reference = score.evaluate(target | {"band": falsifier["unchanged"]}, before)
    if "kept" in falsifier:
        beside = f"{UNCHANGED} {target['of']['group']}"
        target |= {"over": target["of"] | {"group": beside}}
        after = after | {beside: before[target["of"]["group"]]}
    result = score.evaluate(target | {"band": falsifier.get("kept") or falsifier["changed"]}, after)
    if reference.verdict == "out":
        verdict = "untested: unchanged is out of its bounds"
    elif reference.verdict != "in":
        verdict = f"untested: {reference.verdict.removeprefix('undefined: ')}"
    elif result.verdict in VERDICTS and result.sem_crosses_band is not False:
        verdict = "undefined: a bound lies within mean ± SEM, or there is no SEM"
    else:
        verdict = VERDICTS.get(result.verdict, result.verdict)
    return Row("falsifiers", falsifier["name"], result, reference, verdict, "kept" in falsifier)


def dose_records(settings: dict, runs: Runs) -> list[dict]:
    """One row per lesion, dose, read-out and subject; dose 0 is the unchanged brain."""
    rows = []
    for name, lesion in settings["variants"]["doses"].items():
        for of in settings["doses"]["of"]:
            for dose in (0.0, *settings["doses"]["values"]):
                groups = runs.groups(f"{name}_{dose:g}" if dose else UNCHANGED)
                for k, subject in enumerate(groups[of["group"]].subjects):
                    value = getattr(readouts, of["readout"])(subject)
                    rows.append({"lesion": name, "key": lesion["key"], "dose": dose,
                                 "group": of["group"], "readout": of["readout"], "subject": k,
                                 "seed": subject.seed,
                                 "value": table.finite(value)})
    return rows


def sample(records: list[dict]) -> score.Sample:
    return score.Sample(np.array([r["value"] for r in records if r["value"] is not None]))


def judged(rows: list[Row]) -> list[Row]:
    """What counts for the outcome: of seeds all together, where there are several."""
    pooled = any(r.pooled for r in rows)
    return [r for r in rows if not (pooled and r.part == "seeds" and not r.pooled)]


def count(rows: list[Row]) -> dict[str, int]:
    verdicts = [r.verdict for r in judged(rows)]
    counts = {kind: verdicts.count(kind) for kind in ("holds", "fails")}
    return counts | {"not judged": len(verdicts) - sum(counts.values())}


# --- Printing -----------------------------------------------------------------------------------


def number(result: score.Result | score.Sample) -> str:
    text = table.number(result.mean, result.sem)
    return text if text == "-" else f"{text} ({result.n})"


def print_targets(part: str, rows: list[Row]) -> None:
    """One line per target: the unchanged brain, the extremes and which variants fail."""
    targets: dict[str, list[Row]] = {}
    for row in rows:
        targets.setdefault(row.result.target["id"], []).append(row)
    lines = []
    for name, members in targets.items():
        alone = [r for r in members if not r.pooled]
        by_mean = sorted((r for r in alone if not math.isnan(r.result.mean)),
                         key=lambda r: r.result.mean)
        end = lambda r: f"{table.number(r.result.mean, r.result.sem)} {r.name}"
        extremes = [end(by_mean[0]), end(by_mean[-1])] if by_mean else ["-", "-"]
        together = [number(r.result) for r in members if r.pooled]
        verdicts = {r.verdict for r in judged(members)}
        verdict = "holds" if verdicts == {"holds"} else "fails" if "fails" in verdicts else "undefined"
        usual = members[0].reference
        lines.append((name, usual.target["description"], score.band(usual.target),
                      number(usual) + (" out" if usual.verdict == "out" else ""), *together, *extremes,
                      f"{sum(r.verdict == 'holds' for r in alone)} of {len(alone)}", verdict))
    together = [ALL_SEEDS] if any(r.pooled for r in rows) else []
    reference = "as in its file (n)" if part == "seeds" else "unchanged (n)"
    table.show(("target", "what", "band", reference, *together, "lowest", "highest", "in band",
                "verdict"), lines)


def print_falsifiers(rows: list[Row]) -> None:
    table.show(("falsifier", "what", "unchanged (n)", "changed (n)", "must be", "verdict"), [
        (r.name, r.result.target["description"], number(r.reference),
         number(r.result) + " of it" * r.kept, score.band(r.result.target), r.verdict)
        for r in rows])


def print_doses(records: list[dict]) -> None:
    curves: dict[tuple, dict[float, list]] = {}
    for r in records:
        curves.setdefault((r["lesion"], r["readout"]), {}).setdefault(r["dose"], []).append(r)
    doses = list(dict.fromkeys(r["dose"] for r in records))
    table.show(("lesion", "read-out", *(f"{dose:g}" for dose in doses)), [
        (lesion, readouts.LABELS[readout], *(number(sample(curve[dose])) for dose in doses))
        for (lesion, readout), curve in curves.items()])


TITLES = {"seeds": "Seeds that nothing was tuned on", "scales": "Scales of the brain",
          "rates": "Learning rates, each alone", "falsifiers": "Falsifiers",
          "doses": "Graded lesions: mean ± SEM (n) by the fraction removed"}


def show(rows: list[Row], doses: list[dict]) -> None:
    for part in PARTS:
        own = [r for r in rows if r.part == part]
        if not own and not (part == "doses" and doses):
            continue
        print(f"{TITLES[part]}\n")
        if part == "doses":
            print_doses(doses)
        elif part == "falsifiers":
            print_falsifiers(own)
        else:
            print_targets(part, own)
        if own:
            print(", ".join(f"{n} {kind}" for kind, n in count(own).items()) + ".")
        print()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="robustness.py",
        description="Varies seeds, scale and learning rates, tries falsifiers and graded lesions.",
        epilog="Example: robustness.py results/robustness --part falsifiers --program build/quartet",
    )
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="for the runs")
    simulations.add_options(parser)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS, help="all unless given")
    parser.add_argument("--only", metavar="NAME", help="one variant, falsifier or lesion")
    parser.add_argument("--full", action="store_true",
                        help="whole experiments, groups of all targets, all doses")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the tables")
    parser.add_argument("--strict", action="store_true",
                        help="exit with 1 if something fails or is not judged")
    options = parser.parse_args(arguments)
    try:
        settings = load(options)
        runs = plan(settings, options)
        wanted = list(runs.wanted.values())
        simulations.check(wanted, options.program, options.ranks)
        missing = [s for s in wanted if not s.complete]
        if missing:
            minutes = sum(simulations.core_minutes(s) for s in missing)
            print(f"{len(missing)} of {len(wanted)} runs to make, some {minutes:.0f} minutes of one "
                  "core", file=sys.stderr)
        simulations.complete(wanted, options.program, options.ranks)
        variants = settings["variants"]
        rows = [row for part in VARIED if variants.get(part)
                for row in target_rows(part, list(variants[part]), settings["groups"], runs)]
        rows += [falsifier_row(f, runs) for f in variants.get("falsifiers", {}).values()]
        doses = dose_records(settings, runs) if "doses" in variants else []
        for name, records in (("robustness.csv", [r.record() for r in rows]), ("doses.csv", doses)):
            if records:
                table.write_csv(options.directory / name, records)
        import robustness_figure  # matplotlib is slow to load, and refusals need none
        import summary

        summary.save(robustness_figure.draw(rows, doses, settings), options.directory, "robustness")
    except simulations.FAILURES as error:
        return simulations.refusal(error, "robustness.py")
    counts = count(rows)
    if options.json:
        print(json.dumps({"counts": counts, "rows": [r.record() for r in rows], "doses": doses},
                         indent=2, ensure_ascii=False))
    else:
        show(rows, doses)
        print(f"Figure: {options.directory / 'robustness.png'}")
    return 1 if options.strict and counts["fails"] + counts["not judged"] else 0


if __name__ == "__main__":
    table.end(main, "robustness.py")
