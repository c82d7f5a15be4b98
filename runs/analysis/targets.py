"""Reads targets.toml: what people do, and the bands that read-outs are judged by."""

from __future__ import annotations

import functools
import pathlib
import tomllib

TARGETS = pathlib.Path(__file__).with_name("targets.toml")


def load_targets() -> dict:
    with open(TARGETS, "rb") as file:
        return tomllib.load(file)


@functools.cache
def _bands() -> dict[str, tuple[float, float]]:
    return {row["id"]: tuple(row["band"]) for row in load_targets()["target"] if "band" in row}


def band(name: str) -> tuple[float, float]:
    """Of the row of this id."""
    return _bands()[name]
