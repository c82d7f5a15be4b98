"""Tests of runs/analysis/spines.py: counts of known synapses, and what it says of a run.

Run by CTest as `/usr/bin/python3 spines_test.py`.
"""

import contextlib
import csv
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import sheet
import spines
from extent_support import assert_extent_is_said

CELLS, SITES = 4, 5  # by index, middle, middle finger, and far from any
PLACES = np.array([sheet.FIELDS[name] for name in ("index", "middle", "middle", "shoulder girdle")])
DAY_S = 2.0
TRIALS = (2, 4, 6)  # of the blocks: before, practice, rest


def snapshots():
    """Source, spine and day of formation at four times. At first each cell has three synapses, from
    cell 1; the last two sites are vacant."""
    source = np.full((CELLS, SITES), CELLS)
    source[:, :3] = 1
    day = np.zeros((CELLS, SITES))
    spine = np.where(source < CELLS, 2, 0)
    states = [(source.copy(), spine.copy(), day.copy()) for _ in range(2)]
    # Practice: each cell forms two synapses, from cells 1 and 0, and loses its first one.
    source[:, 3], source[:, 4], source[:, 0] = 1, 0, CELLS
    spine[:, 3:], spine[:, 0] = 1, 0
    day[:, 3:] = 3.0
    states.append((source.copy(), spine.copy(), day.copy()))
    # Rest: those from cell 1 stay, the others go; the index cell's last site is taken anew.
    source[:, 4], spine[:, 4], day[:, 4] = CELLS, 0, 0
    spine[:, 3] = 2
    source[0, 4], spine[0, 4], day[0, 4] = 2, 1, 5.0
    states.append((source.copy(), spine.copy(), day.copy()))
    return states


def write_run(directory, groups=("practised", "idle"), structural=True):
    directory.mkdir(parents=True)
    trials = sum(TRIALS)
    with netCDF4.Dataset(directory / "behaviour.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("trial", None)
        file.createDimension("subject", len(groups))
        file.createDimension("name_length", 20)
        block = np.repeat([0, 1, 2], TRIALS)
        for name, values in (("block", block), ("rotation", np.zeros(trials)),
                             ("target_angle", np.zeros(trials))):
            file.createVariable(name, "f8", ("trial", "subject"))[:] = values[:, None] * np.ones(
                len(groups))
        file.createVariable("group", "i4", ("subject",))[:] = range(len(groups))
        file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = \
            netCDF4.stringtochar(np.array(list(groups), "S20"))
    text = f"brain.cortex.sheet_plasticity.spines.day_s = {DAY_S}\n"
    for group in groups:
        blocks = [{"trials": n, "phase": phase, "task": "fingers" if k == 1 and group == "practised"
                   else "rest", "fingers": [2, 3] if k == 1 and group == "practised" else []}
                  for k, (n, phase) in enumerate(zip(TRIALS, ("before", "practice", "after")))]
        text += f"[schedules.{group}]\nblocks = [" + ", ".join(
            "{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in b.items()) + "}" for b in blocks) + "]\n"
    text += "".join(f'[[group]]\nname = "{g}"\nschedule = "{g}"\n' for g in groups)
    (directory / "resolved.toml").write_text(text)
    states = snapshots()
    with netCDF4.Dataset(directory / "cortex_weights.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("snapshot", None)
        file.createDimension("letters", 20)
        for name in ("subject", "time_ms"):
            file.createVariable(name, "f8", ("snapshot",))
        file.createVariable("group_name", "S1", ("snapshot", "letters"))
        for name in spines.PROJECTIONS if structural else ():
            cells = file.createDimension(f"cell_{name}", CELLS).name
            sites = file.createDimension(f"synapse_{name}", SITES).name
            for which in ("source", "target"):
                for k, axis in enumerate("xy"):
                    file.createVariable(f"{which}_{axis}_{name}", "f4", (cells,))[:] = PLACES[:, k]
            for variable in ("source", "spine", "formed_day"):
                file.createVariable(f"{variable}_{name}", "f8", ("snapshot", cells, sites))
        at = 0
        for member, group in enumerate(groups):
            for time_s, state in zip((0, 2, 10, 20), states):
                file["subject"][at], file["time_ms"][at] = member, 1e3 * time_s
                file["group_name"][at] = list(group.ljust(20))
                for name in spines.PROJECTIONS if structural else ():
                    for variable, values in zip(("source", "spine", "formed_day"), state):
                        file[f"{variable}_{name}"][at] = values
                at += 1
    return directory


class SpinesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = spines.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_counts(self):
        """Of the three cells by a practised finger; the far one does not count."""
        rows = spines.measure(write_run(self.root / "run"))
        self.assertEqual([r["group"] for r in rows], ["practised"] * 4 + ["idle"] * 4)
        start, before, after, end = rows[:4]
        self.assertEqual([r["practice"] for r in rows[:4]], ["", "", "on", "over"])
        self.assertEqual([r["day"] for r in rows[:4]], [-1, 0, 4, 9])
        for row, density, transient, first in ((start, 1, 0, 1), (before, 1, 0, 1),
                                               (after, 4 / 3, 2 / 3, 2 / 3),
                                               (end, (3 * 3 + 1) / 9, 1 / 9, 2 / 3)):
            self.assertAlmostEqual(row["density"], density)
            self.assertAlmostEqual(row["transient"], transient)
            self.assertAlmostEqual(row["first_left"], first)
        self.assertAlmostEqual(after["per_day"], 2 / 3 / 4)
        self.assertEqual(end["per_day"], 0)  # the latest formed on day 5, when practice ended
        # The cohort: six each in two projections, of which those from cell 1 survive.
        self.assertEqual(end["cohort"], 12)
        self.assertAlmostEqual(end["survival"], 0.5)
        # Coactive: cell 1 onto the middle cells, cell 0 onto the index cell.
        self.assertAlmostEqual(end["survival_coactive"], 2 / 3)
        self.assertAlmostEqual(end["survival_other"], 1 / 3)
        # A group that practises nothing is counted over the same trials and cells.
        same = lambda row: {k: v for k, v in row.items() if k not in ("group", "subject")}
        self.assertEqual([str(same(r)) for r in rows[4:]], [str(same(r)) for r in rows[:4]])

    def test_command(self):
        run = write_run(self.root / "run")
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"practised +after +9 +1 +1.11 ")
        with open(run / "spines.csv") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 8)
        self.assertTrue((run / "spines.png").read_bytes().startswith(b"\x89PNG"))
        code, out, _ = self.call(run, "--json")
        self.assertEqual([r["phase"] for r in json.loads(out)][:3], ["before", "practice", "after"])

    def test_more_groups_than_tints_are_all_drawn(self):
        names = ("density", "per_day", "first_left", "survival")
        records = [{"group": f"g{k}", "day": day, "n": 1} | dict.fromkeys(names, 0.1 * k)
                   | {f"{name}_sem": np.nan for name in names} for k in range(7) for day in (0, 1)]
        figure = spines.draw(records, {}, "", "")
        self.addCleanup(spines.plt.close, figure)
        self.assertEqual([len(axes.containers) for axes in figure.axes], [7] * 4)

    def test_what_was_cut_is_said(self):
        assert_extent_is_said(self, spines, write_run(self.root / "run"), "Synapses on the cells")

    def test_refusals(self):
        self.assertIn("no resolved.toml", self.call(self.root)[2])
        run = write_run(self.root / "fixed", structural=False)
        code, _, err = self.call(run)
        self.assertEqual(code, 2)
        self.assertIn("do not come and go; run with --set", err)
        run = write_run(self.root / "idle", groups=("idle",))
        self.assertIn("no group practises fingers", self.call(run)[2])
        (run / "cortex_weights.nc").unlink()
        self.assertIn("no such file; record weights", self.call(run)[2])


if __name__ == "__main__":
    unittest.main()
