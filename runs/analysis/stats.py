"""Means and their standard errors over simulated subjects."""

from __future__ import annotations

import numpy as np

ROUNDING = 1e-12  # of a number: means of what is alike, over different trials, differ by less


def mean(values) -> float:
    """Of those that are finite; NaN where none is."""
    values = np.asarray(values)
    values = values[np.isfinite(values)]
    return float(np.mean(values)) if values.size else np.nan


def sem(values: np.ndarray) -> np.ndarray:
    """Standard error of the mean over the first axis; NaN of one value."""
    if len(values) < 2:
        return np.full(values.shape[1:], np.nan)[()]
    return np.std(values, axis=0, ddof=1) / np.sqrt(len(values))


def mean_sem(values) -> tuple[float, float]:
    """Of those that are finite; NaN where none is, and the error of a single one."""
    values = np.array([value for value in values if np.isfinite(value)])
    return mean(values), float(sem(values))


def change(first, second) -> np.ndarray:
    """second - first; 0 where that is rounding alone."""
    return np.where(np.isclose(second, first, rtol=ROUNDING, atol=0), 0.0, np.subtract(second, first))


def span(numbers, to: str = "-") -> str:
    """How many subjects groups have: "3", or "2-5" where they differ."""
    numbers = list(numbers)
    low, high = min(numbers), max(numbers)
    return f"{low}" if low == high else f"{low}{to}{high}"
