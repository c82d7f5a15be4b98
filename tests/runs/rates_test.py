"""Tests of runs/analysis/rates.py and scaling.py: runs with known spikes must give their rates.

Run by CTest as `/usr/bin/python3 rates_test.py`.
"""

import contextlib
import io
import json
import math
import pathlib
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import analysis_test
import behaviour
import rates
import scaling
import simulations
import score

TRIAL_MS, BIN_MS, TRIALS, BLOCK = 850, 10, 5, 3  # of which the first block has BLOCK
REST_MS, MOVEMENT_MS = (0, 80), (220, 420)
RESOLVED = f"""
[body]
trial_ms = {TRIAL_MS}
cue_ms = 20
go_ms = 370
vision_delay_ms = 60
"""


def write_run(directory, subjects, rest=2.0, movement=6.0, intervals=(10.0, 30.0),
              population="L23E", lesioned=(False,), sets=None, names=None,
              blocks=(BLOCK, TRIALS - BLOCK)):
    """A run whose subject k (of each group, with the same seeds) has cells of the cortex that fire
    at rest + k and movement + 2k Hz in the windows (ten times that after a lesion), and at 99 Hz
    outside and in other trials. One cell has `intervals` in turn, another too few spikes, and both
    fire at random in the first trial. Leaves a behaviour.nc that is there. `sets`: what
    each group has of its own beside a lesion."""
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    planned = ", ".join(f"{{trials = {trials}}}" for trials in blocks)
    text = RESOLVED + f"[schedules.short]\nblocks = [{planned}]\n"
    for index, lesion in enumerate(lesioned):
        name = names[index] if names else f"g{index}"
        text += f'[[group]]\nname = "{name}"\nsubjects = {subjects}\nschedule = "short"\n'
        text += "[group.set]\n" + "brain.cerebellum.lesion = 0.5\n" * lesion
        text += f"{sets[index]}\n" if sets else ""
    (directory / "resolved.toml").write_text(text)
    members = [(g, k) for g in range(len(lesioned)) for k in range(subjects)]

    def create(name):
        return netCDF4.Dataset(directory / name, "w", format="NETCDF3_64BIT_DATA")

    def put(file, name, kind, dimensions, values):
        for dimension, size in zip(dimensions, np.shape(values)):
            if dimension not in file.dimensions:
                file.createDimension(dimension, size)
        file.createVariable(name, kind, dimensions)[:] = values

    for name in ("behaviour.nc", "cortex.nc"):
        if (directory / name).exists():
            continue
        with create(name) as file:
            put(file, "subject", "i4", ("subject",), np.arange(len(members)))
            put(file, "group", "i4", ("subject",), [g for g, _ in members])
            put(file, "seed", "u8", ("subject",), [2**63 + k for _, k in members])
            if name == "behaviour.nc":
                continue
            file.bin_width_ms = BIN_MS
            end = np.arange(BIN_MS, TRIALS * TRIAL_MS + 1, BIN_MS, dtype=float)
            begin, trial = (end - BIN_MS) % TRIAL_MS, ((end - BIN_MS) // TRIAL_MS).astype(int)
            rate = np.full((len(end), len(members)), 99.0)
            counts = (trial > 0) & (trial < BLOCK)
            for column, (group, k) in enumerate(members):
                for (first, last), hz in ((REST_MS, rest + k), (MOVEMENT_MS, movement + 2 * k)):
                    inside = counts & (begin >= first) & (begin < last)
                    rate[inside, column] = hz * (10.0 if lesioned[group] else 1.0)
            put(file, "time", "f8", ("time",), end)
            put(file, "trial", "i4", ("time",), trial)
            put(file, f"rate_{population}", "f4", ("time", "subject"), rate)
    with create("cortex_spikes.nc") as file:
        turn = np.tile(intervals, 30)
        within = TRIAL_MS + 5 + np.cumsum(turn)
        outside = np.sort(np.random.default_rng(1).uniform(0, TRIAL_MS, 50))
        few = TRIAL_MS + np.array([1.0, 9.0, 600.0])
        time = np.r_[outside, outside, within, few]
        cell = np.r_[np.zeros(50), np.ones(50), np.zeros(len(within)), np.ones(len(few))]
        order = np.argsort(time, kind="stable")
        put(file, "time_ms", "f8", ("spike",), np.tile(time[order], len(members)))
        put(file, "cell", "u4", ("spike",), np.tile(cell[order], len(members)))
        put(file, "subject", "i4", ("spike",), np.repeat(np.arange(len(members)), len(time)))
        put(file, "population", "i4", ("spike",), np.zeros(len(time) * len(members)))
        file["population"].flag_meanings = population
    return directory


class FolderTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)

    def call(self, main, *arguments):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = main([str(a) for a in arguments])
        return code, out.getvalue()


class RatesTest(FolderTest):
    def row(self, directory):
        (row,) = rates.records(directory)
        return row

    def test_closed_form(self):
        row = self.row(write_run(self.root / "run", subjects=3))
        self.assertEqual((row["region"], row["population"], row["n"]), ("cortex", "L23E", 3))
        self.assertAlmostEqual(row["rest"], 3.0)  # 2, 3, 4
        self.assertAlmostEqual(row["rest_sem"], 1.0 / math.sqrt(3.0))
        self.assertAlmostEqual(row["movement"], 8.0)  # 6, 8, 10
        self.assertAlmostEqual(row["movement_sem"], 2.0 / math.sqrt(3.0))
        # 30 intervals of 30 ms and 29 of 10 between the 60 spikes, one of each at the start.
        turn = np.tile([10.0, 30.0], 30)[1:]
        self.assertAlmostEqual(row["cv"], np.std(turn) / np.mean(turn))
        self.assertEqual((row["rest_verdict"], row["movement_verdict"]), ("in", "in"))

    def test_comparison_bites(self):
        row = self.row(write_run(self.root / "run", subjects=3, rest=9.0, intervals=(20.0, 20.0)))
        self.assertEqual((row["rest_verdict"], row["movement_verdict"]), ("out", "in"))
        self.assertAlmostEqual(row["cv"], 0.0)

    def test_shipped_brain_and_seeds_count_once(self):
        intact = self.row(write_run(self.root / "a", subjects=2, lesioned=(False, True, False)))
        self.assertEqual((intact["n"], intact["rest"], intact["groups"]), (2, 2.5, "g0 g2"))
        changed = self.row(write_run(self.root / "b", subjects=2, lesioned=(True,)))
        self.assertEqual(changed["rest"], 25.0)  # there is no other
        both = self.row(write_run(self.root / "c", subjects=2, lesioned=(True, True)))
        self.assertEqual(both["groups"], "g0")  # not a mean over two brains

    def test_groups_whose_subjects_differ_are_left_out(self):
        run = write_run(self.root / "run", subjects=2, lesioned=(False, False))
        self.assertEqual(self.row(run)["groups"], "g0 g1")
        with open(run / "resolved.toml", "a") as file:  # of the last group
            file.write("\n[group.vary.brain.cortex]\ngaba_a_factor = [0.5, 1.0]\n")
        self.assertEqual(self.row(run)["groups"], "g0")

    def test_groups_with_other_times_are_left_out(self):
        for key in sorted(rates.TIMES):
            run = write_run(self.root / key, subjects=2, lesioned=(False, False),
                            sets=("", f"body.{key} = 100"))
            self.assertEqual(self.row(run)["groups"], "g0")
        run = write_run(self.root / "all", subjects=2, sets=("body.go_ms = 400",))
        self.assertEqual(rates.records(run), [])
        run = write_run(self.root / "arm", subjects=2, sets=("body.arm.forearm_m = 0.3",))
        self.assertEqual(self.row(run)["groups"], "g0")

    def test_first_block_of_one_trial(self):
        run = write_run(self.root / "run", subjects=1, blocks=(1, TRIALS - 1))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual(rates.records(run), [])

    def test_without_a_reach_nothing_is_judged_in_movement(self):
        run = write_run(self.root / "run", subjects=2)
        reaching, path = self.row(run), run / "resolved.toml"
        path.write_text(path.read_text().replace("{trials = 3}", '{trials = 3, task = "rest"}'))
        resting = self.row(run)
        self.assertEqual(resting["rest"], reaching["rest"])
        self.assertIsNotNone(reaching["movement"])
        self.assertIsNone(resting["movement"])
        self.assertEqual(resting["movement_verdict"], "undefined")

    def test_run_without_a_trial(self):
        """A run that was stopped before its first trial is not a damaged one."""
        run = write_run(self.root / "run", subjects=1)
        (run / "behaviour.nc").unlink()
        with netCDF4.Dataset(run / "behaviour.nc", "w", format="NETCDF3_64BIT_DATA") as file:
            file.createDimension("trial", None)
            file.createVariable("reward", "f8", ("trial",))
        with self.assertRaisesRegex(behaviour.BadInput, "holds no trial yet; wait, or resume"):
            rates.measure(run)

    def test_population_without_a_range(self):
        row = self.row(write_run(self.root / "run", subjects=1, population="PMd"))
        self.assertEqual((row["rest_verdict"], row["rest_low"]), ("no range", None))
        self.assertIsNone(row["rest_sem"])
        self.assertIsNone(json.loads(json.dumps(row))["rest_low"])

    def test_run_without_rates(self):
        self.assertEqual(rates.records(self.root), [])

    def test_part_of_the_score(self):
        groups = ["abrupt_intact", "abrupt_cerebellar"]
        run = analysis_test.write_run(self.root, groups=groups, shared_seeds=True)
        write_run(run, subjects=4, lesioned=(False, True), names=groups, blocks=(BLOCK, 161))
        code, out = self.call(score.main, run)
        self.assertEqual(code, 0)
        self.assertIn("judged targets are in their band", out)
        self.assertIn("of n = 4 subjects (record.rate_subjects) of abrupt_intact; groups", out)
        self.assertRegex(out, r"cortex\.L23E +0\.5 to 3 +u +3\.5 ± 0\.65 +out +0\.5 to 8 +9 ± 1\.3 "
                              r"+out ")
        self.assertIn("0 of 2 judged rates are in their range", out.splitlines()[-4])
        self.assertEqual(len((run / "rates.csv").read_text().splitlines()), 2)
        (document,) = json.loads(self.call(score.main, run, "--json")[1])["runs"]
        self.assertEqual(document["rate_counts"]["out"], 2)
        self.assertEqual(document["rates"][0]["rest"], 3.5)

    def test_known_deviations_are_marked_on_their_side(self):
        row = {"rest_verdict": "out", "rest_high": 3.0, "rest_known": 6.7}
        for rest, changes, cell in ((9.0, {}, "out (known)"), (0.1, {}, "out"),
                                    (9.0, {"rest_known": None}, "out"),
                                    (2.0, {"rest_verdict": "in"}, "in")):
            self.assertEqual(rates._cell(row | changes | {"rest": rest}, "rest"), cell)

    def test_one_subject_has_no_sem(self):
        rows = rates.records(write_run(self.root / "run", subjects=1))
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            rates.print_table(rows)
        self.assertIn("n = 1 subject (", out.getvalue())
        self.assertNotIn("SEM", out.getvalue())

    def test_truncated_file_is_refused(self):
        path = write_run(self.root / "run", subjects=1) / "cortex.nc"
        whole = path.read_bytes()
        path.write_bytes(whole[:5000])
        with self.assertRaisesRegex(behaviour.BadInput, f"5000 of {len(whole)} bytes"):
            rates.records(path.parent)

    def test_missing_file_is_said(self):
        run = write_run(self.root / "run", subjects=1)
        (run / "resolved.toml").unlink()
        with self.assertRaisesRegex(behaviour.BadInput, "no resolved.toml; name the directory"):
            rates.records(run)

    def test_ranges_are_complete(self):
        with open(rates.RANGES, "rb") as file:
            rows = tomllib.load(file)["population"]
        self.assertEqual(len(rows), len(rates.ranges()))
        for row in rows:
            self.assertTrue(row["source"], row["name"])
            self.assertIn(row["name"].partition(".")[0], rates.REGIONS)
            self.assertEqual("rest" in row, "movement" in row, row["name"])
            self.assertEqual("rest" in row, row["basis"] in ("published", "judged", "unchecked"))
            self.assertEqual("unchecked" in row["source"], row["basis"] == "unchecked", row["name"])
            self.assertEqual("rest" in row, row["basis"] != "none", row["name"])
            for key in ("rest", "movement"):
                if key in row:
                    low, high = row[key]
                    self.assertLess(low, high)
                    self.assertFalse(low <= row.get(f"known_{key}", -1) <= high, row["name"])


class ScalingTest(FolderTest):
    def scales(self, **changes):
        """Runs at scale .5 (with changes), 1 and 2."""
        for scale in ("0.5", "1", "2"):
            run = write_run(self.root / f"scale_{scale}", subjects=2,
                            **(changes if scale == "0.5" else {}))
            (run / "traffic.csv").touch()
        return self.root

    def program(self, simulate):
        """A program that notes its calls, finds FILE good but at scale 0.1, and runs `simulate`."""
        path = self.root / "program"
        path.write_text(
            f"#!/bin/sh\necho \"$*\" >> {self.root}/calls\n"
            "if [ $1 = validate ]; then\n"
            "  [ $5 = brain.scale=0.1 ] && { echo \"--set $5: out of range\" >&2; exit 2; }\n"
            f"  echo '# Digest: abc'; exit 0\nfi\n{simulate}\n")
        path.chmod(0o755)
        return path

    def calls(self):
        text = (self.root / "calls").read_text() if (self.root / "calls").exists() else ""
        return [line for line in text.splitlines() if not line.startswith("validate")]

    def refusal(self, *arguments):
        error = io.StringIO()
        with contextlib.redirect_stderr(error):
            code, out = self.call(scaling.main, self.root, *arguments)
        self.assertEqual((code, out), (2, ""))
        self.assertEqual(self.calls(), [])
        return error.getvalue()

    def verdicts(self):
        rows = scaling.records({s: self.root / f"scale_{s:g}" for s in (0.5, 1.0, 2.0)})
        return {(row["quantity"], row["scale"]): (row["change"], row["verdict"]) for row in rows}

    def test_same_rates_are_in(self):
        self.scales()
        verdicts = self.verdicts()
        self.assertEqual(len(verdicts), 6)
        for (quantity, _), (change, verdict) in verdicts.items():
            self.assertAlmostEqual(change, 0.0 if quantity == "cv" else 1.0)
            self.assertEqual(verdict, "in")

    def test_limits(self):
        self.scales(rest=2.4, movement=8.5, intervals=(10.0, 10.0))
        verdicts = self.verdicts()
        self.assertAlmostEqual(verdicts["rest", 0.5][0], 2.9 / 2.5, places=6)
        self.assertEqual(verdicts["rest", 0.5][1], "in")
        self.assertAlmostEqual(verdicts["movement", 0.5][0], 9.5 / 7.0, places=6)
        self.assertEqual(verdicts["movement", 0.5][1], "out")
        self.assertEqual(verdicts["cv", 0.5][1], "out")
        self.assertEqual(verdicts["movement", 2.0][1], "in")

    def test_silent_population_is_not_judged(self):
        for scale in ("0.5", "1", "2"):
            write_run(self.root / f"scale_{scale}", subjects=1, rest=0.01 * float(scale))
        self.assertEqual(self.verdicts()["rest", 0.5], (None, "silent"))

    def test_command(self):
        root = self.scales(movement=9.0)
        for arguments, code in (([], 0), (["--strict"], 1)):
            got, out = self.call(scaling.main, root, "--program", "true", *arguments)
            self.assertEqual(got, code)
            self.assertRegex(out, r"cortex\.L23E .*1\.43.* out")
            self.assertIn("5 of 6 judged changes", out)
        self.assertEqual(len((root / "scaling.csv").read_text().splitlines()), 7)

    def test_bad_flags_are_refused_before_any_run(self):
        program = self.program("exit 1")
        for flags, text in ((("--scales", "x"), "--scales: could not convert string to float: 'x'"),
                            (("--scales", "2", "0.1"), "--scales 0.1: out of range"),
                            (("--scales", "1"), "--scales: nothing to compare with scale 1"),
                            (("--ranks", "0"), "--ranks 0: a run needs at least one")):
            self.assertIn(f"scaling.py: {text}", self.refusal("--program", program, *flags))

    def test_unfinished_run_is_resumed(self):
        root = self.scales()
        for run in root.glob("scale_*"):
            with open(run / "resolved.toml", "a") as file:
                file.write("# Digest: abc")
        (root / "scale_1" / "traffic.csv").unlink()
        error = io.StringIO()
        program = self.program("echo 'not as the file in full: x'; echo half; touch $2/traffic.csv")
        with contextlib.redirect_stderr(error):
            code, _ = self.call(scaling.main, root, "--program", program)
        self.assertEqual((code, error.getvalue()), (0, "scale 1: half\n"))
        self.assertEqual(self.calls(), [f"resume {root}/scale_1 --ranks 4"])

    def test_run_of_another_experiment_is_refused(self):
        self.scales()  # without a digest
        self.assertRegex(self.refusal("--program", self.program("exit 1")),
                         r"scale_0\.5: was made with other flags, or from another .*scaling\.toml \(scale 0\.5\)")

    def test_signals_are_handed_on(self):
        program = self.program(f"trap 'exit 75' INT TERM USR1; touch {self.root}/ready\n"
                               "while :; do sleep 0.05; done")
        for number in simulations.STOP_SIGNALS:
            (self.root / "ready").unlink(missing_ok=True)
            process = subprocess.Popen(
                ["/usr/bin/python3", scaling.__file__, self.root / "runs", "--program", program],
                stderr=subprocess.PIPE, text=True)
            until = time.monotonic() + 30
            while not (self.root / "ready").exists() and time.monotonic() < until:
                time.sleep(0.05)
            process.send_signal(number)
            error = process.communicate()[1]
            self.assertEqual(process.returncode, 75)
            self.assertEqual(error, "scaling.py: stopped; the same command continues\n")

    def test_failing_run_is_said(self):
        error = io.StringIO()
        with contextlib.redirect_stderr(error):
            code, _ = self.call(scaling.main, self.root, "--program", self.program("exit 3"))
        self.assertEqual(code, 1)
        self.assertRegex(error.getvalue(), r"program run` failed with exit code 3; the same ")


if __name__ == "__main__":
    unittest.main()
