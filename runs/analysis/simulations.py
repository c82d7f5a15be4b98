"""Makes runs that an analysis needs: what is complete is taken as it is, what is not is resumed.

So a command that is stopped, or killed, continues when it is given again.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
import re
import signal
import subprocess
import sys
import tomllib

from behaviour import BadInput

EXPERIMENTS = pathlib.Path(__file__).parents[1] / "experiments"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
TRIAL_MINUTES = 0.006  # of one core per trial at scale 1 (measured: .17 s at scale .5)
EXIT_REFUSED, EXIT_STOPPED = 2, 75  # of the program: bad input; stopped with a good checkpoint


class Stopped(Exception):
    """A signal asked to stop."""


@dataclasses.dataclass
class Simulation:
    """One run: `quartet run EXPERIMENT FLAGS --out DIRECTORY`."""

    label: str  # before the lines of progress
    experiment: pathlib.Path | str
    flags: list[str]  # of `run` and `validate` alike
    directory: pathlib.Path
    resolved: str = ""  # the experiment as it would be used, once checked

    @property
    def complete(self) -> bool:
        return (self.directory / "traffic.csv").exists()  # what a run writes last


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--program", default="quartet", help="the program that simulates")
    parser.add_argument("--ranks", type=int, default=4, metavar="N", help="processes of a run")


def check(simulations: list[Simulation], program: str, ranks: int) -> None:
    """Raises BadInput for what cannot be run, and for a directory that is not of such a run."""
    if ranks < 1:
        raise BadInput(f"--ranks {ranks}: a run needs at least one; write --ranks 4")
    for simulation in simulations:
        try:
            checked = subprocess.run(
                [program, "validate", simulation.experiment, *simulation.flags, "--resolved"],
                capture_output=True, text=True)
        except FileNotFoundError:
            raise no_program(program) from None
        if checked.returncode != 0:
            raise BadInput(checked.stderr.strip())
        simulation.resolved = checked.stdout
        if not simulation.directory.exists():
            continue
        try:
            found = (simulation.directory / "resolved.toml").read_text(encoding="utf-8")
        except OSError:
            found = ""
        if _digest(found) != _digest(checked.stdout):
            raise BadInput(
                f"{simulation.directory}: was made with other flags, or from another "
                f"{simulation.experiment} ({simulation.label}); give the flags of then (its run.log "
                "and resolved.toml say which), or name another DIR")


def no_program(program: str) -> BadInput:
    return BadInput(f"--program {program}: there is no such program; write for example --program "
                    "build/quartet")


def core_minutes(simulation: Simulation) -> float:
    """About how long a checked simulation takes one core."""
    experiment = tomllib.loads(simulation.resolved)
    trials = sum(group["subjects"] * block["trials"] for group in experiment.get("group", [])
                 for block in experiment["schedules"][group["schedule"]]["blocks"])
    return trials * experiment.get("brain", {}).get("scale", 1.0) * TRIAL_MINUTES


def _digest(resolved: str) -> str:
    """Of the experiment, from the head of its resolved.toml."""
    found = re.search(r"Digest: ([0-9a-f]+)", resolved)
    return found[1] if found else ""


def complete(simulations: list[Simulation], program: str, ranks: int) -> None:
    """Runs what is not complete. Raises Stopped, and subprocess.CalledProcessError."""
    for simulation in simulations:
        if simulation.complete:
            if not (simulation.directory / "behaviour.nc").exists():
                raise BadInput(f"{simulation.directory}: the run is complete, but its behaviour.nc is "
                               "missing; copy it again, or move the directory away")
            continue
        if simulation.directory.exists():
            command = ["resume", simulation.directory]
        else:
            command = ["run", simulation.experiment, *simulation.flags, "--out",
                       simulation.directory]
        command = [program, *command, "--ranks", str(ranks)]
        code, asked = _follow(command, f"{simulation.label}: ")
        if code == EXIT_STOPPED or asked and code <= 0:
            raise Stopped
        if code == EXIT_REFUSED:
            raise BadInput(f"{simulation.label}: refused as said above")
        if code != 0:
            raise subprocess.CalledProcessError(code, command)


def _follow(command: list, prefix: str) -> tuple[int, bool]:
    """Runs a command, hands signals to stop on to it and its lines on to standard error, but the
    one that says what `command` changes. Returns its exit code and whether it was asked to stop."""
    asked, child = [], None

    def hand_on(number, _):
        asked.append(number)
        if child:
            child.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in STOP_SIGNALS
              if signal.getsignal(number) is not signal.SIG_IGN}  # nohup
    try:
        # Its own process group: else Ctrl-C would reach it twice, and twice means at once.
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, process_group=0)
        for number in asked:  # came while it started
            child.send_signal(number)
        with child:
            for line in child.stdout:
                if line.strip() and not line.startswith(
                        ("not as the file in full", "other than in the file")
                ):
                    print(prefix + line, end="", file=sys.stderr, flush=True)
        return child.returncode, bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def refusal(error: Exception, script: str) -> int:
    """Says on standard error why there is no result; returns the exit code."""
    if isinstance(error, Stopped):
        print(f"{script}: stopped; the same command continues", file=sys.stderr)
        return EXIT_STOPPED
    if isinstance(error, subprocess.CalledProcessError):
        print(f"{script}: `{error.cmd[0]} {error.cmd[1]}` failed with exit code "
              f"{error.returncode}; the same command tries to continue", file=sys.stderr)
        return 1
    print(f"{script}: {error}", file=sys.stderr)
    return 2


# What `refusal` answers for.
FAILURES = (BadInput, OSError, Stopped, subprocess.CalledProcessError)
