#!/usr/bin/python3
"""Runs the same reaches at several sizes of the brain and compares rates and their irregularity.

    scaling.py results/scaling --program build/quartet

runs experiments/scaling.toml at scale .5, 1 and 2 into results/scaling/scale_0.5 and so on (what is
there already is taken as it is), prints per population the rates and the coefficients of variation
of intervals as rates.py reads them, relative to scale 1, and writes scaling.csv.

Exit codes: 0 computed, 1 a run failed or, with --strict, a population is out of the limits, 2 bad
usage or input.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # the sources may be installed where nobody may write

import rates
import table
from behaviour import BadInput

EXPERIMENT = pathlib.Path(__file__).parents[1] / "experiments" / "scaling.toml"
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


def run(options: argparse.Namespace) -> dict[float, pathlib.Path]:
    """Directory of each scale's run. Raises subprocess.CalledProcessError."""
    directories = {}
    for scale in sorted({REFERENCE, *options.scales}):
        directory = directories[scale] = options.directory / f"scale_{scale:g}"
        if not directory.exists():
            subprocess.run(
                [options.program, "run", options.experiment, "--full", "--scale", str(scale),
                 "--ranks", str(options.ranks), "--out", directory],
                check=True, stdout=2)  # the table alone is on standard output
    return directories


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="scaling.py",
        description="Compares rates at several sizes of the brain.",
        epilog="Example: scaling.py results/scaling --program build/quartet",
    )
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help="for the runs")
    parser.add_argument("--program", default="quartet", help="the program that simulates")
    parser.add_argument("--experiment", default=EXPERIMENT, metavar="FILE",
                        help="what to run instead of experiments/scaling.toml")
    parser.add_argument("--scales", type=float, nargs="+", default=[0.5, 2.0], metavar="X",
                        help="beside scale 1 (.5 and 2 unless given)")
    parser.add_argument("--ranks", type=int, default=4, metavar="N", help="processes of a run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a change is out")
    options = parser.parse_args(arguments)
    try:
        rows = records(run(options))
        if not rows:
            raise BadInput(f"{options.directory}: no rates in these runs. Set record.rate_subjects.")
        table.write_csv(options.directory / "scaling.csv", rows)
    except subprocess.CalledProcessError as error:
        print(f"scaling.py: `{' '.join(map(str, error.cmd))}` failed", file=sys.stderr)
        return 1
    except (BadInput, OSError) as error:
        print(f"scaling.py: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"counts": count(rows), "changes": rows}, indent=2))
    else:
        print_table(rows)
    return 1 if options.strict and count(rows)["out"] else 0


if __name__ == "__main__":
    sys.exit(main())
