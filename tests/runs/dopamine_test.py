"""Tests of runs/analysis/dopamine.py: a course over the trial that is known, and what it says of a run.

Run by CTest as `/usr/bin/python3 dopamine_test.py`.
"""

import contextlib
import csv
import io
import json
import pathlib
import sys
import tempfile
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import dopamine
from extent_support import assert_extent_is_said

BODY = {"trial_ms": 1000, "cue_ms": 50, "go_ms": 600, "deadline_ms": 800, "vision_delay_ms": 50, "outcome_delay_ms": 50}
BINS = np.arange(10.0, 1001.0, 10.0)  # their ends
CUE = (BINS > 100) & (BINS <= 250)
OUTCOME = BINS > 700
PHASES = (("paid", 6), ("unpaid", 3), ("paid", 6))
SUBJECTS = 2


def course(phase, trial, subject):
    """5 Hz, and in `paid` trials 10 more at the outcome in the first three, at the cue in the last
    four; one more in the second subject."""
    rate = np.full(BINS.size, 5.0 + subject)
    if phase == "paid":
        rate[OUTCOME] += 10.0 * (trial < 3)
        rate[CUE] += 10.0 * (trial >= 8)
    return rate


def write_run(directory, trials=None, bins=None, named=True, done=None):
    """`named`: blocks have the phases of PHASES, else none. `done`: trials of every subject, else all."""
    directory.mkdir(parents=True)
    text = "".join(f"body.{key} = {value}\n" for key, value in BODY.items())
    text += "[schedules.s]\nblocks = [" + ", ".join(
        "{" + f'phase = "{phase}", ' * named + f"trials = {n}}}" for phase, n in PHASES) + "]\n"
    text += f'[[group]]\nname = "one"\nschedule = "s"\nsubjects = {SUBJECTS}\n'
    (directory / "resolved.toml").write_text(text)
    names = netCDF4.stringtochar(np.array(["one"], "S20"))
    rates, seen = [], {}
    for phase, n in PHASES:
        for _ in range(n):
            trial = seen[phase] = seen.get(phase, -1) + 1
            rates.append([course(phase, trial, s) for s in range(SUBJECTS)])
    rates = np.array(rates)[:trials].transpose(0, 2, 1).reshape(-1, SUBJECTS)
    for name, dimension in (("behaviour", "trial"), ("basal_ganglia", "time")):
        with netCDF4.Dataset(directory / f"{name}.nc", "w", format="NETCDF3_64BIT_DATA") as file:
            for d, size in ((dimension, None), ("subject", SUBJECTS), ("group_row", 1), ("name_length", 20)):
                file.createDimension(d, size)
            file.createVariable("subject", "i4", ("subject",))[:] = range(SUBJECTS)
            if name == "behaviour":
                file.createVariable("group", "i4", ("subject",))[:] = 0
                file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = names
                for column in ("block", "rotation", "target_angle"):
                    file.createVariable(column, "f8", ("trial", "subject"))[:] = np.zeros((15, SUBJECTS))
                if done is not None:
                    file.createVariable("trials_done", "i4", ("subject",))[:] = done
                file["block"][:] = np.repeat([0, 1, 2], [6, 3, 6])[:, None] * np.ones(SUBJECTS)
            else:
                file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = names
                file.createVariable("time", "f8", ("time",))[:] = (bins or 10.0) * np.arange(1, len(rates) + 1)
                file.createVariable("rate_SNc", "f4", ("time", "subject"))[:] = rates
    return directory


def call(*arguments):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = dopamine.main([str(a) for a in arguments])
    return code, out.getvalue(), err.getvalue()


class DopamineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def test_answers_of_a_known_course(self):
        run = write_run(self.root / "run")
        code, out, err = call(run, "--json")
        self.assertEqual((code, err), (0, ""))
        records = {(r["phase"], r["stage"]): r for r in json.loads(out)}
        self.assertEqual(set(records), {("paid", "early"), ("paid", "late"), ("unpaid", "early")})
        for key, cue, outcome in ((("paid", "early"), 0, 10), (("paid", "late"), 10, 0),
                                  (("unpaid", "early"), 0, 0)):
            self.assertAlmostEqual(records[key]["before"], 5.5)
            self.assertAlmostEqual(records[key]["before_sem"], 0.5)
            self.assertAlmostEqual(records[key]["cue"], cue, msg=key)
            self.assertAlmostEqual(records[key]["outcome"], outcome, msg=key)
            self.assertEqual(records[key]["n"], SUBJECTS)
        with open(run / "dopamine.csv", newline="") as file:
            rows = [r for r in csv.DictReader(file) if (r["phase"], r["stage"]) == ("paid", "late")]
        self.assertEqual([float(r["time_ms"]) for r in rows], BINS.tolist())
        np.testing.assert_allclose([float(r["rate_hz"]) for r in rows], 5.5 + 10.0 * CUE)
        code, out, err = call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"one +paid +late +2 +5.5 ± 0.5 +10 ± 0 +0 ± 0\n")
        for suffix in ("png", "pdf"):
            self.assertGreater((run / f"dopamine.{suffix}").stat().st_size, 1000)

    def test_what_was_cut_is_said(self):
        assert_extent_is_said(self, dopamine, write_run(self.root / "run"), "Rate of dopamine cells")

    def test_no_curve_is_cut(self):
        """Neither at the top, which the first panel does not fix, nor by the legend."""
        time = BINS
        found = [dopamine.Course(g, "p", "reach", BODY, time, 3, np.full((2, 1, time.size), rate))
                 for g, rate in (("low", 5.0), ("high", 50.0))]
        figure = dopamine.draw(found, {}, "", "")
        self.addCleanup(dopamine.plt.close, figure)
        for axes in figure.axes:
            self.assertGreater(axes.get_ylim()[1], 50)
            self.assertEqual((axes.get_ylim()[0], axes.get_legend()), (0, None))

    def test_phases_stand_as_in_the_schedules(self):
        schedules = {"short": ("start", "end"), "other": ("begin", "end"), "long": ("start", "middle", "end")}
        found = [dopamine.Course(g, p, "reach", BODY, BINS, 3, np.full((2, 1, BINS.size), 5.0))
                 for g, phases in schedules.items() for p in phases]
        figure = dopamine.draw(found, {}, "", "")
        self.addCleanup(dopamine.plt.close, figure)
        columns = {axes.get_title(loc="left").partition(" ")[0]: axes.get_subplotspec().colspan.start
                   for axes in figure.axes if axes.get_visible()}
        self.assertEqual(sorted(columns, key=columns.get), ["start", "begin", "middle", "end"])
        self.assertEqual(dopamine.merged([["a", "b"], ["b", "a"]]), ["a", "b"])
        self.assertEqual(dopamine.merged([["z"], ["a", "b", "z"], ["b", "a"]]), ["a", "b", "z"])
        # Three that put each other before them, and what follows but one of them.
        self.assertEqual(dopamine.merged([["z"], ["a", "b"], ["b", "c"], ["c", "a"], ["b", "z"]]), ["a", "b", "c", "z"])
        self.assertEqual(dopamine.merged([["d", "e"], ["c", "d"], ["b", "c"], ["a"]]), ["b", "c", "d", "e", "a"])

    def test_fingers_have_their_outcome_after_the_deadline_and_rest_has_none(self):
        rate = np.full((2, 1, BINS.size), 5.0)
        rate[:, :, BINS > 900] = 15.0
        answers = {task: dopamine.Course("g", "p", task, BODY, BINS, 3, rate).answers(0)
                   for task in ("reach", "fingers", "rest")}
        self.assertAlmostEqual(answers["fingers"]["outcome"][0], 10.0)
        self.assertLess(answers["reach"]["outcome"][0], 5.0)
        self.assertAlmostEqual(answers["rest"]["before"][0], 6.0)
        self.assertTrue(np.isnan([answers["rest"][name][0] for name in ("cue", "outcome")]).all())

    def test_blocks_without_a_phase_are_their_own(self):
        code, out, err = call(write_run(self.root / "run", named=False), "--json")
        self.assertEqual((code, err), (0, ""))
        records = {(r["phase"], r["stage"]): r for r in json.loads(out)}
        self.assertEqual(list(dict.fromkeys(phase for phase, _ in records)),
                         ["block 0", "block 1", "block 2"])
        self.assertAlmostEqual(records["block 0", "early"]["outcome"], 10)
        self.assertAlmostEqual(records["block 2", "late"]["cue"], 10)

    def test_a_run_that_is_not_done(self):
        code, out, err = call(write_run(self.root / "part", trials=7), "--json")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual({r["phase"] for r in json.loads(out)}, {"paid", "unpaid"})

    def test_nothing_is_written_without_a_finished_subject(self):
        run = write_run(self.root / "stopped", trials=7, done=7)
        there = sorted(run.iterdir())
        code, out, err = call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no subject has finished yet", err)
        self.assertEqual(sorted(run.iterdir()), there)

    def test_there_is_no_late_stage_of_the_early_trials(self):
        """Neither in part; the legend has what is drawn in any panel."""
        for trials, stages in ((1, {"early"}), (3, {"early"}), (4, {"early", "late"})):
            with self.subTest(trials):
                with mock.patch(f"{__name__}.PHASES", (("paid", trials), ("unpaid", 1))):
                    run = write_run(self.root / str(trials))
                with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
                    file["block"][:] = np.where(np.arange(15) <= trials, np.arange(15) // trials, -1)[:, None]
                code, out, err = call(run, "--json")
                self.assertEqual((code, err), (0, ""))
                records = json.loads(out)
                self.assertEqual({r["stage"] for r in records if r["phase"] == "paid"}, stages)
                self.assertEqual([r["stage"] for r in records if r["phase"] == "unpaid"], ["early"])
                figure = dopamine.draw(dopamine.courses(run), {}, "", "")
                self.addCleanup(dopamine.plt.close, figure)
                self.assertEqual({text.get_text() for text in figure.legends[0].get_texts()}, stages)

    def test_refusals(self):
        for name, expected in (("nowhere", "no resolved.toml"), ("norates", "no basal_ganglia.nc; run with"),
                               ("bins", "do not divide a trial of 1000 ms"),
                               ("other", "not a readable NetCDF file of this version (no variable rate_SNc)")):
            with self.subTest(name):
                if name == "norates":
                    (write_run(self.root / name) / "basal_ganglia.nc").unlink()
                if name == "bins":
                    write_run(self.root / name, bins=30.0)
                if name == "other":
                    with netCDF4.Dataset(write_run(self.root / name) / "basal_ganglia.nc", "a") as file:
                        file.renameVariable("rate_SNc", "rate_other")
                code, out, err = call(self.root / name)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(expected, err)


if __name__ == "__main__":
    unittest.main()
