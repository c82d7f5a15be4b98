"""Tests of runs/analysis: synthetic runs with known effects must give their closed-form scores.

Run by CTest as `/usr/bin/python3 analysis_test.py`.
"""

import contextlib
import dataclasses
import io
import json
import math
import pathlib
import re
import subprocess
import sys
import tempfile
import tomllib
import unittest
import warnings
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import behaviour
import netcdf
import plot
import readouts
import sheet_readouts
import score
import simulations
import summary
import table
from targets import TARGETS, load_targets

COLUMNS = (
    "target_angle", "rotation", "angle_third", "angle_end", "cursor_angle", "error", "reward",
    "reward_prediction_error", "olive_rate", "dopamine", "aim_angle", "vl_rate_toward",
    "felt_angle",
)
SPREAD = 0.1  # subject k of n compensates (1 + SPREAD * (k - (n - 1) / 2)) times the mean

# Compensation as a fraction of the rotation, by brain.
ABRUPT = {"intact": 1.0, "cerebellar": 0.5, "depleted": 0.96}
FULL = {"intact": 0.95, "cerebellar": 0.70, "depleted": 0.90}
REWARD = {"intact": 0.90, "cerebellar": 0.80, "depleted": 0.30}
EARLY, LATE, REVERSED, REBOUND = 0.6, 0.9, -0.4, 0.25  # phases of the abrupt schedule
LABELS = ("aligned", "rotated", "reversed", "clamp")
FELT = {"abrupt": 0.2, "full": 0.2, "reward": 0.02}  # shift of the felt hand as a fraction of the rotation
IMPLICIT = 0.6  # share of the compensation that is not in the aim


def abrupt_schedule(learning=100):
    rotation = np.r_[np.zeros(32), np.full(learning, 30.0), np.full(12, -30.0), np.zeros(20)]
    block = np.repeat([0, 1, 2, 3], [32, learning, 12, 20])
    fraction = np.r_[
        np.zeros(32), np.full(12, EARLY), np.full(learning - 12, LATE), np.full(12, REVERSED),
        np.full(20, REBOUND),
    ]
    return block, rotation, fraction * 30.0


def gradual_schedule(step=40):
    rotation = np.r_[np.zeros(40), np.repeat(np.arange(1.0, 9.0), step)]
    return np.r_[np.zeros(40, int), np.ones(8 * step, int)], rotation, rotation


def alternating(trials):
    return np.where(np.arange(trials) % 2 == 0, 1.0, -1.0)


def subject_columns(condition, brain, gain, sign, step, learning, reward_noise, rng=None):
    """All columns of one subject; angles without random noise unless `rng` is given."""
    abrupt = condition == "abrupt"
    block, rotation, full = abrupt_schedule(learning) if abrupt else gradual_schedule(step)
    n = len(block)
    level = {"abrupt": ABRUPT, "full": FULL, "reward": REWARD}[condition].get(brain, 1.0)
    compensation = full * level * gain
    # Outcomes in fours (failure, failure, reward, reward), so that every window is balanced.
    reward = np.array([0.0, 0.0, 1.0, 1.0])[np.arange(n) % 4]
    wiggle = alternating(n)
    if condition == "reward":
        # Spread 3 after a failure, 1 after a reward (less where dopamine is missing).
        after_failure = np.r_[False, reward[:-1] == 0.0]
        rise = reward_noise[brain]
        wiggle *= np.where(after_failure & (rotation != 0.0), 1.0 + rise, 1.0)
        wiggle[:40] *= 3.0 if brain == "cerebellar" else 2.0
    elif condition == "full":
        wiggle *= math.sqrt(5.0) / 2.0
    else:
        wiggle *= 4.0
    bias = 2.0 + gain
    angle = bias - sign * compensation + wiggle
    if rng is not None:
        angle = angle + rng.normal(0.0, 2.5, n)
    error_signal = np.zeros(n)
    start = np.flatnonzero(rotation)[0]
    error_signal[start : start + 12] = 2.0
    return {
        "block": block,
        "target_angle": np.full(n, 90.0),
        "rotation": sign * rotation,
        "angle_third": angle,
        "angle_end": angle,
        "cursor_angle": angle + sign * rotation,
        "error": angle + sign * rotation,
        "reward": reward,
        "reward_prediction_error": reward - 0.5,
        "olive_rate": 1.0 + error_signal,
        "dopamine": np.where(reward > 0, 8.0, 3.0),
        "aim_angle": bias - sign * compensation * (1.0 - IMPLICIT),
        "vl_rate_toward": 20.0 + sign * compensation,
        "felt_angle": angle + FELT[condition] * gain * sign * rotation,
    }


def write_run(directory, subjects=4, learning=100, step=40, omit=(), groups=None, cut="",
              change=None, names="subject", rng=None, title="Two teachers", shared_seeds=False):
    """Writes behaviour.nc and resolved.toml into `directory`; `change(group, columns)` may edit a
    subject's columns: what it cuts off is planned all the same.

    `shared_seeds`: subject k has the same seed in every group, as in real runs.

    Half of the subjects turn the other way, so a forgotten sign shows.
    """
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    groups = groups or [f"{c}_{b}" for c in ("full", "reward", "abrupt") for b in ABRUPT]
    reward_noise = {"intact": 2.0, "cerebellar": 2.0, "depleted": 0.5}
    rows, group_index = [], []
    resolved = "[brain]\nscale = 0.25\n"
    for index, group in enumerate(groups):
        condition, _, brain = group.rpartition("_")
        for k in range(subjects):
            gain = 1.0 + SPREAD * (k - (subjects - 1) / 2.0)
            columns = subject_columns(condition, brain, gain, 1.0 if k % 2 else -1.0, step,
                                      learning, reward_noise, rng)
            if k == 0:
                counts = zip(LABELS, np.bincount(columns["block"]))
                blocks = ", ".join(f'{{phase = "{p}", trials = {n}}}' for p, n in counts)
                resolved += (f'[schedules.s{index}]\nblocks = [{blocks}]\n'
                             f'[[group]]\nname = "{group}"\nschedule = "s{index}"\n')
            if change:
                change(group, columns)
            rows.append(columns)
            group_index.append(index)
    (directory / "resolved.toml").write_text(resolved)
    trials = max(len(r["block"]) for r in rows)
    with netCDF4.Dataset(directory / "behaviour.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.title, file.cut = title, cut
        file.createDimension("trial", None)
        file.createDimension("subject", len(rows))
        for name in ("block", *COLUMNS):
            if name in omit:
                continue
            kind, fill = ("i4", -1) if name == "block" else ("f8", np.nan)
            variable = file.createVariable(name, kind, ("trial", "subject"))
            if name in ("olive_rate", "dopamine", "reward_prediction_error", "vl_rate_toward"):
                variable.units = "Hz"
            values = np.full((trials, len(rows)), fill)
            for k, row in enumerate(rows):
                values[: len(row[name]), k] = row[name]
            variable[:] = values
        group = file.createVariable("group", "i4", ("subject",))
        group[:] = group_index
        seed = file.createVariable("seed", "u8", ("subject",))
        seed[:] = [2**63 + (k % subjects if shared_seeds else k) for k in range(len(rows))]
        if names == "flags":
            group.flag_meanings = " ".join(groups)
        elif "group_name" not in omit:
            file.createDimension("name_length", 32)
            texts = [groups[g] for g in group_index] if names == "subject" else groups
            if names == "group":
                file.createDimension("group", len(groups))
            variable = file.createVariable("group_name", "S1", (names, "name_length"))
            variable[:] = netCDF4.stringtochar(np.array(texts, "S32"))
    return directory


def mean_sem(level, subjects=4):
    """Mean and SEM of level * (1 + SPREAD * (k - mean k)): the variance of 0 … n-1 is n(n+1)/12."""
    return level, abs(level) * SPREAD * math.sqrt((subjects + 1) / 12.0)


def ratio_sem(first, second, subjects=4):
    """Of two independent groups with the same relative SEM."""
    relative = SPREAD * math.sqrt((subjects + 1) / 12.0)
    return first / second, first / second * relative * math.sqrt(2.0)


EXPECTED = {
    "A1": mean_sem(LATE),
    "A2": mean_sem(EARLY),
    "A3": mean_sem(REVERSED),
    "A4": mean_sem(REBOUND * 30.0),
    "A5": (REBOUND / LATE, 0.0),  # every subject has the same ratio
    "A6": (4.0 * math.sqrt(32 / 31), 0.0),
    "IZ_ERR": mean_sem(0.95),
    "IZ_RWD": mean_sem(0.90),
    "IZ_SD_ratio": (2.0, 0.0),
    "PEK_FAIL": None,  # see test_spread_after_failure
    "PEK_DA": None,
    "F_A1Early_ratio": ratio_sem(0.5, 1.0),
    "F_A1Late_ratio": ratio_sem(0.5, 1.0),
    "F_IMPLICIT": ratio_sem(0.5, 1.0),
    "CB_GRADUAL": ratio_sem(0.70, 0.95),
    "CB_RWD": ratio_sem(0.80, 0.90),
    "CB_NOISE": (1.5, 0.0),
    "DA_ERR": ratio_sem(0.90, 0.95),
    "DA_ABRUPT": ratio_sem(0.96, 1.0),
    "DA_RWD": ratio_sem(0.30, 0.90),
    "CS_ERR": (2.0, 0.0),
    "SNC_RWD": (5.0, 0.0),
    "REMAP_ERR": None,  # depends on the window over the ramp: see test_implicit_share
    "REMAP_RWD": None,
    "FELT_ERR": mean_sem(FELT["abrupt"] * 30.0),
    "FELT_RWD": ratio_sem(FELT["reward"], FELT["full"]),
}


class AnalysisTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(plot.plt.close, "all")
        self.root = pathlib.Path(temporary.name)

    def results(self, directory):
        return {r.target["id"]: r for r in score.score([directory])[1]}

    def call(self, main, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main([str(a) for a in arguments])
            except SystemExit as stop:
                code = stop.code
        return code, out.getvalue(), err.getvalue()

    def mismatches(self, results):
        wrong = []
        for name, expected in EXPECTED.items():
            if expected is None:
                continue
            got = (results[name].mean, results[name].sem)
            if not np.allclose(got, expected, rtol=1e-9, atol=1e-9):
                wrong.append(f"{name}: {got} instead of {expected}")
        return wrong


class ScoreTest(AnalysisTest):
    def test_closed_form(self):
        results = self.results(write_run(self.root))
        run = {name: r for name, r in results.items() if r.verdict != "not run"}
        self.assertEqual(set(run), set(EXPECTED))
        self.assertEqual(self.mismatches(results), [])
        self.assertEqual({r.n for r in run.values()}, {"4", "4 / 4", "4 pairs"})
        self.assertEqual(results["F_A1Late_ratio"].n, "4 / 4")
        self.assertEqual(results["A5"].n, "4 pairs")

    def test_same_seeds_are_paired(self):
        """Every subject keeps the same share, so the ratio has no error; unpaired it has one."""
        results = self.results(write_run(self.root / "paired", shared_seeds=True))
        self.assertEqual(results["F_A1Late_ratio"].n, "4 pairs")
        self.assertAlmostEqual(results["F_A1Late_ratio"].mean, 0.5)
        self.assertAlmostEqual(results["F_A1Late_ratio"].sem, 0.0)

        # An own error d_k of the lesioned subjects shows undiminished: SEM of d over the mean.
        own = iter([0.3, -0.3, -0.3, 0.3])

        def change(group, columns):
            if group == "abrupt_cerebellar":
                rotated = columns["rotation"] != 0.0
                sign = -np.sign(columns["rotation"][rotated][0])
                columns["angle_third"][rotated] += sign * 30.0 * next(own)

        results = self.results(write_run(self.root / "own", shared_seeds=True, change=change))
        self.assertAlmostEqual(results["F_A1Late_ratio"].mean, 0.5)
        self.assertAlmostEqual(results["F_A1Late_ratio"].sem, 0.3 / math.sqrt(3.0) / LATE)

    def test_an_unfinished_subject_leaves_the_others_paired(self):
        started = iter(range(100))

        def change(group, columns):
            if (group, next(started)) == ("abrupt_cerebellar", 5):  # the second of the second group
                columns.update({name: values[:50] for name, values in columns.items()})

        result = self.results(write_run(self.root, shared_seeds=True, change=change,
                                        groups=["abrupt_intact", "abrupt_cerebellar"]))["F_A1Late_ratio"]
        self.assertEqual(result.n, "3 pairs")
        self.assertAlmostEqual(result.mean, 0.5)  # not half of those that have no partner, too
        self.assertAlmostEqual(result.sem, 0.0)

    def test_closed_form_in_shortened_blocks(self):
        results = self.results(write_run(self.root, learning=60, step=16))
        wrong = self.mismatches(results)
        self.assertEqual(wrong, [])

    def test_comparison_bites(self):
        def weaken(group, columns):
            if group == "abrupt_intact":
                learning = columns["rotation"] != 0
                columns["angle_third"][learning] *= 0.7

        intact = self.results(write_run(self.root / "intact"))
        weak = self.results(write_run(self.root / "weak", change=weaken))
        wrong = self.mismatches(weak)
        for name in ("A1", "A2", "A3", "A5", "F_A1Late_ratio", "DA_ABRUPT"):
            self.assertTrue(any(w.startswith(f"{name}:") for w in wrong), name)
        self.assertFalse(any(w.startswith("IZ_") for w in wrong), wrong)
        self.assertEqual(intact["A1"].verdict, "in")
        self.assertEqual(weak["A1"].verdict, "out")

    def test_every_column_that_is_read_matters(self):
        """Adding a ramp over trials to a column changes a score: none is read for nothing."""
        for name in sorted(readouts.COLUMNS):
            def change(group, columns, name=name):
                columns[name] = columns[name] + np.arange(len(columns[name])) * 0.05

            results = self.results(write_run(self.root / name, change=change))
            if name == "aim_angle":
                self.assertNotAlmostEqual(results["REMAP_ERR"].mean, IMPLICIT * 0.95 * 7.6)
            else:
                self.assertNotEqual(self.mismatches(results), [], name)

    def test_implicit_share(self):
        # Late trials are the last 64 of 320: 24 at 7 degrees, 40 at 8.
        results = self.results(write_run(self.root))
        late = (24 * 7.0 + 40 * 8.0) / 64
        self.assertAlmostEqual(results["REMAP_ERR"].mean, IMPLICIT * 0.95 * late)
        self.assertAlmostEqual(results["REMAP_RWD"].mean, IMPLICIT * 0.90 * late)
        self.assertEqual(results["REMAP_ERR"].verdict, "no human value")

    def test_spread_after_failure(self):
        """Deviations of alternating signs: 1 after a reward, 1 + rise after a failure."""
        def surprise(rise, periods):
            a, b = 1.0, 1.0 + rise
            k = (periods * (a + b) ** 2 - a**2) / (2 * periods * (a**2 + b**2) - a**2)
            failure = [b - k * a, -(b - k * b)] * periods
            reward = [a - k * b] * periods + [-(a - k * a)] * (periods - 1)
            return np.std(failure, ddof=1) - np.std(reward, ddof=1)

        for step in (40, 16):
            results = self.results(write_run(self.root / str(step), step=step))
            periods = 8 * step // 4
            self.assertAlmostEqual(results["PEK_FAIL"].mean, surprise(2.0, periods))
            self.assertAlmostEqual(results["PEK_DA"].mean,
                                   surprise(2.0, periods) - surprise(0.5, periods))

    def test_a_correction_is_no_rise_after_failure(self):
        """What every failure is followed by alike is no spread."""
        def change(group, columns):
            rng = np.random.default_rng(3)
            trials = np.flatnonzero(columns["rotation"])
            columns["reward"][trials] = rng.random(len(trials)) < 0.8
            after = np.r_[False, columns["reward"][trials][:-1] == 0.0]
            columns["angle_end"][trials] = rng.normal(0.0, 1.0, len(trials)) + 5.0 * after

        results = self.results(write_run(self.root, step=64, change=change))
        self.assertLess(abs(results["PEK_FAIL"].mean), 0.3)

    def test_wandering_is_no_rise_after_failure(self):
        """Reaches far out fail; what follows them varies as much as anything else."""
        def wander(rise):
            rng = np.random.default_rng(7)

            def change(group, columns):
                deviation, spread = 0.0, 1.0
                for trial in np.flatnonzero(columns["rotation"]):
                    deviation = 0.7 * deviation + rng.normal(0.0, spread)
                    columns["angle_end"][trial] = deviation
                    columns["reward"][trial] = float(abs(deviation) < 1.2)
                    spread = 1.0 + rise * (columns["reward"][trial] == 0.0)

            return change

        for name, rise in (("null", 0.0), ("rise", 1.0)):
            run = write_run(self.root / name, change=wander(rise), subjects=8)
            result = self.results(run)["PEK_FAIL"]
            self.assertLess(abs(result.mean - rise), 0.15, name)

    def test_what_is_changed_is_not_left_out(self):
        for cut, extent in (("", "the whole experiment"),
                            ("3 subjects", "not the whole experiment: 3 subjects"),
                            ("other than in the file: seed 5",
                             "the whole experiment; other than in the file: seed 5")):
            run = write_run(self.root / str(len(cut)), cut=cut, groups=["abrupt_intact"])
            self.assertEqual(behaviour.read(run, readouts.COLUMNS).extent, extent)

    def test_random_angles_do_not_cut_phases(self):
        """What was planned tells the phases apart, not the angle that chance added to it."""
        rng = np.random.default_rng(3)

        def change(group, columns):
            turned = columns["rotation"] != 0
            columns["rotation"] = columns["rotation"] + 25.0 * turned * rng.normal(size=turned.size)

        run = write_run(self.root, groups=["abrupt_intact"], change=change, subjects=1)
        text = (run / "resolved.toml").read_text()
        keys = "rotation_noise_deg = 25, rotation_end_deg = 0, steps = 0"
        for label, angle in (("rotated", -30), ("reversed", 30)):
            text = text.replace(f'{{phase = "{label}"',
                                f'{{{keys}, perturbation = "rotation", rotation_deg = {angle}, '
                                f'phase = "{label}"')
        (run / "resolved.toml").write_text(text)
        subject = behaviour.read(run, readouts.COLUMNS).groups["abrupt_intact"].subjects[0]
        self.assertEqual([len(subject.phases[p]) for p in behaviour.PHASES], [32, 100, 12, 20])
        self.assertEqual(subject.rotation, -30.0)
        self.assertAlmostEqual(readouts.late_fraction(subject), LATE)

    def test_random_signs_do_not_cut_phases(self):
        rng = np.random.default_rng(3)

        def change(group, columns):
            columns["rotation"] = columns["rotation"] * rng.choice([-1, 1], len(columns["rotation"]))

        run = write_run(self.root, groups=["abrupt_intact"], change=change, subjects=1)
        text = (run / "resolved.toml").read_text()
        for label, angle in (("rotated", -30), ("reversed", 30)):
            text = text.replace(f'{{phase = "{label}"',
                                '{rotation_sign = "random", rotation_end_deg = 0, steps = 0, '
                                f'perturbation = "rotation", rotation_deg = {angle}, '
                                f'phase = "{label}"')
        (run / "resolved.toml").write_text(text)
        subject = behaviour.read(run, readouts.COLUMNS).groups["abrupt_intact"].subjects[0]
        self.assertEqual([len(subject.phases[p]) for p in behaviour.PHASES], [32, 100, 12, 20])

    def test_statistics_are_over_subjects(self):
        two, eight = (self.results(write_run(self.root / str(n), subjects=n)) for n in (2, 8))
        self.assertAlmostEqual(two["A1"].sem, mean_sem(LATE, 2)[1])
        self.assertAlmostEqual(eight["A1"].sem, mean_sem(LATE, 8)[1])
        one = self.results(write_run(self.root / "1", subjects=1))
        self.assertAlmostEqual(one["A1"].mean, LATE)
        self.assertTrue(math.isnan(one["A1"].sem))

    def test_missing_reaches_are_left_out(self):
        def drop(group, columns):
            columns["angle_third"][[5, 6, 130, 131]] = np.nan  # two of the baseline, two late ones

        results = self.results(write_run(self.root, change=drop))
        self.assertAlmostEqual(results["A1"].mean, LATE)

    def test_angles_from_rightward_or_from_the_target(self):
        def several_targets(offset):
            def change(group, columns):
                n = len(columns["block"])
                columns["target_angle"] = np.array([45.0, 175.0])[(np.arange(n) // 2) % 2]
                for name in ("angle_third", "angle_end", "aim_angle"):
                    absolute = columns[name] + offset * columns["target_angle"]
                    columns[name] = (absolute + 180.0) % 360.0 - 180.0
            return change

        for offset in (0.0, 1.0):
            run = write_run(self.root / str(offset), change=several_targets(offset))
            results = self.results(run)
            for name in ("A1", "A2", "A3", "IZ_ERR", "DA_RWD"):
                self.assertAlmostEqual(results[name].mean, EXPECTED[name][0], msg=name)

    def test_baseline_spread_of_several_targets(self):
        """About the mean of each target: 32 trials to k targets leave 32 - k degrees of freedom."""
        def to(targets, leave=lambda n: slice(0)):
            def change(group, columns):
                n = len(columns["block"])
                columns["target_angle"] = 360.0 / targets * (np.arange(n) // 2 % targets)
                if targets > 16:
                    columns["target_angle"] = 360.0 / targets * (np.arange(n) % targets)
                columns["angle_third"][leave(n)] = np.nan
            return change

        for targets in (1, 2, 8, 16):
            run = write_run(self.root / str(targets), groups=["abrupt_intact"], change=to(targets))
            result = self.results(run)["A6"]
            self.assertAlmostEqual(result.mean, 4.0 * math.sqrt(32 / (32 - targets)))
        # One trial per target says nothing about spread, nor does one pair.
        for name, change in (("one", to(32)), ("pair", to(16, lambda n: slice(3, 32, 2)))):
            run = write_run(self.root / name, groups=["abrupt_intact"], change=change)
            self.assertEqual(self.results(run)["A6"].verdict, "undefined: too few trials", name)

    def test_group_names_in_each_form(self):
        for names in ("subject", "group", "flags"):
            results = self.results(write_run(self.root / names, names=names))
            self.assertEqual(self.mismatches(results), [], names)

    def test_missing_group_is_said(self):
        results = self.results(write_run(self.root, groups=["abrupt_intact"]))
        self.assertEqual(results["A1"].verdict, "in")
        self.assertEqual(results["DA_RWD"].verdict, "not run")
        self.assertEqual(results["F_A1Late_ratio"].verdict, "not run: abrupt_cerebellar")

    def test_run_in_progress_counts_finished_subjects(self):
        started = iter(range(100))

        def change(group, columns):
            done = {0: None, 1: None, 2: 50}.get(next(started), 0)  # two, a part of one, none
            for name in columns:
                columns[name] = columns[name][:done]

        run = write_run(self.root, groups=["abrupt_intact", "abrupt_depleted"], change=change)
        results = self.results(run)
        self.assertEqual(results["A1"].n, "2")
        self.assertAlmostEqual(results["A1"].mean, LATE * (1.0 - SPREAD))  # gains .85 and .95
        self.assertEqual(results["DA_ABRUPT"].verdict, "not run: abrupt_depleted")
        self.assertEqual(score.score([run])[0][0].cut, "only 2 of 8 subjects finished so far")
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file.cut = "other than in the file: seed 5"
        self.assertEqual(behaviour.read(run, readouts.COLUMNS).extent, "not the whole experiment: only 2 of 8 "
                         "subjects finished so far; other than in the file: seed 5")

    def test_unfinished_runs_are_left_out_of_several(self):
        write_run(self.root / "card" / "done", groups=["abrupt_intact"])
        write_run(self.root / "card" / "begun", groups=["full_intact"], change=lambda group, columns:
                  columns.update({name: values[:9] for name, values in columns.items()}))
        code, out, err = self.call(score.main, self.root / "card")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"A1 .* in")
        self.assertRegex(err, r"score.py: left out: .*begun/behaviour.nc: no subject has finished yet")

    def test_completeness_is_what_was_planned(self):
        def cut(trials):
            return lambda group, columns: columns.update(
                {name: values[:trials] for name, values in columns.items()})

        # All stopped at the same trial: none is finished, though all are alike.
        run = write_run(self.root / "half", groups=["abrupt_intact"], change=cut(150))
        with self.assertRaisesRegex(behaviour.BadInput, "no subject has finished yet"):
            score.score([run])
        # Finished groups of one condition with schedules of their own.
        run = write_run(self.root / "own", groups=["abrupt_intact", "abrupt_depleted"],
                        change=lambda g, c: g == "abrupt_depleted" and cut(150)(g, c))
        plan = (run / "resolved.toml").read_text()
        head, _, tail = plan.rpartition("trials = 20")
        (run / "resolved.toml").write_text(f"{head}trials = 6{tail}")
        read = behaviour.read(run, {"angle_third"})
        self.assertEqual((list(read.groups), read.extent),
                         (["abrupt_intact", "abrupt_depleted"], "the whole experiment"))

        # Without a plan the file is taken as it is.
        (run / "resolved.toml").unlink()
        read = behaviour.read(run, {"angle_third"})
        self.assertEqual(sum(len(group.subjects) for group in read.groups.values()), 8)
        self.assertIn("taken as it is: there is no resolved.toml", self.call(score.main, run)[1])
        # A plan of another run, and a damaged one.
        for text, problem in ((plan.replace("trials = 32", "trials = 2"), "164 trials, but 134 by"),
                              (plan.replace("abrupt_intact", "x"), "has 164 trials, but 0 by"),
                              (plan[:40], "resolved.toml: damaged"), ("x", "toml: damaged")):
            (run / "resolved.toml").write_text(text)
            code, _, err = self.call(score.main, run)
            self.assertEqual(code, 2)
            self.assertIn(problem, err)

    def test_phases_by_label(self):
        run = write_run(self.root, groups=["abrupt_intact", "full_intact"])
        groups = behaviour.read(run, {"angle_third"}).groups
        labels = {name: [(label, found[0], found[-1])
                         for label, found in group.subjects[0].labels.items()]
                  for name, group in groups.items()}
        self.assertEqual(labels["abrupt_intact"], [("aligned", 0, 31), ("rotated", 32, 131),
                                                   ("reversed", 132, 143), ("clamp", 144, 163)])
        self.assertEqual(labels["full_intact"], [("aligned", 0, 39), ("rotated", 40, 359)])
        # Blocks that share a label are one phase.
        path = run / "resolved.toml"
        path.write_text(path.read_text().replace('"clamp"', '"rotated"'))
        found = behaviour.read(run, {"angle_third"}).groups["abrupt_intact"].subjects[0].labels
        self.assertEqual(found["rotated"].tolist(), [*range(32, 132), *range(144, 164)])
        path.unlink()
        subject = behaviour.read(run, {"angle_third"}).groups["abrupt_intact"].subjects[0]
        self.assertEqual(subject.labels, {})

    def test_ratio_to_no_learning_is_undefined(self):
        def no_learning(group, columns):
            if group == "reward_intact":
                columns["angle_end"] = alternating(len(columns["block"]))

        results = self.results(write_run(self.root, change=no_learning))
        self.assertRegex(results["DA_RWD"].verdict, r"\Aundefined: reward_intact is not reliably above "
                                                    r"zero \(-?[\d.e-]+ ± [\d.e-]+\)\Z")
        self.assertEqual(results["IZ_RWD"].verdict, "out")

    def test_a_sign_must_be_told_from_zero(self):
        nan = math.nan
        for band, mean, sem, verdict in (
                ([0.0, math.inf], 0.5, 0.4, "in"), ([0.0, math.inf], 0.5, 0.6, "out"),
                ([0.0, math.inf], -0.5, 0.4, "out"), ([-math.inf, 0.0], -0.5, 0.4, "in"),
                ([0.0, math.inf], 0.0, 0.0, "out"), ([0.0, math.inf], 0.5, nan, "in"),
                ([0.1, math.inf], 0.2, 0.4, "in"), ([0.0, 0.2], 0.1, 0.4, "in"), ([0.0, 0.2], 0.0, 0.0, "in")):
            self.assertEqual(score._verdict({"band": band}, mean, sem), verdict, (band, mean, sem))

    def test_chance_is_taken_off_a_ratio(self):
        blocks = [{"phase": "baseline", "trials": 4}]
        groups = {name: behaviour.Group(name, [subject(blocks, reward=np.full(4, share))], name)
                  for name, share in (("lesioned", 0.625), ("intact", 0.75))}
        target = {"of": {"group": "lesioned", "readout": ""}, "over": {"group": "intact", "readout": ""},
                  "chance": 0.5, "band": [0.4, 0.6]}
        with mock.patch.object(score, "readout", lambda name: lambda one: one.columns["reward"][0]):
            self.assertAlmostEqual(score.evaluate(target, groups).mean, 0.5)
            del target["chance"]
            self.assertAlmostEqual(score.evaluate(target, groups).mean, 5 / 6)


def subject(blocks, **columns):
    """One with the given blocks and columns; others are 0, angles from rightward, target at 90."""
    n = sum(block["trials"] for block in blocks)
    block = np.repeat(np.arange(len(blocks)), [b["trials"] for b in blocks])
    values = {name: np.zeros(n) for name in COLUMNS} | {"block": block}
    values["target_angle"] = np.full(n, 90.0)
    values |= columns
    full = {"perturbation": "rotation", "rotation_deg": 0, "rotation_end_deg": 0, "steps": 0}
    return behaviour._subject("one", 0, 1, values, [full | b for b in blocks], pathlib.Path("."))


class ReadoutTest(AnalysisTest):
    """Read-outs of experiments other than cerebellar_vs_dopaminergic, in closed form."""

    def test_felt_shift(self):
        """Towards the cursor, on either side; a constant bias does not count."""
        for side in (1.0, -1.0):
            rotation = np.r_[np.zeros(20), np.full(20, 30.0 * side)]
            hand = np.r_[np.full(20, 90.0), np.full(20, 90.0 - 25.0 * side)]
            felt = hand + 2.0 + np.r_[np.zeros(36), np.full(4, 7.0 * side)]
            blocks = [{"trials": 20}, {"trials": 20}]
            self.assertAlmostEqual(readouts.felt_shift_deg(subject(
                blocks, rotation=rotation, angle_end=hand, felt_angle=behaviour.wrap(felt))), 7.0)

    def test_single_trial(self):
        """Each reach moves by 1.5 degrees against the error before, and forgets a tenth."""
        rng = np.random.default_rng(5)
        sign = rng.choice([-1.0, 1.0], 400)
        angle, angles = 0.0, []
        for s in sign:
            angles.append(90.0 + angle)
            angle = 0.9 * angle - 1.5 * s
        blocks = [{"phase": "baseline", "trials": 10},
                  {"phase": "errors", "trials": 400, "rotation_sign": "random", "rotation_deg": 4}]
        one = subject(blocks, angle_third=np.r_[np.full(10, 90.0), angles],
                      rotation=np.r_[np.zeros(10), 4.0 * sign])
        self.assertLess(abs(readouts.single_trial_deg(one) - 1.5), 0.15)
        self.assertAlmostEqual(readouts.single_trial_sensitivity(one),
                               readouts.single_trial_deg(one) / 4.0)
        # To four targets in turn, one with a bias of its own, in two blocks with a shift between them.
        target = np.tile([45.0, 135.0, -135.0, -45.0], 103)[:410]
        several = [blocks[0], blocks[1] | {"trials": 200}, blocks[1] | {"trials": 200}]
        bias = np.where(np.arange(410) < 210, 0.0, 40.0)
        bias += 5.0 * (target == 45.0)
        turned = subject(several, rotation=np.r_[np.zeros(10), 4.0 * sign], target_angle=target,
                         angle_third=target + bias + np.r_[np.zeros(10), np.array(angles) - 90.0])
        change = np.diff(np.array(angles))
        change = np.delete(-sign[:-1] * change, 199)
        self.assertAlmostEqual(readouts.single_trial_deg(turned), np.mean(change))
        blocks[1]["rotation_sign"] = "same"
        turned = subject(blocks, angle_third=np.r_[np.full(10, 90.0), angles],
                         rotation=np.r_[np.zeros(10), 4.0 * sign])
        self.assertTrue(math.isnan(readouts.single_trial_deg(turned)))

    def test_answers_of_dopamine_cells(self):
        """To the cue and to the reward of two targets; first 3 and last third of a phase."""
        blocks = [{"phase": p, "trials": 6} for p in ("rewarded", "unrewarded", "rewarded", "omitted")]
        answers = {"cue_dopamine": np.repeat([1.0, 2.0, 0.0, 5.0, 6.0], [3, 3, 6, 8, 4]),
                   "reward_prediction_error": np.repeat([9.0, 4.0, -1.0, 2.0, -3.0], [3, 3, 6, 6, 6])}
        one = subject(blocks, **answers)
        self.assertAlmostEqual(readouts.cue_answer_grown(one), 4.0)
        self.assertAlmostEqual(readouts.reward_answer_grown(one), -7.0)
        self.assertAlmostEqual(readouts.cue_answer_of_reward(one), 5.0)
        self.assertAlmostEqual(readouts.omission_answer(one), -2.0)
        for rewarded, known in ((1, False), (3, False), (4, True)):  # shortened: early is not late
            short = [{"phase": "rewarded", "trials": rewarded}, {"phase": "unrewarded", "trials": 2}]
            first = {name: column[: rewarded + 2] for name, column in answers.items()}
            self.assertEqual(math.isfinite(readouts.cue_answer_grown(subject(short, **first))), known)
        for read in (readouts.cue_answer_grown, readouts.reward_answer_grown,
                     readouts.cue_answer_of_reward, readouts.omission_answer):
            self.assertTrue(math.isnan(read(subject([{"phase": "other", "trials": 24}], **answers))))
        for column in answers:
            del one.columns[column]  # as in an earlier version's file
        self.assertTrue(math.isnan(readouts.cue_answer_of_reward(one)))
        self.assertTrue(math.isnan(readouts.reward_answer_grown(one)))
        self.assertTrue(math.isnan(readouts.omission_answer(one)))

    def test_labels_tell_the_trials_that_there_are(self):
        for rotated, early, opposite in ((10, "trials 1-5", "trials 1-4"), (2, "trial 1", "trials 1-4"),
                                         (24, "trials 1-12", "trials 1-12")):
            lengths = [4, rotated, 14 if rotated == 24 else 4]
            phases = ("baseline", "rotated", "opposite")
            one = [subject([{"phase": p, "trials": n} for p, n in zip(phases, lengths)],
                           rotation=np.repeat([0.0, 30.0, -30.0], lengths))]
            self.assertEqual(readouts.label("early_fraction", one), f"fraction compensated, {early}")
            self.assertEqual(readouts.label("olive_rise", one), f"olive: {early} minus baseline, Hz")
            self.assertIn(opposite, readouts.label("opposite_fraction", one))
            self.assertEqual(readouts.label("late_fraction", one), readouts.LABELS["late_fraction"])
        target = np.r_[np.full(4, 90.0), np.tile([90.0, 90.0, 0.0], 8)]  # a third has no baseline
        one = [subject([{"trials": 4}, {"trials": 24}], rotation=np.repeat([0.0, 30.0], [4, 24]),
                       target_angle=target, olive_rate=np.where(target == 0.0, 9.0, 1.0))]
        self.assertEqual(readouts.label("early_fraction", one), "fraction compensated, trials 1-8")
        self.assertEqual(readouts.label("olive_rise", one), "olive: trials 1-8 minus baseline, Hz")
        self.assertEqual(readouts.olive_rise(one[0]), 0.0)
        one = [subject([{"trials": 4}, {"trials": 2, "curl_Ns_m": 5}, {"trials": 9}])]
        self.assertIn("perturbed trials 1-2,", readouts.label("perturbed_first_deg", one))
        self.assertIn("trials 1-4 after", readouts.label("washout_first_deg", one))

    def test_asymptote_and_what_is_kept(self):
        blocks = [{"phase": "baseline", "trials": 8}, {"phase": "clamped", "trials": 100},
                  {"phase": "no_feedback", "trials": 10}]
        one = subject(blocks, rotation=np.repeat([0.0, 15.0, 0.0], [8, 100, 10]),
                      angle_third=90.0 - np.repeat([0.0, 12.0, 20.0, 16.0], [8, 90, 10, 10]))
        self.assertAlmostEqual(readouts.asymptote_deg(one), 20.0)
        self.assertAlmostEqual(readouts.kept_deg(one), 16.0)

    def test_cycles_of_targets_are_whole(self):
        """Two targets, one of them written in two ways, to which subjects compensate 10 and 20 degrees."""
        lengths = [8, 30, 9]
        second = np.arange(47) % 2 == 1
        target = np.where(second, np.where(np.arange(47) % 4 == 1, 45.0, -315.0), 90.0)
        compensation = np.where(np.arange(47) < 8, 0.0, np.where(second, 20.0, 10.0))
        blocks = [{"phase": p, "trials": n} for p, n in zip(("baseline", "clamped", "no_feedback"), lengths)]
        one = subject(blocks, rotation=np.repeat([0.0, 15.0, 0.0], lengths), target_angle=target,
                      angle_third=target - compensation)
        self.assertAlmostEqual(readouts.asymptote_deg(one), 15.0)
        self.assertAlmostEqual(readouts.kept_deg(one), 15.0)

    def test_fractions_are_of_the_largest_rotation(self):
        """Whether it grows, as in a ramp, or gets smaller under the same phase; on either side."""
        for side in (1.0, -1.0):
            for steps, largest in (((30.0, 10.0), 30.0), ((10.0, 30.0), 30.0), ((30.0, 30.0), 30.0)):
                blocks = [{"phase": "baseline", "trials": 8}, *[{"phase": "rotated", "trials": 20}] * 2]
                angle = 90.0 - side * np.repeat([0.0, 24.0, 18.0], [8, 20, 20])
                one = subject(blocks, rotation=side * np.repeat([0.0, *steps], [8, 20, 20]), angle_third=angle,
                              angle_end=angle)
                self.assertEqual(one.rotation, side * largest)
                self.assertAlmostEqual(readouts.late_fraction(one), 18.0 / largest)
                stepped = steps[0] != steps[1]
                self.assertEqual(readouts.final_step(one).tolist(), [*range(28 if stepped else 8, 48)])
                if stepped:
                    self.assertAlmostEqual(readouts.final_fraction(one), 18.0 / largest)
                for read in (readouts.final_fraction, readouts.final_sd):
                    self.assertEqual(math.isfinite(read(one)), stepped)
        group = behaviour.Group("one", [subject(
            [{"phase": p, "trials": 10} for p in ("baseline", "large", "small", "small")],
            rotation=np.repeat([0.0, 30.0, 20.0, 10.0], 10))])
        self.assertEqual([part.subjects[0].rotation for part in score.by_phase(group).values()], [30.0, 20.0])

    def test_last_third(self):
        """Of the planned rotation, whatever chance adds to it; negative on its other side."""
        blocks = [{"phase": "baseline", "trials": 8},
                  {"phase": "skewed", "trials": 300, "rotation_deg": 4, "rotation_noise_deg": 10}]
        drawn = np.r_[np.zeros(8), np.random.default_rng(2).exponential(10.0, 300) - 6.0]
        angle = 90.0 - np.repeat([0.0, 9.0, 3.0], [8, 200, 100])
        one = subject(blocks, rotation=drawn, angle_third=angle)
        self.assertAlmostEqual(readouts.last_third_deg(one), 3.0)
        blocks[1]["rotation_deg"] = -4
        self.assertAlmostEqual(
            readouts.last_third_deg(subject(blocks, rotation=-drawn, angle_third=angle)), -3.0)

    def memory(self, phase, sign, second, aim, left=3.0):
        blocks = [{"phase": "baseline", "trials": 10}, {"phase": "rotated", "trials": 50},
                  {"phase": "washout", "trials": 12}, {"phase": phase, "trials": 40}]
        lengths = [10, 12, 38, 12, 12, 28]
        compensation = np.repeat([0.0, 9.0, 18.0, left, second, 24.0 * sign], lengths)
        return subject(blocks, rotation=np.repeat([0.0, 30.0, 30.0, 0.0, 30.0 * sign, 30.0 * sign],
                                                  lengths),
                       angle_third=90.0 - compensation,
                       aim_angle=90.0 - np.repeat([0.0, 6.0, 8.0, 0.0, 6.0, aim], lengths))

    def test_all_readouts_of_labelled_phases_are_listed(self):
        asked = []

        class Labels(dict):
            def get(self, *arguments):
                asked.append(arguments)
                return super().get(*arguments)

        one = self.memory("again", 1, 15.0, 18.0)
        one.labels = Labels(one.labels)
        one.columns |= dict.fromkeys(("chose_second", "cue_dopamine"), np.zeros(one.trials))
        for name in readouts.LABELS:
            asked.clear()
            getattr(readouts, name)(one)
            self.assertEqual(bool(asked), name in readouts.BY_LABEL, name)

    def test_savings(self):
        one = self.memory("again", 1, 15.0, 18.0)
        self.assertAlmostEqual(readouts.savings(one), (15.0 - 3.0 - 9.0) / 30.0)
        self.assertAlmostEqual(readouts.implicit_savings_deg(one), (24.0 - 18.0) - (18.0 - 8.0))
        self.assertTrue(math.isnan(readouts.opposite_fraction(one)))
        self.assertEqual(readouts.label("savings", [one]), readouts.LABELS["savings"])

    def test_savings_of_a_short_second_time(self):
        """Over as many trials of the first time, and the label says so."""
        blocks = [{"phase": "baseline", "trials": 10}, {"phase": "rotated", "trials": 50},
                  {"phase": "washout", "trials": 12}, {"phase": "again", "trials": 6}]
        lengths = [10, 6, 44, 12, 6]
        one = subject(blocks, rotation=np.repeat([0.0, 30.0, 30.0, 0.0, 30.0], lengths),
                      angle_third=90.0 - np.repeat([0.0, 6.0, 18.0, 3.0, 15.0], lengths))
        self.assertAlmostEqual(readouts.savings(one), (15.0 - 3.0 - 6.0) / 30.0)
        self.assertEqual(readouts.label("savings", [one]),
                         "fraction compensated, trials 1-6, second minus first time")

    def test_aftereffect(self):
        """Of the trials without a rotation that follow what was learned at once, on either side."""
        for side in (1.0, -1.0):
            def one(*stretches):
                lengths, rotation, compensation = zip((10, 0.0, 0.0), (20, 30.0, 21.0), *stretches)
                return subject([{"trials": n} for n in lengths], rotation=side * np.repeat(rotation, lengths),
                               angle_third=90.0 - side * np.repeat(compensation, lengths))

            washed = one((4, 0.0, 12.0), (20, 0.0, 3.0), (10, 30.0, 15.0), (4, 0.0, 9.0))
            self.assertAlmostEqual(readouts.aftereffect_deg(washed), 12.0)
            self.assertAlmostEqual(readouts.aftereffect_fraction(washed), 0.4)
            washed.labels = {"rotated": np.arange(10, 30), "again": np.arange(54, 64)}
            self.assertEqual([round(readouts.aftereffect_deg(part.subjects[0]), 6) for part in
                              score.by_phase(behaviour.Group("one", [washed])).values()], [12.0, 9.0])
            short = one((2, 0.0, 12.0), (4, -30.0, -3.0))
            self.assertAlmostEqual(readouts.aftereffect_deg(short), 12.0)
            self.assertEqual(readouts.label("aftereffect_deg", [short]),
                             "after-effect, trials 1-2 after the rotation, deg")
            noisy = one((3, 0.0, 9.0), (4, 0.0, 3.0))
            noisy.columns["drawn_rotation"][33:] = 5.0  # drawn about no rotation
            self.assertAlmostEqual(readouts.aftereffect_deg(noisy), 9.0)
            for none in (one(), one((12, -30.0, -3.0), (12, 0.0, 6.0))):  # after a reversal it is a rebound
                self.assertTrue(math.isnan(readouts.aftereffect_deg(none)))

    def test_interference(self):
        one = self.memory("opposite", -1, -15.0, -18.0)
        self.assertAlmostEqual(readouts.opposite_fraction(one), (15.0 + 3.0) / 30.0)
        self.assertTrue(math.isnan(readouts.savings(one)))

    def test_a_washout_counts_where_it_comes_before(self):
        """Else what is left is that of the trials just before an opposite rotation; none are savings."""
        def one(phases):
            lengths = {"baseline": 10, "rotated": 8, "washout": 12}  # rotated fewer than 12
            turned = {"rotated": 30.0, "opposite": -30.0, "again": 30.0}
            trials = [lengths.get(phase, 4) for phase in phases]
            level = {"rotated": 21.0, "opposite": 6.0, "again": 24.0, "washout": 3.0}
            return subject([{"phase": p, "trials": n} for p, n in zip(phases, trials)],
                           rotation=np.repeat([turned.get(p, 0.0) for p in phases], trials),
                           angle_third=90.0 - np.repeat([level.get(p, 0.0) for p in phases], trials))

        for phases, expected in ((("opposite",), 15.0), (("opposite", "washout"), 15.0),
                                 (("washout", "opposite"), -3.0), (("washout", "opposite", "washout"), -3.0)):
            self.assertAlmostEqual(readouts.opposite_fraction(one(("baseline", "rotated", *phases))),
                                   expected / 30.0, msg=phases)
        self.assertTrue(math.isnan(readouts.savings(one(("baseline", "rotated", "again", "washout")))))
        self.assertAlmostEqual(readouts.savings(one(("baseline", "rotated", "washout", "again", "washout"))), 0.0)

    def test_generalization(self):
        targets = np.array([90.0, 68.0, 112.0, 45.0, 135.0, 22.0, 158.0, 0.0, 180.0])
        blocks = [{"phase": "baseline", "trials": 9}, {"phase": "rotated", "trials": 20},
                  {"phase": "probe", "trials": 9}]
        target = np.r_[targets, np.full(20, 90.0), targets]

        def probed(shape):
            return subject(blocks, target_angle=target,
                           rotation=np.repeat([0.0, 30.0, 0.0], [9, 20, 9]),
                           angle_third=target - np.r_[np.zeros(9), np.full(20, 20.0), shape])

        for sd in (20.0, 45.0):
            bump = 18.0 * np.exp(-0.5 * ((targets - 90.0) / sd) ** 2)
            self.assertAlmostEqual(readouts.generalization_deg(probed(bump)), sd)
        self.assertEqual(readouts.generalization_deg(probed(np.full(9, 10.0))), 180.0)  # everywhere
        self.assertTrue(math.isnan(readouts.generalization_deg(probed(-bump))))

    def test_a_baseline_is_of_the_direction_however_it_is_written(self):
        one = subject([{"phase": "baseline", "trials": 4}, {"phase": "rotated", "trials": 20}],
                      target_angle=np.repeat([225.0, -135.0, 585.0], [4, 10, 10]),
                      rotation=np.repeat([0.0, 30.0], [4, 20]),
                      angle_third=np.repeat([-134.0, -154.0], [4, 20]))
        np.testing.assert_allclose(one.compensation(), np.repeat([0.0, 20.0], [4, 20]), atol=1e-9)

    def test_rewards_of_any_size_count(self):
        def change(factor):
            return lambda _, columns: columns.update(reward=factor * columns["reward"])

        whole, small = (behaviour.read(write_run(self.root / str(factor), groups=["reward_intact"],
                                                 change=change(factor)), readouts.COLUMNS)
                        for factor in (1.0, 0.3))
        for name in ("sd_after_failure_minus_success", "dopamine_reward_minus_failure", "succeeded"):
            values = [[getattr(readouts, name)(s) for s in run.groups["reward_intact"].subjects]
                      for run in (whole, small)]
            self.assertTrue(np.isfinite(values[0]).all(), name)
            self.assertEqual(*values, name)

    def test_trials_without_an_outcome_are_no_failures(self):
        """Half of the rotated trials have none, or all."""
        lengths = [4, 40, 40]
        reward = np.r_[np.ones(4), np.tile([0.0, 1.0, 1.0, 0.0], 10), np.zeros(40)]
        noise = np.random.default_rng(7).normal(0.0, 1.0, 84) * (1.0 + 2.0 * (np.arange(84) >= 44))
        columns = {"rotation": np.repeat([0.0, 8.0], [4, 80]), "reward": reward, "angle_end": 90.0 + noise,
                   "dopamine": np.where(reward > 0.0, 8.0, np.where(np.arange(84) < 44, 3.0, 5.0))}
        blocks = [{"phase": p, "trials": n} for p, n in zip(("baseline", "told", "untold"), lengths)]
        one = subject([*blocks[:2], blocks[2] | {"reward": "none"}], **columns)
        self.assertAlmostEqual(readouts.dopamine_reward_minus_failure(one), 5.0)
        self.assertLess(abs(readouts.sd_after_failure_minus_success(one)), 1.0)
        self.assertEqual(readouts.succeeded(one), 0.0)
        failing = subject(blocks, **columns)
        self.assertAlmostEqual(readouts.dopamine_reward_minus_failure(failing), 8.0 - (20 * 3.0 + 40 * 5.0) / 60)
        self.assertGreater(readouts.sd_after_failure_minus_success(failing), 1.0)
        for block in blocks[1:]:
            block["reward"] = "none"
        untold = subject(blocks, **columns)
        for read in (readouts.dopamine_reward_minus_failure, readouts.sd_after_failure_minus_success,
                     readouts.succeeded):
            self.assertTrue(math.isnan(read(untold)), read.__name__)

    def test_choice(self):
        two = {"second_target_deg": 90, "second_reward": 0.2}
        blocks = [{"phase": "baseline", "trials": 4, "second_target_deg": 90},
                  {"phase": "left", "trials": 20, **two}, {"phase": "right", "trials": 10, **two}]
        second = np.r_[np.ones(4), np.ones(10), np.zeros(8), np.ones(2), np.ones(5), np.ones(5)]
        self.assertAlmostEqual(readouts.chose_better(subject(blocks, chose_second=second)),
                               (0.8 + 0.0) / 2)
        second[[22, 23]] = second[24:] = np.nan  # nothing chosen
        self.assertAlmostEqual(readouts.chose_better(subject(blocks, chose_second=second)), 1.0)
        del blocks[1:]
        self.assertTrue(math.isnan(readouts.chose_better(subject(blocks, chose_second=np.ones(4)))))
        # What chances bring counts, too: here the second target, for all that its rewards are smaller.
        blocks[0] |= {"reward_probability": 0.3, "second_reward": 0.9, "second_reward_probability": 0.8}
        self.assertEqual(readouts.chose_better(subject(blocks, chose_second=np.ones(4))), 1.0)

    def test_sequences(self):
        """Of the last third; trials within a sequence do not count."""
        pairs = {"second_target_deg": 90, "sequence": [1, 2]}
        blocks = [{"phase": "baseline", "trials": 4}, {"phase": "practice", "trials": 24, **pairs}]
        reward = np.r_[np.ones(4), np.tile([0.0, 0.0], 8), np.tile([0.0, 1.0], 3), [0.0, 0.0]]
        self.assertAlmostEqual(readouts.sequences_right(subject(blocks, reward=reward)), 0.75)
        self.assertTrue(math.isnan(readouts.sequences_right(subject(blocks[:1]))))
        blocks[1]["reward"] = "none"
        self.assertTrue(math.isnan(readouts.sequences_right(subject(blocks, reward=reward))))

    def test_learning_from_success_and_from_failure(self):
        blocks = [{"phase": phase, "trials": 4, "second_target_deg": side}
                  for phase in ("good_before", "bad_before", "good_after", "bad_after")
                  for side in (90, -90)]
        second = np.repeat([0.5, 0.5, 0.25, 0.5, 0.0, 0.25, 1.0, 0.5], 4)
        one = subject(blocks, chose_second=second)
        self.assertAlmostEqual(readouts.learned_from_success(one), 0.875 - 0.5)
        self.assertAlmostEqual(readouts.learned_from_failure(one), 0.75 - 0.375)
        self.assertAlmostEqual(readouts.success_minus_failure(one), 0.0)
        untested = subject(blocks[:4], chose_second=second[:16])
        self.assertTrue(math.isnan(readouts.success_minus_failure(untested)))

    def test_success(self):
        blocks = [{"phase": "baseline", "trials": 4},
                  {"phase": "rotated", "trials": 40, "rotation_deg": 1, "rotation_end_deg": 2}]
        rotation = np.repeat([0.0, 1.0, 2.0], [4, 20, 20])
        for rewarded, value in ((6, 1.0), (5, 0.0)):
            reward = np.r_[np.ones(34), np.arange(10) < rewarded].astype(float)
            self.assertEqual(readouts.succeeded(subject(blocks, rotation=rotation, reward=reward)),
                             value)


def targets_by_id():
    with open(TARGETS, "rb") as file:
        return {target["id"]: target for target in tomllib.load(file)["target"]}


class CommandTest(AnalysisTest):
    def test_table(self):
        run = write_run(self.root, cut="gradual steps of 16 trials instead of 40")
        code, out, err = self.call(score.main, run)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("Two teachers", out)
        self.assertIn("gradual steps of 16 trials instead of 40", out)
        self.assertRegex(out, r"A1 .*0\.923 \[0\.874, 0\.973\].*0\.9 ± 0\.058 +4 +in")
        self.assertRegex(out, r"REMAP_ERR .*no human value")
        self.assertRegex(out, r"DA_RWD .* judgement +<= 0\.5 .* in\*\n")
        one = self.call(score.main, write_run(self.root / "one", subjects=1, shared_seeds=True))[1]
        self.assertRegex(one, r"A5 .* 1 pair +in\?\*\n")
        self.assertIn("judged targets are in their band", out)
        self.assertIn("\nA band is a judgement: ", out)
        self.assertNotIn("other groups", out)
        lines = (run / "score.csv").read_text().splitlines()
        self.assertEqual({line.partition(",")[0] for line in lines[1:]}, targets_by_id().keys())
        for name in targets_by_id().keys() - EXPECTED.keys():
            self.assertNotRegex(out, rf"(?m)^{name} ")
        self.assertRegex(out, r"124 not run \(single_trial, clamps, memories, outcomes, punishment, "
                              r"cues, two_teachers, dopamine_drugs, sequence, skewed, finger_practice, spines, tms, "
                              r"stroke, dystonia, dystonia_population, observation, therapy, nerve_block, amputation: quartet score DIR --run\)")

    def test_runs_together(self):
        """A directory with runs in it counts as all of them; what they answer apart, they do together."""
        parts = [["abrupt_intact", "full_intact"], ["abrupt_depleted", "full_depleted"]]
        for index, groups in enumerate(parts):
            write_run(self.root / "card" / f"part{index}", groups=groups)
        whole = self.results(write_run(self.root / "whole", groups=sum(parts, [])))
        code, out, err = self.call(score.main, self.root / "card")
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.count("Two teachers\n"), 2)
        self.assertTrue((self.root / "card" / "score.csv").exists())
        together = self.results(self.root / "card")
        for name in ("A1", "DA_ERR", "DA_ABRUPT", "CB_GRADUAL", "DA_RWD"):
            self.assertEqual(together[name].verdict, whole[name].verdict)
            np.testing.assert_equal(together[name].mean, whole[name].mean)
        self.assertFalse(math.isnan(together["DA_ERR"].mean))
        code, _, err = self.call(score.main, self.root / "whole", self.root / "card")
        self.assertEqual(code, 2)
        self.assertRegex(err, r"part0: has a group abrupt_intact, as .*whole has; score them one by")
        parts = self.root / "card" / "part0", self.root / "card" / "part1"
        code, out, err = self.call(score.main, *parts)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"DA_ERR .* 4 pairs +in")
        self.assertFalse((self.root / "card" / "part0" / "score.csv").exists())

    def test_standard_experiments_are_run(self):
        names = load_targets()["experiments"]
        groups = ["abrupt_intact", "full_intact", "reward_intact", "full_depleted",
                  "reward_depleted", "full_cerebellar", "reward_cerebellar", "abrupt_depleted",
                  "abrupt_cerebellar"]
        groups += [f"abrupt_other{k}" for k in range(len(names) - len(groups))]
        for name, group in zip(names, groups, strict=True):
            write_run(self.root / "made" / name, groups=[group], subjects=2)
            with open(self.root / "made" / name / "resolved.toml", "a") as file:
                file.write("# Digest: abc\n")
        program = self.root / "program"
        program.write_text(
            f"#!/bin/sh\necho \"$*\" >> {self.root}/calls\n"
            "[ $1 = validate ] && echo '# Digest: abc'\n"
            f"[ $1 = run ] && name=$(basename $2 .toml) && cp -r {self.root}/made/$name {self.root}/card/"
            f" && touch {self.root}/card/$name/traffic.csv\n"
            "[ $1 = resume ] && touch $2/traffic.csv\nexit 0\n")
        program.chmod(0o755)
        card = self.root / "card"
        card.mkdir()

        def calls(*flags):
            (self.root / "calls").write_text("")
            code, out, err = self.call(score.main, card, "--run", "--program", program, *flags)
            self.assertEqual((code, err), (0, ""))
            self.assertRegex(out, r"DA_RWD .* in")
            lines = (self.root / "calls").read_text().splitlines()
            return [line for line in lines if not line.startswith("validate")]

        experiment = lambda name: simulations.EXPERIMENTS / f"{name}.toml"
        self.assertEqual(calls("--seed", "7", "--set", "a=b", "--full", "--ranks", "2"),
                         [f"run {experiment(n)} --full --seed 7 --set a=b --out {card / n} --ranks 2"
                          for n in names])
        self.assertEqual(calls(), [])
        (card / names[2] / "traffic.csv").unlink()
        self.assertEqual(calls(), [f"resume {card / names[2]} --ranks 4"])
        program.write_text("#!/bin/sh\necho '# Digest: abd'\n")  # other flags
        code, _, err = self.call(score.main, card, "--run", "--program", program)
        self.assertEqual(code, 2)
        self.assertIn(f"{card / names[0]}: was made with other flags, or from another "
                      f"{experiment(names[0])}", err)
        code, _, err = self.call(score.main, card, "--run", "--program", self.root / "none")
        self.assertEqual(code, 2)
        self.assertIn("none: there is no such program; write for example --program build/quartet", err)
        code, _, err = self.call(score.main, card, "--seed", "3")
        self.assertEqual(code, 2)
        self.assertIn("go with --run", err)
        for arguments, text in (((card, card), "--run: name one directory"),
                                ((card / names[0],), "is the directory of one run")):
            code, _, err = self.call(score.main, *arguments, "--run", "--program", program)
            self.assertEqual(code, 2)
            self.assertIn(text, err)

    def test_json(self):
        code, out, _ = self.call(score.main, write_run(self.root), "--json")
        document = json.loads(out)
        self.assertEqual(code, 0)
        rows = {row["id"]: row for row in document["targets"]}
        self.assertAlmostEqual(rows["A1"]["simulated"], LATE)
        self.assertIsNone(rows["REMAP_ERR"]["human"])
        self.assertEqual(sum(document["counts"].values()), len(rows))
        of = lambda row: (row["n"], row["n_second"], row["n_unit"])
        self.assertEqual([of(rows[name]) for name in ("A1", "A5", "F_A1Late_ratio", "SICI")],
                         [(4, None, "subjects"), (4, None, "pairs"), (4, 4, "subjects"),
                          (None, None, None)])

    def test_rows_say_which_trials_there_were(self):
        for learning, here in ((100, ""), (16, " (here 1-8)")):
            run = write_run(self.root / str(learning), learning=learning,
                            groups=["abrupt_intact", "abrupt_cerebellar"])
            results = self.results(run)
            self.assertEqual(results["A2"].target["description"],
                             f"abrupt: fraction compensated, trials 1-12{here}")
            self.assertEqual(results["CS_ERR"].target["description"],
                             f"olive: rotated trials 1-12{here} minus baseline, Hz")
            self.assertIn(f"trials 1-12{here}  ", self.call(score.main, run)[1])
        blocks = lambda n: [{"phase": "baseline", "trials": 4}, {"phase": "rotated", "trials": n}]
        learner = lambda n: subject(blocks(n), rotation=np.repeat([0.0, 30.0], [4, n]))
        groups = {name: behaviour.Group(name, [learner(n) for n in trials])
                  for name, trials in (("a", (40,)), ("b", (16,)), ("both", (40, 16)))}

        def described(first, second=None):
            part = lambda name: {"group": name, "readout": "early_fraction"}
            target = {"id": "x", "description": "early: trials 1-12", "of": part(first)}
            target |= {"minus": part(second)} if second else {}
            return score.evaluate(target, groups).target["description"]

        self.assertEqual(described("a"), "early: trials 1-12")
        self.assertEqual(described("a", "b"), "early: trials 1-12 (here 1-12 and 1-8)")
        self.assertEqual(described("b", "a"), "early: trials 1-12 (here 1-8 and 1-12)")
        self.assertEqual(described("both"), "early: trials 1-12 (here 1-8)")

    def test_verdicts_within_a_sem_of_the_edge_are_marked(self):
        def shift(group, columns):
            if group == "abrupt_intact":  # .9 ± .058 becomes .81 ± .052, above .80
                columns["angle_third"] *= 0.9

        run = write_run(self.root, change=shift)
        _, out, _ = self.call(score.main, run)
        self.assertRegex(out, r"A1 .*0\.81 ± 0\.052 +4 +in\?\*\n")
        self.assertRegex(out, r"A2 .*0\.54 ± 0\.035 +4 +in\*\n")
        self.assertRegex(out, r"CS_ERR .*2 ± 0 +4 +in\n")
        self.assertIn("tuned with in view: 13 of 13 in;\nof the others, 9 of 9.", out)
        document = json.loads(self.call(score.main, run, "--json")[1])
        rows = {row["id"]: row for row in document["targets"]}
        self.assertEqual((rows["A1"]["tuned"], rows["CS_ERR"]["tuned"]), (True, False))
        self.assertEqual((rows["A1"]["verdict"], rows["A1"]["sem_crosses_band"]), ("in", True))
        self.assertFalse(rows["A2"]["sem_crosses_band"])
        self.assertIsNone(rows["REMAP_ERR"]["sem_crosses_band"])
        one = self.results(write_run(self.root / "1", subjects=1))["A1"]
        self.assertIsNone(one.sem_crosses_band)
        target = {"band": [0.85, 1.05]}
        for mean, sem, crosses in ((0.81, 0.25, True),  # the whole band lies within
                                   (0.95, 0.25, True), (0.95, 0.09, False), (0.81, 0.03, False)):
            result = score.Result(target, mean, sem, (4,), score._verdict(target, mean, sem))
            self.assertEqual(result.sem_crosses_band, crosses, (mean, sem))

    def test_another_rotation_than_peoples_is_said(self):
        def double(group, columns):
            if group == "abrupt_intact":
                columns["rotation"] = columns["rotation"] * 2.0

        notes = ("F_A1Early_ratio, F_A1Late_ratio (people 45, here 30 degrees).\n",
                 "A1, A2, A3, A4, A5, FELT_ERR (people 30, here 60 degrees); "
                 "F_A1Early_ratio, F_A1Late_ratio (people 45, here 30 / 60 degrees).\n")
        for change, note, other in ((None, notes[0], False), (double, notes[1], True)):
            run = write_run(self.root / str(other), change=change)
            self.assertIn(f"\nAnother rotation than people's: {note}",
                          self.call(score.main, run)[1])
            document = json.loads(self.call(score.main, run, "--json")[1])
            rows = {row["id"]: row for row in document["targets"]}
            self.assertEqual((rows["A1"]["human_rotation_deg"], rows["A1"]["rotation_deg"],
                              rows["A1"]["other_rotation"]), (30.0, 60.0 if other else 30.0, other))
            self.assertEqual((rows["F_A1Late_ratio"]["rotation_deg"],
                              rows["F_A1Late_ratio"]["rotation_high_deg"]), (30.0, 60.0 if other else None))
            self.assertFalse(rows["IZ_ERR"]["other_rotation"])
            self.assertIsNone(rows["A6"]["other_rotation"])
        run = write_run(self.root / "gradual", groups=["full_intact"])
        self.assertNotIn("Another rotation", self.call(score.main, run)[1])

    def test_other_groups(self):
        names = {"abrupt_control": "abrupt_intact", "abrupt_patient": "abrupt_cerebellar"}
        ABRUPT.update(control=1.0, patient=0.5)
        self.addCleanup(lambda: [ABRUPT.pop(name) for name in ("control", "patient")])
        run = write_run(self.root / "own", groups=list(names))
        code, out, _ = self.call(score.main, run)
        self.assertEqual(code, 0)
        self.assertRegex(out, r"mean ± SEM +abrupt_control \(n = 4\) +abrupt_patient \(n = 4\)")
        self.assertRegex(out, r"last fifth +0\.9 ± 0\.058 +0\.45 ± 0\.029")
        self.assertIn("targets.toml names: abrupt_intact and others", " ".join(out.split()))
        self.assertLess(max(map(len, out.splitlines())), 200)  # and not the names of all groups
        self.assertNotIn("not run", out)
        document = json.loads(self.call(score.main, run, "--json")[1])
        rows = {row["id"]: row for row in document["groups"]}
        self.assertAlmostEqual(rows["abrupt_patient.late_fraction"]["simulated"], LATE / 2)
        self.assertIn("abrupt_patient.late_fraction,", (run / "score.csv").read_text())
        code, _, err = self.call(score.main, run, "--strict")
        self.assertEqual(code, 1)
        self.assertIn("no target was judged", err)

        # Beside groups that are compared with people.
        run = write_run(self.root / "both", groups=["abrupt_control", "abrupt_intact"])
        _, out, _ = self.call(score.main, run)
        self.assertRegex(out, r"A1 .* in\*\n")
        self.assertRegex(out, r"mean ± SEM +abrupt_control \(n = 4\)\n")

    def own_run(self, name, *blocks):
        """Of a group of its own, whose rotated trials are these blocks."""
        def change(group, columns):
            columns["block"] = np.repeat(np.arange(3 + len(blocks)), [32, *[100 // len(blocks)] * len(blocks), 12, 20])
            if "random" in blocks[0][1]:
                columns["rotation"][-32:] = 0

        run = write_run(self.root / name, groups=["abrupt_own"], change=change)
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(re.sub(r"blocks = .*", "blocks = [" + ", ".join(
            '{phase = "%s", trials = %d%s}' % block for block in (
                ("aligned", 32, ""), *((phase, 100 // len(blocks), keys) for phase, keys in blocks),
                ("reversed", 12, ""), ("after", 20, ""))) + "]", plan))
        return {row["id"]: row["simulated"] for row in json.loads(self.call(score.main, run, "--json")[1])["groups"]}

    def test_phases_of_one_rotation_are_read_apart(self):
        rows = self.own_run("apart", ("miss", ""), ("hit", ""))
        self.assertAlmostEqual(rows["abrupt_own.miss.early_fraction"], EARLY)
        self.assertAlmostEqual(rows["abrupt_own.hit.early_fraction"], LATE)
        self.assertNotIn("abrupt_own.early_fraction", rows)
        self.assertFalse(any(".reversed." in name for name in rows))

    def test_phases_by_label_are_read_once(self):
        """What is learned again, less what was learned first: no phase of it has a number of its own."""
        rows = self.own_run("again", ("first", ""), ("again", ""))
        self.assertIn("abrupt_own.again.early_fraction", rows)
        self.assertEqual([name for name in rows if name.endswith("implicit_savings_deg")],
                         ["abrupt_own.implicit_savings_deg"])
        group = behaviour.read(self.root / "again", readouts.COLUMNS).groups["abrupt_own"]
        self.assertAlmostEqual(rows["abrupt_own.implicit_savings_deg"],
                               np.mean([readouts.implicit_savings_deg(s) for s in group.subjects]))

    def test_no_zone_under_a_clamp_and_no_fraction_of_a_random_side(self):
        free, clamped = (self.own_run(name, ("p", keys)) for name, keys in (
            ("free", ""), ("clamped", ', perturbation = "clamp"')))
        self.assertEqual((free["abrupt_own.succeeded"], clamped["abrupt_own.succeeded"]), (1, None))
        self.assertAlmostEqual(clamped["abrupt_own.late_fraction"], LATE)
        drawn = self.own_run("drawn", ("p", ', perturbation = "clamp", rotation_sign = "random", steps = 1, '
                                       'rotation_deg = 30.0, rotation_end_deg = 30.0'))
        for name in ("early_fraction", "late_fraction", "final_fraction", "asymptote_deg", "last_third_deg",
                     "aim_deg", "implicit_deg", "felt_shift_deg", "succeeded", "aftereffect_deg"):
            self.assertIsNone(drawn[f"abrupt_own.{name}"], name)
        self.assertIsNotNone(drawn["abrupt_own.single_trial_deg"])

    def test_groups_without_a_rotation_have_what_they_tell(self):
        run = write_run(self.root / "run", groups=["abrupt_choosers"],
                        change=lambda group, columns: columns["rotation"].fill(0))
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            chose = file.createVariable("chose_second", "f8", ("trial", "subject"))
            chose[:] = (np.arange(len(file["block"])) % 4 == 0)[:, None] * np.ones(4)
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(plan.replace("trials = 100", "trials = 100, second_target_deg = 90, "
                                                        "second_reward = 0.5"))
        self.assertRegex(self.call(score.main, run)[1], r"choices of the better target +0.7[0-9]* ± 0\n")

    def test_target_without_a_baseline_is_left_out(self):
        def turn(group, columns):
            if group == "abrupt_intact":
                columns["target_angle"][[*range(140, 144), 150]] = 45.0  # of the reversal and clamp

        run = write_run(self.root, change=turn)
        text = "rials of abrupt_intact to the target at 45 degrees are left out: there is none"
        code, out, _ = self.call(score.main, run)
        self.assertEqual(code, 0)
        self.assertIn(f"\nt{text}", out)
        results = self.results(run)
        self.assertEqual(results["A3"].verdict, "undefined: too few trials")
        self.assertAlmostEqual(results["A1"].mean, LATE)
        self.assertEqual(self.call(plot.main, run)[0], 0)
        read = behaviour.read(run, {"angle_third", "reward"}, {"olive_rate"})
        (note,) = (t.get_text() for t in plot.draw(read, {}).texts if "Model" in t.get_text())
        self.assertIn(f"T{text}", note.replace("\n", " "))

    def test_truncated_file_is_refused(self):
        run = write_run(self.root)
        path = run / "behaviour.nc"
        whole = path.read_bytes()
        for size, text in ((20000, f"20000 of {len(whole)} bytes; copy it again or run again"),
                           (len(whole) - 9, "truncated, "), (100, "within the header")):
            path.write_bytes(whole[:size])
            for main in (score.main, plot.main):
                code, _, err = self.call(main, run)
                self.assertEqual(code, 2)
                self.assertIn(f"{path}: truncated, ", err)
                self.assertIn(text, err)

    def test_damaged_header_is_refused(self):
        path = write_run(self.root, groups=["abrupt_intact"], subjects=1) / "behaviour.nc"
        whole, refusals = path.read_bytes(), []
        for offset in range(4, 1200, 11):
            path.write_bytes(whole[:offset] + b"\xff" + whole[offset + 1 :])
            try:
                behaviour.read(self.root, {"angle_third"})
            except behaviour.BadInput as error:
                self.assertIn(f"{path}: ", str(error))
                refusals.append(str(error))
        self.assertGreater(sum("UnicodeDecodeError" in refusal for refusal in refusals), 0)
        self.assertGreater(sum("truncated" in refusal for refusal in refusals), 0)

    def test_only_the_file_is_called_damaged(self):
        """What goes wrong in reading is the file's fault, what goes wrong otherwise is not."""
        path = write_run(self.root, groups=["abrupt_intact"], subjects=1) / "behaviour.nc"
        for error in (KeyError("phase"), TypeError(), AttributeError(), IndexError(), ValueError(),
                      ZeroDivisionError(), StopIteration()):
            with self.assertRaises(type(error)) as raised, netcdf.open_dataset(path):
                raise error
            self.assertIs(raised.exception, error)
        for error in (OSError("HDF error"), RuntimeError("NetCDF: Unknown"),
                      UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")):
            with self.assertRaisesRegex(netcdf.BadInput, f"{path}: not a readable NetCDF file of this "
                                        rf"version \({type(error).__name__}: "), netcdf.open_dataset(path):
                raise error
        with self.assertRaisesRegex(netcdf.BadInput, r"\(no variable nothing\); copy it again"), \
                netcdf.open_dataset(path) as file:
            file["nothing"]

    def test_csv_is_replaced_at_once(self):
        path = self.root / "rows.csv"
        table.write_csv(path, [{"a": 1}])
        with self.assertRaises(ValueError):
            table.write_csv(path, [{"a": 2}, {"b": 3}])
        self.assertEqual(path.read_text(), "a\n1\n")
        self.assertEqual([p.name for p in self.root.iterdir()], ["rows.csv"])

    def test_scores_without_a_place_to_write_are_printed(self):
        run = write_run(self.root)
        for name in ("score.csv", "rates.csv"):
            (run / name).mkdir()  # nothing can replace it, not even for root
        before = sorted(run.iterdir())
        for arguments, text in (((), "judged targets are in"), (("--json",), '"targets": [')):
            code, out, err = self.call(score.main, run, *arguments)
            self.assertEqual(code, 0)
            self.assertIn(text, out)
            self.assertRegex(err, rf"\Ascore.py: {run}/score.csv: not written \(.+\); .*\n\Z")
        self.assertEqual(sorted(run.iterdir()), before)

    def test_figure_without_a_place_to_write(self):
        run = write_run(self.root / "run", groups=["abrupt_intact"], subjects=1)
        (run / "figure.pdf").mkdir()
        code, out, err = self.call(plot.main, run)
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, rf"\Aplot.py: {run}/figure.pdf: not written \(.+\); .*--out\n\Z")
        code, _, err = self.call(plot.main, run, "--out", self.root / "nowhere" / "a.png")
        self.assertEqual(code, 2)
        self.assertIn(f"{self.root}/nowhere/a.png: not written (No such file", err)
        self.assertEqual([p.name for p in run.iterdir() if "partial" in p.name], [])
        for end, head in ((".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")):
            path = self.root / f"own{end}"
            code, out, err = self.call(plot.main, run, "--out", path)
            self.assertEqual((code, out, err), (0, f"{path}\n", ""))
            self.assertTrue(path.read_bytes().startswith(head))
        code, _, err = self.call(plot.main, run, "--out", self.root / "own.gif")
        self.assertEqual(code, 2)
        self.assertIn("must end in one of .png, .pdf, .svg", err)

    def test_needed_bytes_of_every_format(self):
        path = self.root / "file.nc"
        for kind in ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"):
            for records, variables in ((0, 2), (3, 1), (3, 2)):
                with netCDF4.Dataset(path, "w", format=kind) as file:
                    file.title = "odd"
                    file.createDimension("time", None)
                    file.createDimension("cell", 5)
                    file.createVariable("name", "S1", ("cell",))[:] = b"x"
                    for index in range(variables):
                        variable = file.createVariable(f"v{index}", "i2", ("time", "cell"))
                        variable.units = "mV"
                        variable[:] = np.ones((records, 5))
                with open(path, "rb") as file:
                    needed = netcdf.needed_bytes(file)
                self.assertIn(path.stat().st_size - needed, range(4), (kind, records, variables))
        with netCDF4.Dataset(path, "w"):
            pass
        with open(path, "rb") as file:
            self.assertEqual(netcdf.needed_bytes(file), 0)

    def test_a_reader_that_leaves_ends_it_quietly(self):
        run = write_run(self.root)
        script = pathlib.Path(score.__file__)
        done = subprocess.run(f"/usr/bin/python3 -B {script} {run} | true", shell=True,
                              capture_output=True, text=True)
        self.assertEqual(done.stderr, "")

    def test_full_standard_output_is_an_error_of_one_line(self):
        run = write_run(self.root, groups=["abrupt_intact"], subjects=1)
        scripts = pathlib.Path(score.__file__).parent
        for name, *arguments in (("score.py", run), ("score.py", run, "--json"), ("plot.py", run),
                                 ("scaling.py", "--help")):
            with open("/dev/full", "w") as full:
                done = subprocess.run(["/usr/bin/python3", "-B", scripts / name, *arguments], stdout=full,
                                      stderr=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stderr),
                             (1, f"{name}: standard output: not written (No space left on device); "
                                 "make room or write it elsewhere\n"))

    def test_a_missing_package_is_named(self):
        run = write_run(self.root)
        start = pathlib.Path(score.__file__).with_name("start.py")
        for script, package in (("score.py", "xarray"), ("score.py", "netCDF4"),
                                ("plot.py", "matplotlib")):
            without = self.root / f"without_{package}"
            without.mkdir()
            (without / f"{package}.py").write_text(f"raise ModuleNotFoundError(name='{package}')")
            done = subprocess.run(["/usr/bin/python3", start, script, run],
                                  env={"PYTHONPATH": str(without)}, stderr=subprocess.PIPE,
                                  text=True)
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn(f"has no {package}; install it (apt-get install python3-xarray",
                          done.stderr)

    def test_strict(self):
        def spoil(group, columns):
            if group == "abrupt_intact":
                columns["angle_third"] = alternating(len(columns["block"])) * 4.0

        good, bad = write_run(self.root / "good"), write_run(self.root / "bad", change=spoil)
        self.assertEqual(self.call(score.main, good, "--strict")[0], 0)
        self.assertEqual(self.call(score.main, bad, "--strict")[0], 1)
        self.assertEqual(self.call(score.main, bad)[0], 0)

    def test_usage(self):
        self.assertEqual(self.call(score.main)[0], 2)
        self.assertEqual(self.call(plot.main, "--no-such-option")[0], 2)

    def test_errors_name_file_and_remedy(self):
        for omitted in ("angle_third", "rotation", "block"):
            run = write_run(self.root / omitted, omit=(omitted,))
            for main in (score.main, plot.main):
                code, out, err = self.call(main, run)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(str(run / "behaviour.nc"), err)
                self.assertIn(f"variable {omitted} is missing", err)
        code, _, err = self.call(score.main, self.root / "nowhere")
        self.assertEqual(code, 2)
        self.assertIn("no such file", err)
        (self.root / "text").mkdir()
        (self.root / "text" / "behaviour.nc").write_text("not NetCDF")
        code, _, err = self.call(score.main, self.root / "text")
        self.assertEqual(code, 2)
        self.assertIn("not a readable NetCDF file", err)
        code, _, err = self.call(score.main, write_run(self.root / "g", omit=("group_name",)))
        self.assertEqual(code, 2)
        self.assertIn("group_name(subject)", err)

    def test_groups_without_rotation_or_baseline_are_left_out(self):
        def still(group, columns):
            columns["rotation"][:] = 0.0

        def at_once(group, columns):
            columns["rotation"][:32] = 30.0

        ABRUPT.update(control=1.0)
        self.addCleanup(lambda: ABRUPT.pop("control"))
        for change in (still, at_once):
            one = lambda group, columns: group == "abrupt_control" and change(group, columns)
            run = write_run(self.root / change.__name__, change=one,
                            groups=["abrupt_intact", "abrupt_control"])
            code, out, err = self.call(score.main, run)
            self.assertEqual((code, err), (0, ""))
            text = ("group abrupt_control has no rotation after an unperturbed baseline: its read-outs "
                    "of a rotation are left out")
            self.assertIn(f"\n{text}\n", out)
            self.assertRegex(out, r"A1 .*0\.9 ± 0\.058 +4 +in\*\n")
            self.assertNotIn("other groups", out)
            self.assertEqual(json.loads(self.call(score.main, run, "--json")[1])["runs"][0]["left_out"],
                             text)
            read = behaviour.read(run, {"angle_third", "reward"})
            figure = plot.draw(read, {})
            self.assertEqual(figure.axes[0].get_ylabel(), "compensation (deg)")
            self.assertTrue(any(text[1:] in t.get_text().replace("\n", " ") for t in figure.texts))

    def test_perturbations_other_than_rotations(self):
        """First and last perturbed trials and those after, minus the baseline, which perturbations end."""
        def pushed(group, columns):
            n = len(columns["block"])
            columns["rotation"][:] = 0.0
            hand = np.where(np.arange(n) % 2, 1.0, -1.0) + 3.0
            hand[32:36] += 10.0
            hand[112:132] += 4.0
            hand[132:136] -= 6.0
            columns["angle_third"] = columns["target_angle"] + hand

        ABRUPT.update(own=1.0)
        self.addCleanup(lambda: ABRUPT.pop("own"))
        for key in ('curl_Ns_m = 8', 'target_jump_deg = -15', 'perturbation = "shift", shift_m = 0.03'):
            run = write_run(self.root / key[:4], groups=["abrupt_own"], change=pushed)
            plan = (run / "resolved.toml").read_text()
            self.assertNotIn("other groups", self.call(score.main, run)[1])
            (run / "resolved.toml").write_text(plan.replace('"rotated", ', f'"rotated", {key}, '))
            out = self.call(score.main, run)[1]
            self.assertRegex(out, r"hand minus baseline, perturbed trials 1-4, deg +10 ± 0")
            self.assertRegex(out, r"hand minus baseline, last fifth of the perturbed trials, deg +4 ± 0")
            self.assertRegex(out, r"hand minus baseline, trials 1-4 after them, deg +-6 ± 0")
            self.assertRegex(out, r"SD in the baseline, deg +1\.02 ± 0")  # sqrt(32 / 31)
            self.assertNotIn("compensat", out)

    def test_experiment_without_any_rotation(self):
        def still(group, columns):
            columns["rotation"][:] = 0.0
            columns["angle_third"] = columns["target_angle"] + 3.0

        run = write_run(self.root, groups=["abrupt_intact"], change=still)
        code, out, err = self.call(score.main, run)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("group abrupt_intact has no rotation after an unperturbed baseline", out)
        self.assertNotIn("A1 ", out)
        self.assertEqual(self.call(plot.main, run)[0], 0)
        figure = plot.draw(behaviour.read(run, {"angle_third", "reward"}), {})
        self.assertEqual(figure.axes[0].get_ylabel(), "hand from target (deg)")
        curve = max((line.get_ydata() for line in figure.axes[0].lines), key=len)
        self.assertTrue(np.allclose(curve, 3.0))


class PlotTest(AnalysisTest):
    def test_a_ramp_is_binned_and_blocks_are_not_mixed(self):
        rotation = np.r_[np.zeros(20), np.linspace(1, 12, 80), np.full(20, 12.0), np.full(20, -12.0)]
        columns = {"rotation": rotation, "block": np.repeat([0, 1, 2, 3, 4], [20, 80, 12, 8, 20])}
        columns["setting"] = np.minimum(columns["block"], 3)
        columns["offer"] = np.zeros(140)
        subject = behaviour.Subject("", 0, None, columns, {}, {}, 12.0, pathlib.Path())
        found = plot.bins(subject, 30)
        np.testing.assert_array_equal(np.concatenate(found), np.arange(140))
        self.assertGreater(min(len(b) for b in found[:-11]), 2)
        self.assertTrue(all(len(set(columns["block"][b])) == 1 for b in found))
        starts = [b[0] for b in found]
        self.assertTrue({20, 100, 112, 120, 121} <= set(starts))

    def test_changes_are_marked(self):
        run = write_run(self.root / "run", groups=["abrupt_own"])
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(plan.replace('{phase = "clamp", trials = 20}',
            '{phase = "clamp", trials = 8}, {phase = "wide", trials = 6, target_radius_m = 0.01}, '
            '{phase = "alike", trials = 6, target_radius_m = 0.01}'))
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["block"][152:] = 4
            file["block"][158:] = 5
        read = behaviour.read(run, {"angle_third", "reward"})
        blocks = behaviour.blocks_of(read.resolved, "abrupt_own")
        for subject in read.groups["abrupt_own"].subjects:
            self.assertEqual(plot.marks(subject, blocks), {32: "rotated", 132: "reversed", 144: "clamp", 152: "wide"})
            self.assertEqual(plot.marks(subject, []), {32: "", 132: "", 144: "", 152: ""})

    def test_targets_and_rewards_in_turns(self):
        """Are marked, but where they come too close, and not mixed, but where outcomes are told apart."""
        turns = [(5, 90, "always"), (5, 270, "never")] * 4 + [(4, 90, "always"), (1, 90, "never")] * 12
        index = np.repeat(range(len(turns)), [trials for trials, _, _ in turns])

        def change(group, columns):
            for name in columns:
                columns[name] = columns[name][: len(index)]
            columns |= {"block": index, "rotation": np.zeros(len(index))}
            columns["target_angle"] = np.array([turns[i][1] for i in index], float)
            columns["reward"] = np.array([turns[i][2] == "always" for i in index], float)

        run = write_run(self.root / "run", groups=["abrupt_own"], change=change)
        blocks = ", ".join(f'{{trials = {trials}, targets_deg = [{target}], reward = "{reward}"}}'
                           for trials, target, reward in turns)
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(re.sub(r"blocks = .*", f"blocks = [{blocks}]", plan))
        read = behaviour.read(run, {"angle_third", "reward", "olive_rate", "reward_prediction_error"})
        subject = read.groups["abrupt_own"].subjects[0]
        marks = plot.marks(subject, behaviour.blocks_of(read.resolved, "abrupt_own"))
        self.assertEqual(list(marks), (np.flatnonzero(np.diff(index)) + 1).tolist())
        for trials in plot.bins(subject, 30):
            self.assertEqual(len(set(subject.targets()[trials])), 1)
        # Not those of trials that follow a single one.
        self.assertEqual(list(plot.thinned(marks, 0.05)), [*range(5, 45, 5), *range(44, 100, 5)])
        figure = plot.draw(read, {})
        self.assertTrue(any(len(set(subject.targets()[b])) > 1 for b in plot.bins(subject, 15, offers=False)))
        self.assertTrue(any("(not where too close)" in t.get_text().replace("\n", " ") for t in figure.texts))

    def test_no_line_leaves_the_axes(self):
        def outlier(group, columns):
            if columns["angle_third"][0] > 7.1:  # of one subject
                columns["angle_third"][50:130] += 90.0

        figure = self.draw(write_run(self.root, groups=["abrupt_intact"], change=outlier))
        low, high = figure.axes[0].get_ylim()
        for line in figure.axes[0].lines:
            if len(line.get_ydata()) > 2:  # of a curve
                self.assertLessEqual(low, np.nanmin(line.get_ydata()))
                self.assertLessEqual(np.nanmax(line.get_ydata()), high)

    def test_labels_of_the_file_tell_groups_apart(self):
        """Where they have nothing in common after the comma; without labels names do."""
        def brains(*labels):
            groups = [behaviour.Group(f"{name}_dose", [], label) for name, label in zip(("low", "high"), labels)]
            plot.tell_apart(groups)
            return [g.brain for g in groups]

        self.assertEqual(brains("20 movements", "80 movements"), ["low_dose", "high_dose"])
        self.assertEqual(brains("Early, levodopa", "Late, levodopa"), ["dose", "dose"])
        self.assertEqual(brains("", ""), ["dose", "dose"])

    def test_figure(self):
        run = write_run(self.root, cut="fewer subjects", rng=np.random.default_rng(1))
        code, out, err = self.call(plot.main, run)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(out.strip(), str(run / "figure.png"))
        first = (run / "figure.png").read_bytes(), (run / "figure.pdf").read_bytes()
        self.assertTrue(first[0].startswith(b"\x89PNG") and first[1].startswith(b"%PDF"))
        self.call(plot.main, run)
        again = (run / "figure.png").read_bytes(), (run / "figure.pdf").read_bytes()
        self.assertEqual(first, again, "the same run gives the same files")

    def test_curves_are_the_data(self):
        run = behaviour.read(write_run(self.root), {"angle_third"})
        x, values = plot.curves(run.groups["abrupt_intact"], behaviour.Subject.fraction, 20)
        # One bin of even length after the first 12 rotated trials: the wiggle averages out.
        parts = plot.bins(run.groups["abrupt_intact"].subjects[0], 20)
        late = next(k for k, p in enumerate(parts) if p[0] >= 44 and len(p) % 2 == 0)
        self.assertAlmostEqual(x[late], np.mean(parts[late]) + 1)
        mean, sem = plot.statistics(values)
        self.assertTrue(np.allclose((mean[late], sem[late]), mean_sem(LATE)))
        mean, sem = plot.statistics(values * 0.9)
        self.assertFalse(np.allclose((mean[late], sem[late]), mean_sem(LATE)))

    def test_points_that_stand_alone_have_their_error(self):
        """Of them there is neither a line nor a band."""
        nan = np.nan
        values = np.array([[1.0, 2.0, nan, 4.0, nan, nan, 7.0], [3.0, 2.0, nan, 8.0, nan, nan, 9.0]])
        axes = plot.plt.figure().subplots()
        plot.draw_curve(axes, np.arange(7.0), values, "black")
        _, bars = axes.collections
        self.assertEqual([bar.tolist() for bar in bars.get_segments()],
                         [[[3.0, 4.0], [3.0, 8.0]], [[6.0, 7.0], [6.0, 9.0]]])
        self.assertEqual(axes.lines[1].get_xydata().tolist(), [[3.0, 6.0], [6.0, 8.0]])

    def test_thalamic_rates_are_toward_the_compensation(self):
        def one_side(sign):
            def change(group, columns):
                turn = sign * np.sign(columns["rotation"].sum())
                for name in ("rotation", "vl_rate_toward"):
                    columns[name] = turn * columns[name]
            return change

        def drawn(sign):
            figure = self.draw(write_run(self.root / str(sign), groups=["full_intact"], subjects=1,
                                         change=one_side(sign)))
            return figure.axes[1].lines[0].get_ydata()

        self.assertAlmostEqual(np.nanmax(drawn(1)), 8 * FULL["intact"])
        np.testing.assert_allclose(drawn(-1), drawn(1))

    def test_finger_movements_have_hits(self):
        def fingers(group, columns):
            columns["rotation"][:] = 0
            columns["angle_third"][:] = columns["angle_end"][:] = np.nan
            columns["felt_angle"] = np.where(np.arange(len(columns["block"])) % 2, 2.0, 0.0)

        run = write_run(self.root, groups=["full_intact", "full_depleted"], subjects=2, change=fingers)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            code, _, err = self.call(plot.main, run)
            self.assertEqual(code, 2)
            self.assertIn("no reaches or finger movements to draw; of probes `quartet tms`", err)
            with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
                file.renameVariable("felt_angle", "fingers")
            code, _, err = self.call(plot.main, run)
        self.assertEqual(code, 0)
        self.assertEqual(err, f"plot.py: {run}/behaviour.nc: no reaches, so hits of finger movements "
                              "are drawn; maps of the fingers: quartet maps\n")
        subject = behaviour.read(run, {"reward"}, {"fingers"}).groups["full_intact"].subjects[0]
        subject.columns["moves_fingers"][:] = True
        for read in (plot.hits, behaviour.Subject.outcomes):  # rewards come in fours, every second trial asks
            found = read(subject)
            self.assertTrue(np.isnan(found[::2]).all())
            self.assertEqual(found[1:8:2].tolist(), [0.0, 1.0, 0.0, 1.0])
        subject.columns["moves_fingers"][20:] = False  # reaches, none of which is far enough
        subject.columns["rests"][30:40] = subject.columns["watched"][40:50] = True
        found = subject.outcomes()
        np.testing.assert_array_equal(np.isnan(found[20:]), (np.arange(20, len(found)) >= 30) &
                                      (np.arange(20, len(found)) < 50))
        np.testing.assert_array_equal(found[50:], subject.columns["reward"][50:])

    def test_trials_without_an_outcome_are_not_unrewarded(self):
        run = write_run(self.root, groups=["reward_intact"])
        path = run / "resolved.toml"
        path.write_text(path.read_text().replace('{phase = "aligned"', '{reward = "none", phase = "aligned"'))
        read = behaviour.read(run, {"angle_third", "reward"}, {"reward_prediction_error"})
        found = read.groups["reward_intact"].subjects[0].outcomes()
        np.testing.assert_array_equal(np.isnan(found), np.arange(len(found)) < 40)
        rewarded, _, unrewarded, *_ = plot.draw(read, {}).axes[1].lines  # each with its points that stand alone
        for line in (rewarded, unrewarded):
            self.assertGreater(line.get_xdata()[np.isfinite(line.get_ydata())].min(), 40)

    def test_groups_without_room_are_said_and_can_be_drawn(self):
        def still(group, columns):
            columns["rotation"][:] = 0

        run = write_run(self.root, subjects=1, change=still, groups=[
            f"{condition}_{brain}" for condition in ("full", "abrupt", "reward")
            for brain in ("intact", "depleted")])
        for name in ("resolved.toml", "behaviour.nc"):  # a condition that the figure has no room for
            path = run / name
            path.write_bytes(path.read_bytes().replace(b"full_depleted", b"rest_depleted"))
        code, _, err = self.call(plot.main, run)
        self.assertEqual((code, err), (0, "plot.py: not drawn for want of room or of a rotation: reward_intact, "
                                          "reward_depleted; draw them alone: --groups reward_intact "
                                          "reward_depleted --out FILE\n"))
        one = write_run(self.root / "one", subjects=1, groups=["full_intact", "abrupt_intact"],
                        change=lambda group, columns: columns["rotation"].__imul__(group != "full_intact"))
        self.assertIn("of a rotation: full_intact; draw them alone", self.call(plot.main, one)[2])
        code, _, err = self.call(plot.main, run, "--groups", "reward_intact", "reward_depleted")
        self.assertEqual((code, err), (0, ""))
        code, _, err = self.call(plot.main, run, "--groups", "reward")
        self.assertEqual(code, 2)
        self.assertIn("no group reward; write some of full_intact, rest_depleted, abrupt_intact", err)

    def test_bins_respect_the_schedule(self):
        run = behaviour.read(write_run(self.root), {"angle_third"})
        subject = run.groups["full_intact"].subjects[0]
        parts = plot.bins(subject, 100)
        self.assertEqual(np.concatenate(parts).tolist(), list(range(subject.trials)))
        for part in parts:
            self.assertEqual(len(set(subject.columns["rotation"][part])), 1)

    def test_panels_of_own_groups(self):
        read = lambda run: behaviour.read(run, {"angle_third", "reward"},
                                          {signal[0] for signal in plot.SIGNALS.values()})
        rename = lambda run: [setattr(g, "name", f"own_{g.brain}") for g in run.groups.values()]
        shipped = read(write_run(self.root / "shipped"))
        figure = plot.draw(shipped, {})
        self.assertEqual(len(figure.axes), 6)
        limits = [axes.get_ylim() for axes in figure.axes[:3]]
        self.assertNotEqual(limits[0], limits[1])
        self.assertEqual(limits[1], limits[2])  # 8 degrees both
        own = read(write_run(self.root / "own", groups=["abrupt_intact", "abrupt_depleted"]))
        rename(own)
        own.groups = {g.name: g for g in own.groups.values()}
        figure = plot.draw(own, {})
        self.assertEqual([axes.get_title(loc="left") for axes in figure.axes],
                         ["own", *(s[1] for s in (plot.OLIVE, plot.PREDICTION, plot.THALAMUS))])

    def label(self, run, **labels):
        path = run / "resolved.toml"
        text = path.read_text()
        for name, label in labels.items():
            text = text.replace(f'name = "{name}"\n', f'name = "{name}"\nlabel = "{label}"\n')
        path.write_text(text)

    def draw(self, run):
        with open(TARGETS, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("error")
            figure = plot.draw(behaviour.read(run, {"angle_third", "reward"},
                                              {s[0] for s in plot.SIGNALS.values()}),
                               tomllib.load(file))
            figure.savefig(io.BytesIO())
        return figure

    def test_labels_in_the_files_order(self):
        own = {"z": 1.0, "10": 0.5, "9": 0.2}
        ABRUPT.update(own)
        self.addCleanup(lambda: [ABRUPT.pop(name) for name in own])
        names = [f"abrupt_{brain}" for brain in own]
        run = write_run(self.root, groups=names, subjects=2)
        legend = lambda: [t.get_text() for t in self.draw(run).legends[0].get_texts()]
        self.assertEqual(legend()[:3], names)
        self.label(run, abrupt_z="_costs $5 and $x_", abrupt_10="Dose, the same",
                   abrupt_9="Dose, the same")
        self.assertEqual(legend()[:3],
                         ["_costs $5 and $x_", *(f"Dose, the same ({n})" for n in names[1:])])
        out = self.call(score.main, run)[1]
        self.assertRegex(out, r"SEM +_costs \$5 and \$x_ +Dose, the same +Dose, the same\n"
                              r" +\(n = 2\) +\(abrupt_10\) \(n = 2\) +\(abrupt_9\) \(n = 2\)\n")

    def test_what_labels_share_names_columns_and_colours(self):
        names = ("abrupt_intact", "abrupt_depleted", "full_intact", "full_depleted")
        run = write_run(self.root, groups=names, subjects=2)
        self.label(run, **{n: f"{c}, {b}" for n, (c, b) in zip(names, (
            ("Step", "well"), ("Step", "ill"), ("Ramp", "well"), ("Ramp", "ill")))})
        figure = self.draw(run)
        self.assertEqual([t.get_text() for t in figure.legends[0].get_texts()],
                         ["well", "ill", "people", "people, end point", "full compensation"])
        lower = [t.get_text() for axes in figure.axes[2:] for t in axes.texts]
        self.assertEqual(lower, ["Abrupt rotation", "Gradual rotation, cursor seen"])
        self.assertTrue(any("Vertical grey lines: " in t.get_text() for t in figure.texts))

    def test_long_titles_and_labels_stay_inside(self):
        names = ("abrupt_intact", "full_intact", "reward_intact")
        run = write_run(self.root, groups=names, subjects=2, title="A long title, uncut. " * 9)
        self.label(run, **{n: f"{n} {'has a label that goes on and on ' * 3}" for n in names})
        text = (run / "resolved.toml").read_text()
        for n in names:  # a brain of its own for each
            text = text.replace(f'"{n}"', f'"my{n[0]}"')
        (run / "resolved.toml").write_text(text)
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["group_name"][:] = netCDF4.stringtochar(
                np.array([f"my{n[0]}" for n in names for _ in range(2)], "S32"))
        figure = self.draw(run)
        self.assertEqual(figure._suptitle.get_text().replace("\n", " ").count("uncut."), 9)
        width, height = figure.get_size_inches() * figure.dpi
        renderer = figure.canvas.get_renderer()
        boxes = {"title": figure._suptitle, "legend": figure.legends[0], "notes": figure.texts[-1]}
        boxes |= {f"axes {k}": axes for k, axes in enumerate(figure.axes)}
        for name, artist in boxes.items():
            box = (artist.get_tightbbox if name[:4] == "axes" else artist.get_window_extent)(renderer)
            self.assertTrue(0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height,
                            (name, box, width, height))
        self.assertGreater(boxes["title"].get_window_extent(renderer).y0,
                           boxes["legend"].get_window_extent(renderer).y1 - 1)
        self.assertGreater(boxes["legend"].get_window_extent(renderer).y0,
                           boxes["axes 0"].get_tightbbox(renderer).y1 - 1)
        self.assertGreater(boxes["axes 0"].get_tightbbox(renderer).y0,
                           boxes["axes 3"].get_tightbbox(renderer).y1 - 1)

    def test_choice_between_unequal_targets_is_drawn(self):
        for reward, drawn in ((0.2, True), (1.0, False)):
            two = {"second_target_deg": 90, "second_reward": reward}
            blocks = [{"phase": "baseline", "trials": 20}, {"phase": "rotated", "trials": 40, **two}]
            one = subject(blocks, rotation=np.repeat([0.0, 20.0], [20, 40]),
                          angle_third=np.full(60, 80.0), chose_second=np.r_[np.ones(40), np.zeros(20)])
            run = behaviour.Behaviour(self.root, "two", "", None,
                                      {"two_intact": behaviour.Group("two_intact", [one])},
                                      {"chose_second": "1", "olive_rate": "Hz"})
            figure = plot.draw(run, {"target": [], "curve": [], "endpoint": []})
            choices = [axes for axes in figure.axes if axes.get_ylim() == (-0.05, 1.05)]
            self.assertEqual(len(choices), 1 if drawn else 0)
            if drawn:
                values = [line.get_ydata() for line in choices[0].lines if len(line.get_ydata()) > 2]
                self.assertAlmostEqual(values[0][-1], 1.0)
                self.assertAlmostEqual(np.nanmin(values[0]), 0.0)

    def test_nothing_compensates_a_clamped_cursor(self):
        run = write_run(self.root, groups=["abrupt_intact"], subjects=2)
        legend = lambda: [t.get_text() for t in self.draw(run).legends[0].get_texts()]
        self.assertIn("full compensation", legend())
        path = run / "resolved.toml"
        path.write_text(path.read_text().replace('{phase = "rotated"',
                                                 '{perturbation = "clamp", phase = "rotated"'))
        self.assertNotIn("full compensation", legend())

    def test_clamped_errors_are_asked_how_far_they_lead(self):
        run = write_run(self.root, groups=["abrupt_intact"], subjects=4)
        headings = lambda figure: [axes.get_title(loc="left") for axes in figure.axes]
        self.assertNotIn(plot.ASYMPTOTE[1], headings(self.draw(run)))
        path = run / "resolved.toml"
        clamped = path.read_text().replace('{phase = "rotated"',
                                           '{perturbation = "clamp", phase = "rotated"')
        path.write_text(clamped)
        figure = self.draw(run)
        self.assertEqual(headings(figure)[1:], [plot.ASYMPTOTE[1]])
        means = [line.get_ydata()[0] for line in figure.axes[1].lines if len(line.get_ydata()) == 1]
        self.assertAlmostEqual(means[0], LATE * 30.0)
        run = write_run(self.root / "random", groups=["abrupt_intact"], change=lambda group, columns:
                        columns["rotation"].__setitem__(slice(132, 144), -30.0))
        path = run / "resolved.toml"
        path.write_text(clamped.replace("{perturbation", '{rotation_sign = "random", rotation_deg = 30, '
                                        'rotation_end_deg = 30, steps = 0, perturbation'))
        self.assertEqual(headings(self.draw(run))[1:], [plot.CORRECTION[1]])

    def test_minus_signs_are_alike(self):
        figure = self.draw(write_run(self.root, subjects=2))
        for axes in figure.axes:
            ticks = axes.yaxis.get_major_formatter().format_ticks([-2.0, 0.0])
            self.assertEqual(ticks[0][0], "\N{MINUS SIGN}")

    def test_scale_is_in_the_footer(self):
        run = behaviour.read(write_run(self.root), {"angle_third", "reward"})
        self.assertTrue(any("Model at brain.scale 0.25" in text.get_text()
                            for text in plot.draw(run, {}).texts))

    def test_without_optional_signals_and_with_other_groups(self):
        run = write_run(self.root, omit=("vl_rate_toward",), groups=["full_intact"], subjects=1)
        self.assertEqual(self.call(plot.main, run)[0], 0)


class SummaryTest(AnalysisTest):
    def test_rows_stand_where_score_says(self):
        self.addCleanup(ABRUPT.update, cerebellar=ABRUPT["cerebellar"])
        ABRUPT.update(cerebellar=0.9)  # too little is lost: out
        for index, groups in enumerate((["abrupt_intact", "abrupt_cerebellar"], ["reward_intact"])):
            write_run(self.root / "card" / f"part{index}", groups=groups)
        results = score.score([self.root / "card"])[1]
        figure = summary.draw(results, "", [])
        drawn = {line.get_gid(): line for line in figure.axes[0].lines}
        texts = [text.get_text() for text in figure.axes[0].texts]
        judged = [r for r in results if r.verdict in ("in", "out")]
        self.assertEqual(set(drawn) - {None}, {r.target["id"] for r in judged})
        self.assertEqual({r.verdict for r in judged}, {"in", "out"})
        for r in judged:
            x, low, high = drawn[r.target["id"]].get_xdata()[0], *r.target["band"]
            self.assertEqual(0.0 <= x <= 1.0 or math.isinf(high) and x >= 0.0
                             or math.isinf(low) and x <= 1.0, r.verdict == "in", r.target["id"])
            beyond = drawn[r.target["id"]].get_marker() in "<>"
            if math.isfinite(high - low) and not beyond:
                self.assertAlmostEqual(low + x * (high - low), r.mean)
            self.assertTrue(any(text.startswith(table.number(r.mean, r.sem)) for text in texts))
        self.assertEqual(texts.count("not run"), score.count(results)["not run"])

    def test_bands_with_one_edge(self):
        for band, mean, place in (((0.0, math.inf), 3.0, 0.5), ((0.0, math.inf), -3.0, -0.5),
                                  ((-math.inf, 0.5), 0.25, 0.5), ((0.8, math.inf), 1.2, 0.5)):
            self.assertAlmostEqual(summary.normaliser({"band": band}, mean)(mean), place)
        self.assertIsNone(summary.normaliser({}, 1.0))

    def test_only_several_runs_get_one(self):
        one = write_run(self.root / "card" / "one", groups=["abrupt_intact"])
        self.assertEqual(self.call(score.main, one)[0], 0)
        self.assertFalse((one / "summary.png").exists())
        write_run(self.root / "card" / "two", groups=["full_intact"])
        self.assertEqual(self.call(score.main, self.root / "card")[0], 0)
        for name in ("summary.png", "summary.pdf"):
            self.assertTrue((self.root / "card" / name).stat().st_size > 0)


class SheetReadoutTest(unittest.TestCase):
    """Read-outs of known rows of maps.py, spines.py, tms.py and nerves.py."""

    def setUp(self):
        self.rows = {}
        patch = mock.patch.object(sheet_readouts, "_all_rows", lambda module, _: self.rows.get(module, []))
        patch.start()
        self.addCleanup(patch.stop)
        self.subject = behaviour._subject(
            "one", 3, 1, {name: np.zeros(1) for name in ("block", "rotation", "target_angle")}, [],
            pathlib.Path("."))

    def read(self, name):
        return getattr(sheet_readouts, name)(self.subject)

    def test_nothing_there(self):
        for name in sheet_readouts.LABELS:
            self.assertTrue(math.isnan(self.read(name)), name)
        self.rows["maps"] = [{"subject": 2, "reference": True}]  # of somebody else
        self.assertTrue(math.isnan(self.read("territory_change")))

    def test_what_cannot_be_read_is_said_and_left_out(self):
        mock.patch.stopall()
        with tempfile.TemporaryDirectory() as folder:
            directory = pathlib.Path(folder)
            (directory / "probes.nc").write_bytes(b"no file")
            said = io.StringIO()
            with contextlib.redirect_stderr(said):
                self.assertEqual(sheet_readouts._all_rows("tms", directory), [])
            self.assertIn("left out: ", said.getvalue())
            self.assertEqual(sheet_readouts._all_rows("maps", directory), [])

    def test_maps(self):
        names = ("territory", "total", "jaccard", "overlap")
        self.rows["maps"] = [
            {"subject": 3, "reference": k == 1} | {f"{name}_change": change * (1 + i)
                                                   for i, name in enumerate(names)}
            for k, change in enumerate((7.0, 0.0, 0.2, 0.05))]
        for name, expected in (("territory_change", 0.2), ("territory_of_practised", 1.2),
                               ("territory_after_rest", 0.05), ("total_change", 0.4),
                               ("jaccard_change", 0.6), ("overlap_change", 0.8)):
            self.assertAlmostEqual(self.read(name), expected, msg=name)
        for row, territory in zip(self.rows["maps"], (8.0, 6.0, 9.0, 7.0)):
            row["territory"] = territory
        self.assertAlmostEqual(self.read("territory_regained"), 0.125)
        self.assertAlmostEqual(self.read("territory_left"), -0.125)
        self.rows["bold"] = [{"subject": 3, "unlikeness": 0.1}, {"subject": 3, "unlikeness": 0.2}]
        self.assertEqual(self.read("patterns_apart"), 0.2)

    def test_what_rest_leaves_is_a_ratio_of_means(self):
        """One subject whose territory hardly changed does not decide."""
        changes = ((0.2, 0.05), (0.25, 0.05), (0.03, 0.02))
        self.rows["maps"] = [{"subject": k, "reference": not i, "territory_change": change}
                             for k, own in enumerate(changes) for i, change in enumerate((0.0, *own))]
        group = behaviour.Group("fingers_separate", [dataclasses.replace(self.subject, member=k, seed=k)
                                                     for k in range(3)])
        result = score.evaluate(targets_by_id()["MAP_RETURN"], {group.name: group})
        self.assertAlmostEqual(result.mean, 0.12 / 0.48)
        self.rows["maps"][1]["territory_change"] = -0.2
        result = score.evaluate(targets_by_id()["MAP_RETURN"], {group.name: group})
        self.assertRegex(result.verdict, "undefined: fingers_separate is not reliably above zero")

    def test_movements(self):
        self.rows["practice"] = [
            {"subject": 3, "block": block, "fingers": fingers, "co_contraction": value,
             "individuation": 1 - value}
            for block, fingers, value in ((1, "2", 0.9), (1, "3", 0.9), (2, "2 3", 0.9), (2, "2", 0.2),
                                          (2, "3", 0.4), (2, "3", math.nan), (3, "2 3", 0.9))]
        self.assertAlmostEqual(self.read("co_contraction"), 0.3)
        self.assertAlmostEqual(self.read("individuation"), 0.7)

    def test_stimulation(self):
        nothing = dict.fromkeys(("rmt", "s50_rmt", "k_rmt", "r2", "sici", "icf", "lici"), math.nan)
        self.rows["tms"] = [{"subject": 3} | nothing | {"rmt": 1.0, "sici": 0.5},
                            {"subject": 3} | nothing | {"rmt": 1.2, "lici": 0.3},
                            {"subject": 4} | nothing | {"rmt": 9.0}]
        self.assertAlmostEqual(self.read("rmt"), 1.1)
        self.assertEqual((self.read("sici"), self.read("lici")), (0.5, 0.3))
        self.assertTrue(math.isnan(self.read("icf")))

    def test_nerves(self):
        names = ("share_before", "share_during", "share_after", "mep", "rmt", "sici")
        self.rows["nerves"] = [{"subject": 3} | dict(zip(names, (0.1, 0.5, 0.2, 1.5, -0.1, 0.3)))]
        self.assertEqual([self.read(f"neighbours_{moment}") for moment in ("before", "during", "after")],
                         [0.1, 0.5, 0.2])
        self.assertEqual([self.read(f"{name}_blocked") for name in ("mep", "rmt", "sici")], [1.5, -0.1, 0.3])

    def test_spines(self):
        keys = ("day", "practice", "per_day", "density", "survival", "survival_coactive",
                "survival_other")
        self.rows["spines"] = [{"subject": 3} | dict(zip(keys, row)) for row in (
            (0, "", math.nan, 1.0, math.nan, math.nan, math.nan),
            (1, "on", 0.06, 1.05, math.nan, math.nan, math.nan),
            (4, "on", 0.10, 1.20, 1.0, 1.0, 1.0),
            (9, "over", 0.04, 1.01, 0.5, 0.6, 0.4))]
        for name, expected in (("formed_first", 0.06), ("formed", 0.09), ("density_trained", 1.2),
                               ("density_end", 1.01), ("new_survive", 0.5),
                               ("new_survive_coactive", 0.6), ("new_survive_other", 0.4)):
            self.assertAlmostEqual(self.read(name), expected, msg=name)


class TargetsTest(unittest.TestCase):
    def test_every_readout_has_a_label(self):
        with open(TARGETS, "rb") as file:
            targets = tomllib.load(file)["target"]
        self.assertLessEqual({t[key]["readout"] for t in targets
                              for key in ("of", "over", "minus") if key in t},
                             set(readouts.LABELS) | set(sheet_readouts.LABELS))
        self.assertEqual(set(readouts.LABELS) & set(sheet_readouts.LABELS), set())

    def test_groups_of_targets_are_those_of_the_standard_experiments(self):
        owners = score.experiments_by_group()
        for target in targets_by_id().values():
            for key in ("of", "over", "minus"):
                if key in target:
                    self.assertIn(target[key]["group"], owners)
        self.assertEqual(list(dict.fromkeys(owners.values())), load_targets()["experiments"])

    def test_targets_are_complete(self):
        with open(TARGETS, "rb") as file:
            targets = tomllib.load(file)
        identifiers = [t["id"] for t in targets["target"]]
        self.assertEqual(len(identifiers), len(set(identifiers)))
        for target in targets["target"]:
            self.assertTrue(target["theme"], target["id"])
            for key in ("of", "over", "minus"):
                if key in target:
                    self.assertTrue(callable(score.readout(target[key]["readout"])))
            if "band" in target:
                self.assertLess(*target["band"])
            if "human" in target:
                self.assertTrue(target["source"])
                low, high = target["band"]
                self.assertTrue(low <= target["human"] <= high, target["id"])
        for curve in targets["curve"]:
            self.assertLessEqual(len(curve["bins"]), 15)
            self.assertTrue(curve["source"] and curve["n"])


if __name__ == "__main__":
    unittest.main()
