"""The frame of the commands that read one run directory, print a table and draw a figure."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Callable

import behaviour
import table
from behaviour import BadInput

# Records for --json, what prints the table, the figure's path or None, and what is unlike the whole
# experiment.
Analysis = tuple[list[dict], Callable[[], None], pathlib.Path | None, str]


def read(name: str, description: str, directory: str, example: str,
         analyse: Callable[[pathlib.Path], Analysis], arguments: list[str] | None) -> int:
    """Exit code of the script `name`.py. `directory`: help of its argument. `analyse`: writes the
    script's files."""
    script = f"{name}.py"
    parser = argparse.ArgumentParser(prog=script, description=description,
                                     epilog=f"Example: {script} {example}")
    parser.add_argument("directory", metavar="DIR", type=pathlib.Path, help=directory)
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    options = parser.parse_args(arguments)
    try:
        records, show, drawn, cut = analyse(options.directory)
    except BadInput as error:
        print(f"{script}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"{script}: {error.filename or options.directory}: {error.strerror}; tables and the figure "
              f"are written into {options.directory}: make room or it writable, or copy the run",
              file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps([{k: table.finite(v) if isinstance(v, float) else v for k, v in r.items()}
                          for r in records], indent=2))
        return 0
    print(f"{behaviour.extent_of(cut)}\n")
    show()
    if drawn:
        print(f"\nFigure: {drawn}")
    return 0
