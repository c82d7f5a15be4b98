"""Tests of runs/analysis/thalamus.py: cells that follow known signals must be found, and no others.

Run by CTest as `/usr/bin/python3 thalamus_test.py`.
"""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import types
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import analysis_test
import thalamus
from extent_support import assert_extent_is_said

TRIAL_MS, GO_MS, VISION_MS = 850, 370, 60
CELLS = 8  # of each population: 0 follows the error, 1 the reward error, 2 both, others neither
TRIALS = 164  # of the abrupt schedule
PERTURBED = 112  # without its baseline and the trials without a rotation after the reversal


def write_run(directory, convergences=(0.3,), subjects=2, follow=1.0):
    """A run with spikes: counts in the window are 12 + `follow` · 3 z-scores of what a cell follows,
    and noise of SD 2; outside the window there are spikes that follow the wrong signal."""
    rng = np.random.default_rng(3)
    kept = []

    def change(group, columns):
        n = len(columns["block"])
        columns["error"] = rng.normal(0.0, 6.0, n)
        columns["reward_prediction_error"] = rng.normal(0.0, 2.0, n)
        kept.append((columns["error"] / 6.0, columns["reward_prediction_error"] / 2.0))

    groups = ["abrupt_intact", "abrupt_depleted"][: len(convergences)]
    analysis_test.write_run(directory, subjects=subjects, groups=groups, change=change)
    text = (directory / "resolved.toml").read_text()
    for group, value in zip(groups, convergences):
        text = text.replace(f'name = "{group}"\n',
                            f'name = "{group}"\nset = {{brain.thalamus.convergence = {value}}}\n')
    text = (f"[body]\ntrial_ms = {TRIAL_MS}\ngo_ms = {GO_MS}\nvision_delay_ms = {VISION_MS}\n" + text)
    (directory / "resolved.toml").write_text(text)
    spikes = []
    for member, (error, reward) in enumerate(kept):
        for population in (0, 1):
            for cell in range(CELLS):
                signal = {0: error, 1: reward, 2: error + reward}.get(cell, np.zeros(TRIALS))
                mean = 12 + 3 * follow * signal + rng.normal(0.0, 2.0, TRIALS)
                for trial, count in enumerate(np.maximum(np.round(mean), 0).astype(int)):
                    start = trial * TRIAL_MS
                    inside = start + rng.uniform(GO_MS + VISION_MS + 0.5, TRIAL_MS, count)
                    decoy = start + rng.uniform(1, GO_MS, max(0, int(10 + 4 * reward[trial])))
                    spikes += [(t, member, population, cell) for t in np.r_[inside, decoy]]
    time, member, population, cell = np.array(spikes).T
    with netCDF4.Dataset(directory / "thalamus_spikes.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("spike", len(time))
        for name, kind, values in (("time_ms", "f8", time), ("subject", "i4", member),
                                   ("population", "i4", population), ("cell", "u4", cell)):
            file.createVariable(name, kind, ("spike",))[:] = values
        file["population"].flag_meanings = "VL VA TRN"
        file["population"].cells = np.array([CELLS, CELLS, 4], "i8")
        file.recorded_subjects = np.arange(len(kept), dtype="i4")
    return directory


class ThalamusTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(thalamus.plt.close, "all")
        self.root = pathlib.Path(temporary.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = thalamus.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_threshold(self):
        """Tables of Student's t: .995 quantiles."""
        for freedom, quantile in ((26, 2.7787), (60, 2.6603), (100, 2.6259), (1000, 2.5808)):
            self.assertAlmostEqual(thalamus.threshold(freedom), quantile, delta=1e-3)

    def test_coefficients(self):
        """t values are those of the textbook, with a slow drift and targets that do not count."""
        rng = np.random.default_rng(1)
        n = 50
        number = np.r_[:20, 60:90]  # trials between are left out
        error, reward, drift = rng.normal(size=n), rng.normal(size=n), number / 10.0
        target = np.arange(n) % 3
        rates = np.column_stack([2.0 * error + drift + 5.0 * target**2, np.full(n, 7.0)])
        rates[:, 0] += 0.5 * rng.normal(size=n)
        t_error, t_reward = thalamus.follows(rates, error, reward, number, target)
        x = np.column_stack([error, reward, number, target == 0, target == 1, target == 2])
        solution, rest, *_ = np.linalg.lstsq(x, rates[:, 0], rcond=None)
        exact = solution / np.sqrt(rest[0] / thalamus.freedom(target) * np.diag(np.linalg.inv(x.T @ x)))
        self.assertAlmostEqual(t_error[0], exact[0], places=8)
        self.assertAlmostEqual(t_reward[0], exact[1], places=8)
        self.assertTrue(np.isnan(t_error[1]) and np.isnan(t_reward[1]))  # it never changes
        self.assertEqual(thalamus.kinds(t_error, t_reward, 2.7).tolist(), [0, 3])

    def test_what_cells_prefer_of_targets_does_not_count(self):
        """Errors differ between targets as well as rates, and neither is of the trial."""
        rng = np.random.default_rng(1)
        target = np.arange(120) % 3
        error, reward = 6.0 * target + rng.normal(size=120), rng.normal(size=120)
        rates = 4.0 * target[:, None] + rng.normal(size=(120, 50))
        limit = thalamus.threshold(thalamus.freedom(target))
        found = thalamus.kinds(*thalamus.follows(rates, error, reward, np.arange(120), target), limit)
        self.assertGreater(np.mean(found == thalamus.KINDS.index("neither")), 0.9)
        order = thalamus.shuffled_within(target, rng)
        self.assertFalse((order == np.arange(120)).all())
        np.testing.assert_array_equal(target[order], target)

    def test_the_last_spikes_of_a_trial_are_its_own(self):
        time = np.array([0.5, TRIAL_MS - 0.5, TRIAL_MS, TRIAL_MS + 0.5, 2 * TRIAL_MS])
        columns = {"time_ms": time, "subject": 0 * time, "population": 0 * time, "cell": 0 * time}
        file = {name: types.SimpleNamespace(values=values) for name, values in columns.items()}
        rates = thalamus.rates_by_trial(file, 0, 0, 1, (0, TRIAL_MS), TRIAL_MS, 2)
        np.testing.assert_allclose(rates[:, 0], np.array([3, 2]) * 1000 / TRIAL_MS)

    def test_cells_are_found(self):
        rows, _ = thalamus.measure(write_run(self.root / "run"))
        self.assertEqual(len(rows), 2 * 2 * CELLS)
        wanted = {0: "error", 1: "reward", 2: "mixed"}
        known = [row for row in rows if row["cell"] in wanted]
        self.assertTrue(all(row["kind"] == wanted[row["cell"]] for row in known))
        self.assertTrue(all(row["trials"] == PERTURBED for row in rows))
        others = [row["kind"] == "neither" for row in rows if row["cell"] not in wanted]
        self.assertGreater(np.mean(others), 0.8)  # p < .01 twice: one in fifty by chance
        self.assertLess(np.mean([row["shuffled_mixed"] for row in rows]), 0.01)

    def test_trials_of_a_washout_are_not_perturbed(self):
        """Also where they stand between perturbed ones."""
        run = write_run(self.root / "run")
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["rotation"][60:80] = 0.0
        rows, _ = thalamus.measure(run)
        self.assertEqual({row["trials"] for row in rows}, {PERTURBED - 20})
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["rotation"][:] = 0.0
        code, out, err = self.call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no recorded subject has 30 perturbed trials that reach an end (and one more for "
                      "every further target), which a regression wants; give blocks a perturbation, or more trials", err)

    def test_who_has_too_few_perturbed_trials_is_left_out(self):
        """A group without any, or a subject of another; it is said which."""
        run = write_run(self.root / "run", convergences=(0.0, 0.6))
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["rotation"][:, 2:] = 0.0  # both of the second group
        code, out, err = self.call(run, "--json")
        self.assertEqual(code, 0)
        self.assertEqual({r["group"]: r["n"] for r in json.loads(out)}, {"abrupt_intact": 2})
        self.assertEqual(err, "thalamus.py: left out: group abrupt_depleted (fewer than 30 perturbed "
                              "trials that reach an end, and one more for every further target)\n")
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:
            file["rotation"][:, 1] = 0.0
        code, out, err = self.call(run, "--json")
        self.assertEqual({r["group"]: r["n"] for r in json.loads(out)}, {"abrupt_intact": 1})
        self.assertIn("left out: subject 1 (abrupt_intact), group abrupt_depleted (", err)
        _, left = thalamus.measure(run)
        figure = thalamus.draw(json.loads(out), "", "", left)
        named = "Left out: subject 1 (abrupt_intact), group abrupt_depleted (fewer than 30 "
        self.assertTrue(any(named in text.get_text() for text in figure.texts))

    def test_without_a_signal_nothing_is_found(self):
        rows, _ = thalamus.measure(write_run(self.root / "run", follow=0.0))
        self.assertLess(np.mean([row["kind"] != "neither" for row in rows]), 0.15)

    def test_command(self):
        run = write_run(self.root / "run", convergences=(0.0, 0.6))
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"abrupt_intact +0 +VL +8 +2 +0\.125.* +0\.125.* +0\.125")
        self.assertRegex(out, r"abrupt_depleted +0\.6 +all +16 ")
        self.assertTrue((run / "thalamus.png").read_bytes().startswith(b"\x89PNG"))
        self.assertEqual(len((run / "units.csv").read_text().splitlines()), 1 + 2 * 2 * 2 * CELLS)
        records = json.loads(self.call(run, "--json")[1])
        self.assertEqual([r["convergence"] for r in records], [0.0] * 3 + [0.6] * 3)
        first = (run / "thalamus.pdf").read_bytes()
        self.call(run)
        self.assertEqual(first, (run / "thalamus.pdf").read_bytes())

    def test_what_was_cut_is_said(self):
        assert_extent_is_said(self, thalamus, write_run(self.root / "run"), "Cells of motor thalamus")

    def test_no_curve_is_cut(self):
        """The first panel does not fix the top of the others, and zero is above the frame."""
        records = [{"group": str(c), "population": p, "convergence": c, "n": 1} | {
            f"{before}{kind}{after}": share for kind in thalamus.KINDS
            for before, after in (("", ""), ("", "_sem"), ("shuffled_", ""))}
            for p, share in (("VL", 0.01), ("VA", 0.5), ("all", 0.3)) for c in (0, 1)]
        for axes in thalamus.draw(records, "", "", "").axes:
            self.assertGreater(axes.get_ylim()[1], 0.5)
            self.assertLess(axes.get_ylim()[0], 0)
            self.assertEqual(axes.get_xlabel(), "convergence")
        same = [r | {"convergence": 0} for r in records]
        for records, names in ((same, ["0", "1"]), ([r for r in same if r["group"] == "0"], ["0"])):
            for axes in thalamus.draw(records, "", "", "").axes:  # groups stand side by side, by their names
                self.assertEqual([t.get_text() for t in axes.get_xticklabels()], names)

    def test_what_is_missing_is_said(self):
        run = write_run(self.root / "run")
        (run / "thalamus_spikes.nc").rename(run / "away")
        code, out, err = self.call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no thalamus_spikes.nc; record spikes: --set record.spikes.subjects=1", err)
        self.assertEqual(self.call(self.root / "nowhere")[0], 2)


if __name__ == "__main__":
    unittest.main()
