#!/usr/bin/python3
"""Runs the same reaches at several sizes of the brain and compares rates and their irregularity.

    scaling.py results/scaling --program build/quartet

runs experiments/scaling.toml at scale .5, 1 and 2 into results/scaling/scale_0.5 and so on (what is
complete there is taken as it is, what is not is resumed), prints per population the rates and the
coefficients of variation of intervals as rates.py reads them, relative to scale 1, and writes
scaling.csv.

Exit codes: 0 computed, 1 a run failed, standard output is full or, with --strict, a population is out
of the limits, 2 bad usage or input, 75 stopped by a signal: the same command continues.
"""

from __future__ import annotations

if __name__ == "__main__":
    import start  # noqa: F401  before the slow imports

import argparse
import json
import math
import pathlib

import rates
import simulations
import table
from behaviour import BadInput

EXPERIMENT = simulations.EXPERIMENTS / "scaling.toml"
REFERENCE = 1.0  # scale with which the others are compared
RATE_LIMIT = 0.2  # largest change of a rate, as part of it
CV_LIMIT = 0.15  # largest change of a coefficient of variation
SILENT_HZ = 0.2  # a lower rate at the reference, a spike in 5 s, has no ratio worth judging


def records(directories: dict[float, pathlib.Path]) -> list[dict]:
    """One row per population, quantity (rest, movement, cv) and scale but the reference's:
    its value there, and the ratio (rates) or difference (cv) to the reference's with its standard
    error. Raises BadInput."""
    measured = {scale: rates.measure(path) for scale, path in directories.items()}
    rows = []
    for name, reference in measured[REFERENCE].items():
        for quantity in (*rates.WINDOWS, "cv"):
            base, base_sem = rates.mean_sem(reference[quantity].values())
            for scale in measured:
                if scale == REFERENCE:
                    continue
                value, sem = rates.mean_sem(measured[scale][name][quantity].values())
                row = {"population": name, "quantity": quantity, "scale": scale,
                       "reference": base, "value": value, "change": None, "change_sem": None}
                if base is None or value is None:
                    verdict = "undefined"
                elif quantity == "cv":
                    row["change"] = value - base
                    row["change_sem"] = _root_sum_square(sem, base_sem)
                    verdict = "in" if abs(row["change"]) <= CV_LIMIT else "out"
                elif base < SILENT_HZ:
                    verdict = "silent"
                else:
                    row["change"] = value / base
                    if None not in (sem, base_sem):
                        row["change_sem"] = _root_sum_square(sem, row["change"] * base_sem) / base
                    verdict = "in" if abs(row["change"] - 1.0) <= RATE_LIMIT else "out"
                rows.append(row | {"verdict": verdict})
    return rows


def _root_sum_square(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else math.hypot(a, b)


def count(rows: list[dict]) -> dict[str, int]:
    verdicts = [row["verdict"] for row in rows]
    return {kind: verdicts.count(kind) for kind in ("in", "out", "silent", "undefined")}


def print_table(rows: list[dict]) -> None:
    scales = sorted({row["scale"] for row in rows})
    header = ["population"]
    for quantity, unit, change in (("at rest", ", Hz", "/"), ("in movement", ", Hz", "/"),
                                   ("CV", "", "-")):
        header += [quantity + unit, *(f"{s:g} {change} {REFERENCE:g}" for s in scales)]
    lines = {}
    for row in rows:
        line = lines.setdefault(row["population"], [row["population"]])
        if row["scale"] == scales[0]:
            line.append(table.number(row["reference"]))
        change = table.number(row["change"], row["change_sem"])
        line.append({"in": change, "out": f"{change} out"}.get(row["verdict"], row["verdict"]))
    table.show(tuple(header), [tuple(line) for line in lines.values()])
    counts = count(rows)
    print(f"\n{counts['in']} of {counts['in'] + counts['out']} judged changes from scale "
          f"{REFERENCE:g} are within {RATE_LIMIT:.0%} (rates) and {CV_LIMIT:g} (CV of intervals), "
          f"{counts['out']} out; {counts['silent']} below {SILENT_HZ:g} Hz, "
          f"{counts['undefined']} undefined.")


def plan(options: argparse.Namespace) -> dict[float, simulations.Simulation]:
    """Each scale's run, there or not. Raises BadInput for what cannot be run."""
    try:
        scales = sorted({REFERENCE, *map(float, options.scales)})
    except ValueError as error:
        raise BadInput(f"--scales: {error}; write numbers, for example --scales 0.5 2")
    if len(scales) == 1:
        raise BadInput(f"--scales: nothing to compare with scale {REFERENCE:g}; write others, for "
                       "example --scales 0.5 2")
    return {scale: simulations.Simulation(
        f"scale {scale:g}", options.experiment, ["--full", "--set", f"brain.scale={scale:g}"],
        options.directory / f"scale_{scale:g}") for scale in scales}


def check(runs: list[simulations.Simulation], options: argparse.Namespace) -> None:
    """simulations.check, in the words of this command."""
    try:
        simulations.check(runs, options.program, options.ranks)
    except BadInput as error:
        raise BadInput(str(error).replace("--set brain.scale=", "--scales ")) from None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scaling.py",
        description="Compares rates at several sizes of the brain.",
        epilog="Example: scaling.py results/scaling --program build/quartet",
    )
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="for the runs")
    simulations.add_options(parser)
    parser.add_argument("--experiment", default=EXPERIMENT, metavar="FILE",
                        help="what to run instead of experiments/scaling.toml")
    parser.add_argument("--scales", nargs="+", default=["0.5", "2"], metavar="X",
                        help="beside scale 1 (.5 and 2 unless given)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a change is out")
    options = parser.parse_args(arguments)
    try:
        runs = plan(options)
        check(list(runs.values()), options)
        simulations.complete(list(runs.values()), options.program, options.ranks)
        rows = records({scale: run.directory for scale, run in runs.items()})
        if not rows:
            raise BadInput(f"{options.directory}: no rates in these runs. Set record.rate_subjects.")
        table.write_csv(options.directory / "scaling.csv", rows)
    except simulations.FAILURES as error:
        return simulations.refusal(error, "scaling.py")
    if options.json:
        print(json.dumps({"counts": count(rows), "changes": rows}, indent=2))
    else:
        print_table(rows)
    return 1 if options.strict and count(rows)["out"] else 0


if __name__ == "__main__":
    table.end(main, "scaling.py")
