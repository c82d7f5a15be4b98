"""Tests of runs/analysis/observation.py: curves whose interaction is known, and what it says of a run.

Run by CTest as `/usr/bin/python3 observation_test.py`.
"""

import contextlib
import csv
import io
import json
import pathlib
import sys
import tempfile
import unittest
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import observation
from extent_support import assert_extent_is_said

X50, K, SHIFT, TOP = -1.0, 1.5, 1.2, 0.8
POLARIZATIONS = np.arange(-9.0, 8.0)
BODY = {"trial_ms": 100, "cue_ms": 10, "deadline_ms": 60, "vision_delay_ms": 20}
SEEN = (30, 80)  # ms of a trial in which a movement is seen
HZ = {"PFG": (0.0, 6.0, 12.0, 15.0), "PMv": (1.0, 9.0, 4.0, 10.0)}  # by block: naive, practice, ...


def logistic(x, moved=0.0):
    return TOP / (1 + np.exp((X50 - x - moved) / K))


def write_run(directory, groups=("seen",), observed=True, sees=True):
    """Blocks of two trials: naive, practice, observe, execute, and two with a probe."""
    directory.mkdir(parents=True)
    tasks = ("observe", "fingers", "observe", "fingers", "rest", "rest")
    blocks = [{"trials": 2, "phase": f"b{i}", "task": task, "fingers": [] if task == "rest" else [2]}
              for i, task in enumerate(tasks)]
    text = "".join(f"body.{key} = {value}\n" for key, value in BODY.items())
    text += "[schedules.s]\nblocks = [" + ", ".join(
        "{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in b.items())
        + (", probe.observed = [2]" if i == 5 and observed else "") + "}"
        for i, b in enumerate(blocks)) + "]\n"
    text += "".join(f'[[group]]\nname = "{g}"\nschedule = "s"\nsubjects = 1\n' for g in groups)
    (directory / "resolved.toml").write_text(text)
    names = netCDF4.stringtochar(np.array(groups, "S20"))
    with netCDF4.Dataset(directory / "behaviour.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        for name, size in (("trial", None), ("subject", len(groups)), ("name_length", 20)):
            file.createDimension(name, size)
        for name in ("block", "rotation", "target_angle"):
            file.createVariable(name, "f8", ("trial", "subject"))[:] = np.zeros((12, len(groups)))
        file["block"][:] = np.repeat(range(6), 2)[:, None] * np.ones(len(groups))
        file.createVariable("group", "i4", ("subject",))[:] = range(len(groups))
        file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = names
    time = np.arange(10.0, 1201.0, 10.0)
    trial = ((time - 1) // BODY["trial_ms"]).astype(int)
    within = time - trial * BODY["trial_ms"]
    with netCDF4.Dataset(directory / "cortex.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        for name, size in (("time", None), ("subject", len(groups)), ("name_length", 20)):
            file.createDimension(name, size)
        file.createVariable("time", "f8", ("time",))[:] = time
        file.createVariable("trial", "i4", ("time",))[:] = trial
        file.createVariable("subject", "i4", ("subject",))[:] = range(len(groups))
        file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = names
        for cells, rates in HZ.items() if sees else ():
            by_block = np.array([*rates, 0.0, 0.0])[trial // 2]
            rate = np.where((within > SEEN[0]) & (within <= SEEN[1]), by_block, 77.0)
            file.createVariable(f"rate_{cells}", "f8", ("time", "subject"))[:] = rate[:, None]
    rows = [(s, block, x, float(logistic(x, SHIFT if block == 5 else 0.0)) + wiggle)
            for s in range(len(groups)) for block in (4, 5)
            for x in POLARIZATIONS for wiggle in (-0.1, 0.1)]
    with netCDF4.Dataset(directory / "probes.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        for name, size in (("pulse", None), ("muscle", 2), ("time", 3), ("letters", 6)):
            file.createDimension(name, size)
        file.createVariable("muscle_name", "S1", ("muscle", "letters"))[:] = netCDF4.stringtochar(
            np.array(["index", "thumb"], "S6"))
        for axis in "xy":
            file.createVariable(f"muscle_{axis}", "f8", ("muscle",))[:] = [1.0, 2.0]
        file.createVariable("time", "f8", ("time",))[:] = [1.0, 2.0, 3.0]
        stage = file.createVariable("stage", "i4", ("pulse",))
        stage.flag_meanings = "threshold polarization"
        columns = {"subject": [r[0] for r in rows], "block": [r[1] for r in rows],
                   "polarization": [r[2] for r in rows], "stage": [1] * len(rows),
                   "target_muscle": [1] * len(rows), "rmt": [1.1] * len(rows)}
        for name in ("intensity", "conditioning", "interval", "x", "y"):
            columns[name] = [1.0] * len(rows)
        for name, values in columns.items():
            if name != "stage":
                file.createVariable(name, "i4" if name in ("subject", "block", "target_muscle")
                                    else "f8", ("pulse",))
            file[name][:] = values
        background = np.full((len(rows), 2), 0.3)
        mep = background + np.array([[5.0, r[3]] for r in rows])
        file.createVariable("mep", "f8", ("pulse", "muscle"))[:] = mep
        file.createVariable("background", "f8", ("pulse", "muscle"))[:] = background
        file.createVariable("volley", "f8", ("pulse", "time"))[:] = np.zeros((len(rows), 3))
    return directory


class ObservationTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = observation.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_rates_while_movements_are_seen(self):
        row = observation.measure(write_run(self.root / "run"))[0][0]
        for cells, (naive, _, observe, execute) in HZ.items():
            name = cells.lower()
            self.assertEqual((row[f"{name}_naive"], row[f"{name}_observe"], row[f"{name}_execute"]),
                             (naive, observe, execute))
            self.assertAlmostEqual(row[f"{name}_share"], observe / execute)

    def test_a_moved_logistic(self):
        rows, points = observation.measure(write_run(self.root / "run"))
        row = rows[0]
        for name, value, delta in (("x50", X50, 1e-2), ("k", K, 1e-2), ("a", SHIFT, 1e-2),
                                   ("mep_ratio", logistic(0, SHIFT) / logistic(0), 1e-9),
                                   ("predicted", X50 - (SHIFT + 2) / 2, 1e-2),
                                   ("crossing", X50 - (SHIFT + 2) / 2, 0.5)):
            self.assertAlmostEqual(row[name], value, delta=delta, msg=name)
        self.assertGreater(row["low"], 0.01)
        self.assertLess(row["high"], -0.01)
        b = 2
        for point in points:
            x = point["polarization_mv"]
            expected = (logistic(x + b, SHIFT) - logistic(x, SHIFT) - logistic(x + b) + logistic(x)) / TOP
            if x + b <= POLARIZATIONS[-1]:
                self.assertAlmostEqual(point["interaction"], expected, delta=1e-3)
            else:
                self.assertTrue(np.isnan(point["interaction"]))

    def test_lines_do_not_interact(self):
        """The sum of two effects on a linear response has no interaction, and so no crossing."""
        x = np.arange(-4.0, 5.0)
        index = observation.interaction(x, 0.1 * x, 0.1 * x + 0.3)
        np.testing.assert_allclose(index[:-2], 0, atol=1e-12)
        self.assertTrue(np.isnan(observation.crossing(x, np.full(9, 0.2))))
        self.assertTrue(np.isnan(observation.crossing(x, np.full(9, -0.2))))

    def test_crossing_divides_best(self):
        x = np.arange(6.0)
        self.assertEqual(observation.crossing(x, np.array([2, 1, -0.1, 0.4, -2, -1.0])),
                         3 + 0.4 / 2.4)

    def test_what_was_cut_is_said(self):
        assert_extent_is_said(self, observation, write_run(self.root / "run"), "Cells that fire")

    def test_command(self):
        run = write_run(self.root / "run", groups=("seen", "unseen"))
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("unseen", out)
        with open(run / "observation.csv", newline="") as file:
            self.assertEqual([row["group"] for row in csv.DictReader(file)], ["seen", "unseen"])
        self.assertTrue((run / "observation_curves.csv").is_file())
        self.assertTrue((run / "observation.png").is_file())
        code, out, _ = self.call(run, "--json")
        self.assertEqual((code, json.loads(out)[0]["n"]), (0, 1))

    def test_what_falls_off_is_left_out(self):
        """Where observation makes the sheet fire by itself, responses fall: that is no interaction."""
        alone, observing = logistic(POLARIZATIONS), logistic(POLARIZATIONS, SHIFT)
        whole, _ = observation.indices(POLARIZATIONS, alone, observing)
        fallen = np.where(POLARIZATIONS > 2, 0.1, observing)
        cut, index = observation.indices(POLARIZATIONS, alone, fallen)
        self.assertAlmostEqual(cut["a"], whole["a"], delta=0.02)
        self.assertAlmostEqual(cut["crossing"], whole["crossing"], delta=0.02)
        self.assertTrue(np.isnan(index[POLARIZATIONS > 0]).all())
        self.assertGreater(cut["high"], -0.1)

    def test_what_a_run_does_not_tell_stays_empty(self):
        run = write_run(self.root / "run", observed=False, sees=False)
        code, out, _ = self.call(run)
        self.assertEqual(code, 0)
        rows = observation.measure(run)[0]
        self.assertEqual([row["phase"] for row in rows], ["b4", "b5"])  # two blocks alone are two curves
        for row, moved in zip(rows, (0, SHIFT)):
            self.assertAlmostEqual(row["x50"], X50 - moved, delta=0.05)
            self.assertTrue(np.isnan(row["mep_ratio"]) and np.isnan(row["pmv_share"]))

    def test_intensities_are_not_pooled(self):
        """And where levels are few and small, those of the file count, without a warning."""
        run = write_run(self.root / "run")
        with netCDF4.Dataset(run / "probes.nc", "a") as file:
            file["polarization"][:] = np.clip(file["polarization"][:], -1, 1) / 4
            file["intensity"][:] = 1.1 * np.where(np.arange(file["intensity"].size) % 2, 1.0, 1.2)
            file["mep"][:, 1] += 0.5 * (file["intensity"][:] > 1.2)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(self.call(run)[0], 0)
        weak, strong = observation.measure(run)[0]
        self.assertEqual((weak["intensity_rmt"], strong["intensity_rmt"]), (1.0, 1.2))
        for row, more in ((weak, 0.1), (strong, 0.4)):  # those of the pulses' wiggle, and .5
            self.assertEqual((row["anodal_mv"], row["cathodal_mv"], row["current_mv"]), (0.25, -0.25, 0.5))
            self.assertAlmostEqual(row["mep_ratio"], (logistic(0, SHIFT) + more) / (logistic(0) + more))

    def test_refusals(self):
        blind = write_run(self.root / "blind", sees=False)
        (blind / "probes.nc").unlink()
        code, _, err = self.call(blind)
        self.assertEqual(code, 2)
        self.assertIn("observation.connected=true", err)
        code, _, err = self.call(self.root)
        self.assertEqual(code, 2)
        self.assertIn("resolved.toml", err)


if __name__ == "__main__":
    unittest.main()
