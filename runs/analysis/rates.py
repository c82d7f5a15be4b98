"""Firing rates of all populations at rest and in movement, beside the ranges expected of them
(published, judged, or quoted unchecked: see rates.toml).

Read from <region>.nc and, where spikes were recorded, <region>_spikes.nc. Only groups with one and
the same brain count (those without a `brain.` key of their own; the first where each has one) and
with the times of a trial that [body] has, and only the first block without its first trial: the
brain before it learns. One number per seed, the mean over groups, since they share seeds.
"""

from __future__ import annotations

import collections
import math
import pathlib
import tomllib

import numpy as np

import behaviour
import netcdf
import stats
import table
from behaviour import BadInput, blocks_of

RANGES = pathlib.Path(__file__).with_name("rates.toml")
REGIONS = ("cortex", "cerebellum", "basal_ganglia", "thalamus")
WINDOWS = ("rest", "movement")
TIMES = {"trial_ms", "cue_ms", "go_ms", "vision_delay_ms"}  # of [body], on which the windows depend
MIN_INTERVALS = 20  # between spikes of a cell, for its coefficient of variation to count


def ranges() -> dict[str, dict]:
    """Rows of rates.toml by name, "region.POPULATION"."""
    with open(RANGES, "rb") as file:
        return {row["name"]: row for row in tomllib.load(file)["population"]}


def windows(body: dict) -> dict[str, tuple[int, int]]:
    """From and to, in ms from the trial's start: before the target is seen, around the go signal of
    a reach."""
    return {
        "rest": (0, body["cue_ms"] + body["vision_delay_ms"]),
        "movement": (body["go_ms"] - 150, body["go_ms"] + 50),
    }


def resolved(directory: pathlib.Path) -> dict:
    """resolved.toml of a run, which has the rates' windows. Raises BadInput."""
    experiment = behaviour.experiment_of(directory)
    missing = TIMES - set(experiment.get("body", {}))
    if missing:
        raise BadInput(f"{directory / 'resolved.toml'}: body.{min(missing)} is missing; copy it "
                       "again or run again")
    return experiment


def counted(run: dict) -> list[int]:
    """Indices of the groups whose rates count."""
    own = [[group.get(table, {}) for table in ("set", "vary")] for group in run["group"]]
    timely = [i for i, tables in enumerate(own)
              if not any(TIMES & set(keys.get("body", {})) for keys in tables)]
    shipped = [i for i in timely if not any("brain" in keys for keys in own[i])]
    return shipped or timely[:1]


def measure(directory: str | pathlib.Path) -> dict[str, dict[str, dict[int, float]]]:
    """By "region.POPULATION" the rates in Hz `rest` and `movement`, and `cv`, the coefficient of
    variation of the intervals between a cell's spikes, mean over cells; each by seed.

    Empty where the run recorded no rates. Raises BadInput.
    """
    directory = pathlib.Path(directory)
    recorded = [r for r in REGIONS if (directory / f"{r}.nc").is_file()]
    if not recorded:
        return {}
    run = resolved(directory)
    trial_ms = run["body"]["trial_ms"]
    first = {  # block, by index of the groups that count
        index: blocks_of(run, run["group"][index]["name"])[0] for index in counted(run)
    }
    with netcdf.open_dataset(directory / "behaviour.nc") as file:
        members = [
            (member, seed, first[group])
            for member, (group, seed) in enumerate(
                zip(file["group"].values.tolist(), file["seed"].values.tolist())
            )
            if group in first
        ]
    # Values of a seed's groups.
    found = collections.defaultdict(
        lambda: {key: collections.defaultdict(list) for key in (*WINDOWS, "cv")}
    )
    for region in recorded:
        with netcdf.open_dataset(directory / f"{region}.nc") as file:
            bin_ms = int(file.attrs["bin_width_ms"])
            begin = (file["time"].values - bin_ms) % trial_ms
            columns = {m: i for i, m in enumerate(file["subject"].values.tolist())}
            for window, (start, end) in windows(run["body"]).items():
                inside = (begin >= start) & (begin + bin_ms <= end) & (file["trial"].values > 0)
                for member, seed, block in members:
                    reaches = block.get("task", "reach") == "reach"
                    if member not in columns or (window == "movement" and not reaches):
                        continue
                    rows = np.flatnonzero(inside & (file["trial"].values < block["trials"]))
                    if rows.size == 0:  # a block of one trial, or not there yet
                        continue
                    for name in (n for n in file.data_vars if n.startswith("rate_")):
                        rate = float(np.mean(file[name].values[rows, columns[member]]))
                        if math.isfinite(rate):
                            found[f"{region}.{name[5:]}"][window][seed].append(rate)
        path = directory / f"{region}_spikes.nc"
        if path.is_file():
            with netcdf.open_dataset(path) as file:
                for member, seed, block in members:
                    for name, cv in _interval_cv(file, member, trial_ms,
                                                 block["trials"] * trial_ms).items():
                        found[f"{region}.{name}"]["cv"][seed].append(cv)
    return {
        name: {key: {seed: float(np.mean(group)) for seed, group in by_seed.items()}
               for key, by_seed in measured.items()}
        for name, measured in found.items()
    }


def _interval_cv(file, member: int, after_ms: float, until_ms: float) -> dict[str, float]:
    """By population, of the member's cells with enough intervals in the time given."""
    time, population = file["time_ms"].values, file["population"].values
    own = (file["subject"].values == member) & (time > after_ms) & (time <= until_ms)
    result = {}
    for index, name in enumerate(file["population"].attrs["flag_meanings"].split()):
        spikes = np.flatnonzero(own & (population == index))
        cell = file["cell"].values[spikes]
        order = np.lexsort((time[spikes], cell))
        cell = cell[order]
        interval = np.diff(time[spikes][order])[cell[1:] == cell[:-1]]
        cell = cell[1:][cell[1:] == cell[:-1]]
        n = np.bincount(cell)
        enough = n >= MIN_INTERVALS
        if enough.any():
            mean = np.bincount(cell, interval)[enough] / n[enough]
            square = np.bincount(cell, interval**2)[enough] / n[enough]
            result[name] = float(np.mean(np.sqrt(np.maximum(0, square - mean**2)) / mean))
    return result


def records(directory: str | pathlib.Path) -> list[dict]:
    """One row per population, for rates.csv and --json; None where there is no number. Means and
    standard errors are over `n` seeds (`cv_n` for the coefficients of variation)."""
    expected = ranges()
    rows = []
    by_name = measure(directory)
    if not by_name:
        return rows
    run = resolved(pathlib.Path(directory))
    groups = " ".join(run["group"][index]["name"] for index in counted(run))
    for name, measured in by_name.items():
        row = expected.get(name, {})
        region, _, population = name.partition(".")
        record = {"region": region, "population": population, "groups": groups,
                  "n": len(measured["rest"])}
        for window in WINDOWS:
            low, high = row.get(window, (None, None))
            mean, sem = mean_sem(measured[window].values())
            if low is None or mean is None:
                verdict = "no range" if low is None else "undefined"
            else:
                verdict = "in" if low <= mean <= high else "out"
            record[f"{window}_low"], record[f"{window}_high"] = low, high
            record[window], record[f"{window}_sem"] = mean, sem
            record[f"{window}_verdict"] = verdict
            record[f"{window}_known"] = row.get(f"known_{window}")
        record["cv_n"] = len(measured["cv"])
        record["cv"], record["cv_sem"] = mean_sem(measured["cv"].values())
        rows.append(record | {"basis": row.get("basis"), "source": row.get("source")})
    return rows


def mean_sem(values) -> tuple[float | None, float | None]:
    """Mean and standard error; None without or with a single value."""
    mean, sem = stats.mean_sem(values)
    return table.finite(mean), table.finite(sem)


def count(rows: list[dict]) -> dict[str, int]:
    verdicts = [row[f"{window}_verdict"] for row in rows for window in WINDOWS]
    return {kind: verdicts.count(kind) for kind in ("in", "out", "no range", "undefined")}


def _cell(row: dict, window: str) -> str:
    """The verdict, "out (known)" on the side of the range where the shipped brain is known to be."""
    verdict, known = row[f"{window}_verdict"], row[f"{window}_known"]
    if verdict != "out" or known is None:
        return verdict
    high = row[f"{window}_high"]
    return "out (known)" if (row[window] > high) == (known > high) else "out"


def print_table(rows: list[dict]) -> None:
    n, cv_n = (max(row[key] for row in rows) for key in ("n", "cv_n"))
    groups = rows[0]["groups"].split()
    print(f"rates in the first block of n = {n} subject{'s'[: n != 1]} (record.rate_subjects) of "
          f"{', '.join(groups)}; groups with another brain or other times of a trial are left out"
          + (f"; CV of n = {cv_n} (record.spikes.subjects)" if cv_n else ""))
    print()
    error = " ± SEM" if n > 1 else ""
    header = ["population", "expected at rest, Hz", "basis", f"at rest{error}", "verdict",
              "expected in movement, Hz (j)", f"in movement{error}", "verdict"]
    cells = []
    for row in rows:
        line = [f"{row['region']}.{row['population']}"]
        for window in WINDOWS:
            low, high = row[f"{window}_low"], row[f"{window}_high"]
            line += ["-" if low is None else f"{low:.3g} to {high:.3g}"]
            line += [row["basis"][0] if low is not None else "-"] * (window == "rest")
            line += [table.number(row[window], row[f"{window}_sem"]), _cell(row, window)]
        cells.append(line + [table.number(row["cv"], row["cv_sem"])] * (cv_n > 0))
    table.show(tuple(header + ["CV of intervals"] * (cv_n > 0)), cells)
    counts = count(rows)
    known = sum(_cell(row, window) == "out (known)" for row in rows for window in WINDOWS)
    print(f"\n{counts['in']} of {counts['in'] + counts['out']} judged rates are in their range, "
          f"{counts['out']} out, {known} of these known\n(rates.toml lists the shipped brain on the "
          f"same side); {counts['no range']} without a range. Ranges are p: published,\nj: judged "
          "around a published mean, u: unchecked, quoted from memory and not read in a paper.\n"
          "Sources are in rates.csv.")
