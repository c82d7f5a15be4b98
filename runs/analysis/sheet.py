"""The motor sheet as regions/ builds it: its size, fields of muscles, and which cells a lesion kills; and
how maps on it overlap.

Lengths are in sheet units of about .8 mm (assumed). Muscles have the names of FIELDS; name_in_files says
how probes.nc writes them.
"""

from __future__ import annotations

import numpy as np

# As in regions/sizes.hpp and regions/sheet.hpp: centre of each muscle's field, whose SD is FIELD_SD.
WIDTH, HEIGHT, FIELD_SD = 18.0, 6.0, 0.7
FIELDS = {
    "shoulder flexor": (3.0, 1.2), "shoulder extensor": (3.0, 4.8), "elbow flexor": (5.5, 4.8),
    "elbow extensor": (5.5, 1.2), "biarticular flexor": (8.0, 1.2),
    "biarticular extensor": (8.0, 4.8), "little": (10.2, 3.0), "ring": (11.6, 3.0),
    "middle": (13.0, 3.0), "index": (14.4, 3.0), "thumb": (15.8, 3.0),
    "shoulder girdle": (0.8, 3.0), "face": (17.3, 3.0),
}
MUSCLES = tuple(FIELDS)
FINGERS = ("thumb", "index", "middle", "ring", "little")  # digits 1 to 5

EDGE = 0.1  # a site belongs to a map above this share of the map's largest value

# Codes of a synapse that has not decided, and of one that stays (models/spines.hpp).
TRANSIENT, STABLE = 1, 2


def name_in_files(muscle: str) -> str:
    """"index_finger" for "index"."""
    return f"{muscle}_finger" if muscle in FINGERS[1:] else muscle.replace(" ", "_")


# The parts of the body whose nerves can be blocked, as in regions/body.cpp.
PARTS = {"hand": FINGERS, "arm": MUSCLES[:6] + FINGERS, "face": ("face",),
         **{name_in_files(finger): (finger,) for finger in FINGERS}}


def fields(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much cells at (x, y) belong to each muscle, shape (cells, muscles); columns sum to 1."""
    centres = np.array(list(FIELDS.values()))
    distance = (x[:, None] - centres[:, 0]) ** 2 + (y[:, None] - centres[:, 1]) ** 2
    field = np.exp(-distance / (2 * FIELD_SD**2))
    return field / field.sum(axis=0)


def alive(x: np.ndarray, y: np.ndarray, blocks: list[dict]) -> np.ndarray:
    """Whether a cell at (x, y) outlives the lesions before these blocks."""
    result = np.ones(x.shape, bool)
    for block in blocks:
        if block.get("lesion_radius", 0) > 0:
            site = block["lesion_site"]
            result &= (x - site[0]) ** 2 + (y - site[1]) ** 2 > block["lesion_radius"] ** 2
    return result


def jaccard(a: np.ndarray, b: np.ndarray) -> float:
    """Sites of both maps over sites of either, of two boolean maps; NaN where both are empty."""
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else np.nan


def volume_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Sum of the smaller of two maps over sites, over the smaller of their sums: 1 where one map lies
    within the other; needs no border of a map."""
    smaller = min(a.sum(), b.sum())
    return float(np.minimum(a, b).sum() / smaller) if smaller > 0 else np.nan
