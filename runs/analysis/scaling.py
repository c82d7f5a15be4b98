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

import argparse
import json
import math
import pathlib
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True  # the sources may be installed where nobody may write
if __name__ == "__main__":  # before the slow imports: Ctrl-C and `| head` end it quietly
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

import rates
import table
from behaviour import BadInput

EXPERIMENT = pathlib.Path(__file__).parents[1] / "experiments" / "scaling.toml"
REFERENCE = 1.0  # scale with which the others are compared
RATE_LIMIT = 0.2  # largest change of a rate, as part of it
CV_LIMIT = 0.15  # largest change of a coefficient of variation
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
EXIT_STOPPED = 75  # of the program: stopped with a good checkpoint
SILENT_HZ = 0.2  # a lower rate at the reference, a spike in 5 s, has no ratio worth judging


class Stopped(Exception):
    """A signal asked to stop."""


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


def plan(options: argparse.Namespace) -> dict[float, pathlib.Path]:
    """Directory of each scale's run, there or not. Raises BadInput for what cannot be run."""
    try:
        scales = sorted({REFERENCE, *map(float, options.scales)})
    except ValueError as error:
        raise BadInput(f"--scales: {error}; write numbers, for example --scales 0.5 2")
    if len(scales) == 1:
        raise BadInput(f"--scales: nothing to compare with scale {REFERENCE:g}; write others, for "
                       "example --scales 0.5 2")
    if options.ranks < 1:
        raise BadInput(f"--ranks {options.ranks}: a run needs at least one; write --ranks 4")
    directories = {}
    for scale in scales:
        setting = f"brain.scale={scale:g}"
        checked = subprocess.run(
            [options.program, "validate", options.experiment, "--full", "--resolved", "--set",
             setting], capture_output=True, text=True)
        if checked.returncode != 0:
            problem = checked.stderr.strip()
            raise BadInput(problem.replace(f"--set {setting}", f"--scales {scale:g}"))
        directory = directories[scale] = options.directory / f"scale_{scale:g}"
        if not directory.exists():
            continue
        try:
            found = (directory / "resolved.toml").read_text(encoding="utf-8")
        except OSError:
            found = ""
        if _digest(found) != _digest(checked.stdout):
            raise BadInput(
                f"{directory}: is not a run of {options.experiment} at scale {scale:g} by this "
                f"version; name another DIR, or remove it (rm -r {directory})")
    return directories


def _digest(resolved: str) -> str:
    """Of the experiment, from the head of its resolved.toml."""
    found = re.search(r"Digest: ([0-9a-f]+)", resolved)
    return found[1] if found else ""


def simulate(options: argparse.Namespace, directories: dict[float, pathlib.Path]) -> None:
    """Makes every run complete. Raises Stopped, and subprocess.CalledProcessError."""
    for scale, directory in directories.items():
        if (directory / "traffic.csv").exists():  # what a run writes last
            continue
        if directory.exists():
            command = ["resume", directory]
        else:
            command = ["run", options.experiment, "--full", "--set", f"brain.scale={scale:g}",
                       "--out", directory]
        command = [options.program, *command, "--ranks", str(options.ranks)]
        code, asked = follow(command, f"scale {scale:g}: ")
        if code == EXIT_STOPPED or asked and code <= 0:
            raise Stopped
        if code != 0:
            raise subprocess.CalledProcessError(code, command)


def follow(command: list, prefix: str) -> tuple[int, bool]:
    """Runs a command, hands signals to stop on to it and its lines on to standard error, but the
    one that says what `command` changes. Returns its exit code and whether it was asked to stop."""
    asked, child = [], None

    def hand_on(number, _):
        asked.append(number)
        if child:
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in STOP_SIGNALS}
    try:
        # Its own process group: else Ctrl-C would reach it twice, and twice means at once.
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, process_group=0)
        for number in asked:  # came while it started
            child.send_signal(number)
        for line in child.stdout:
            if line.strip() and not line.startswith(
                    ("not as the file in full", "other than in the file")
            ):
                print(prefix + line, end="", file=sys.stderr, flush=True)
        return child.wait(), bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
    parser.add_argument("--scales", nargs="+", default=["0.5", "2"], metavar="X",
                        help="beside scale 1 (.5 and 2 unless given)")
    parser.add_argument("--ranks", type=int, default=4, metavar="N", help="processes of a run")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a change is out")
    options = parser.parse_args(arguments)
    try:
        directories = plan(options)
        simulate(options, directories)
        rows = records(directories)
        if not rows:
            raise BadInput(f"{options.directory}: no rates in these runs. Set record.rate_subjects.")
        table.write_csv(options.directory / "scaling.csv", rows)
    except Stopped:
        print("scaling.py: stopped; the same command continues", file=sys.stderr)
        return EXIT_STOPPED
    except subprocess.CalledProcessError as error:
        print(f"scaling.py: `{error.cmd[0]} {error.cmd[1]}` failed with exit code "
              f"{error.returncode}; the same command tries to continue", file=sys.stderr)
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
    table.end(main, "scaling.py")
