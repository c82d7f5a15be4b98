"""Tables on the terminal and as CSV, and how a script ends."""

from __future__ import annotations

import contextlib
import csv
import itertools
import math
import os
import pathlib
import sys


def show(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Prints aligned columns under a ruled header, whose cells may have several lines."""
    lines = [cell.split("\n") for cell in header]
    heads = list(itertools.zip_longest(*lines, fillvalue=""))
    widths = [max(len(row[i]) for row in [*heads, *rows]) for i in range(len(header))]
    last = max(map(len, lines[-1]))
    for row in [*heads, tuple("-" * w for w in (*widths[:-1], last)), *rows]:
        print("  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip())


def number(value: float, sem: float = math.nan) -> str:
    """"0.9 ± 0.058", "-" for NaN or None; without an error where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return f"{value:.3g}" + ("" if sem is None or math.isnan(sem) else f" ± {sem:.2g}")


def percent(share: float, sem: float) -> str:
    """"+12.0 ± 1.5" of .12 ± .015, "-" for NaN; without an error where there is none."""
    if math.isnan(share):
        return "-"
    return f"{100 * share:+.1f}" + ("" if math.isnan(sem) else f" ± {100 * sem:.1f}")


def finite(value: float | None) -> float | None:
    """As files have it: None, which is an empty cell or null, for NaN and infinity."""
    return value if value is not None and math.isfinite(value) else None


@contextlib.contextmanager
def replacing(path: pathlib.Path):
    """Gives a path beside `path` to write, which replaces it when done: it is never seen half
    written, and of a failure nothing remains."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        yield partial
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def write_csv(path: pathlib.Path, records: list[dict]) -> None:
    """Replaces the file at once."""
    with replacing(path) as partial, open(partial, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, records[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)


def end(main, script: str) -> None:
    """Runs `main` and exits with its code, or with 1 and one line if standard output is full."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.reconfigure(errors="replace")  # where the terminal knows no "±"
    try:
        try:
            code = main()
        except SystemExit as stop:  # of argparse
            code = stop.code
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:  # main answers for all files
        print(f"{script}: standard output: not written ({error.strerror}); make room or write it "
              "elsewhere", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at exit
        code = 1
    sys.exit(code)
