"""Tests of runs/analysis/energy.py: powers of a run whose counts and joules are known.

Run by CTest as `/usr/bin/python3 energy_test.py`.
"""

import contextlib
import csv
import io
import pathlib
import re
import sys
import tempfile
import unittest
import unittest.mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import analysis_test
import energy

TERMS = ("spikes", "rest", "plasticity")
HOT = (4, 3)  # column and row of the sheet
SECONDS, CELLS = 2.0, np.array([4, 6])  # of a trial; of the two populations


def write_run(directory):
    """Joules of term k of population p in an aligned trial are (k + 1) (p + 1); in all others twice
    that, and in groups after the first ten times. Spikes: 8 per cell, and 16. Every bin of the sheet
    transmits with 1 J, and after alignment with 2 J (the second subject of a group with 4 J), and a
    joule more in the bin at HOT."""
    analysis_test.write_run(directory, subjects=2, groups=["abrupt_intact", "abrupt_depleted"])
    with netCDF4.Dataset(directory / "behaviour.nc") as file:
        block, group = file["block"][:], file["group"][:]
    aligned = block == 0
    factor = np.where(aligned, 1.0, 2.0) * np.where(group == 0, 1.0, 10.0)
    joules = factor[:, :, None, None] * np.array([1.0, 2.0])[:, None] * np.arange(1, 4)
    spikes = np.where(aligned, 8.0, 16.0)[:, :, None] * CELLS
    for region in energy.REGIONS:
        with netCDF4.Dataset(directory / f"{region}_energy.nc", "w",
                             format="NETCDF3_64BIT_DATA") as file:
            file.trial_duration_ms = 1000 * SECONDS
            for name, size in (("trial", None), ("subject", group.size), ("population", 2),
                               ("term", 3), ("letters", 10)):
                file.createDimension(name, size)
            for name, texts in (("population", ("first", "second")), ("term", TERMS)):
                file.createVariable(name, "S1", (name, "letters"))[:] = netCDF4.stringtochar(
                    np.array(texts, "S10"))
                file[name]._Encoding = "utf-8"
            axes = ("trial", "subject", "population")
            file.createVariable("energy", "f8", (*axes, "term"))[:] = joules
            file.createVariable("energy_rule_of_thumb", "f8", axes)[:] = 2e-9 * spikes
            file.createVariable("spikes", "f8", axes)[:] = spikes
            file.createVariable("cells", "f8", axes)[:] = np.broadcast_to(CELLS, spikes.shape)
            if region != "cortex":
                continue
            for axis, size in (("sheet_y", 6), ("sheet_x", 18)):
                file.createDimension(axis, size)
                file.createVariable(axis, "f8", (axis,))[:] = np.arange(size) + 0.5
            transmission = np.ones((*block.shape, 6, 18))
            transmission[~aligned] = 2
            transmission[~aligned & (np.arange(group.size) % 2 == 1)] = 4
            transmission[~aligned, HOT[1], HOT[0]] += 1
            file.createVariable("transmission_energy", "f8",
                                ("trial", "subject", "sheet_y", "sheet_x"))[:] = transmission
    return directory


class EnergyTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.run_directory = write_run(pathlib.Path(temporary.name) / "run")

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = energy.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def measure(self, between=None, what=energy.measure):
        run = energy.behaviour.read(self.run_directory, set())
        phases = energy.phases_between(run.groups.values(), between)
        return what(self.run_directory, run, phases)

    def test_powers(self):
        rows = self.measure(["aligned", "rotated"])
        self.assertEqual(len(rows), 2 * 4 * 3)
        for tenfold, group in ((1, "abrupt_intact"), (10, "abrupt_depleted")):
            first, second, both = [row for row in rows
                                   if (row["group"], row["region"]) == (group, "thalamus")]
            self.assertEqual((first["population"], both["population"]), ("first", "all"))
            self.assertEqual((first["cells"], both["cells"]), (4, 10))
            self.assertAlmostEqual(first["rate_hz"], 8 / SECONDS)
            self.assertAlmostEqual(first["rest_watt"], tenfold * 2 / SECONDS)
            self.assertAlmostEqual(second["rest_watt"], tenfold * 4 / SECONDS)
            self.assertAlmostEqual(both["total_watt"], tenfold * 18 / SECONDS)
            self.assertAlmostEqual(both["total_without_plasticity_watt"], tenfold * 9 / SECONDS)
            self.assertAlmostEqual(both["change_watt"], tenfold * 18 / SECONDS)
            self.assertAlmostEqual(both["change_share"], 1)
            self.assertAlmostEqual(both["change_rate_hz"], 8 / SECONDS)
            thumb = 2e-9 * 8 * 10 / SECONDS  # watts of ten cells, and its change
            self.assertAlmostEqual(both["change_rule_of_thumb_watt"] / thumb, 1)
            self.assertAlmostEqual(both["change_rule_of_thumb_share_of_brain"] / (thumb / 20), 1)

    def test_rates_are_of_the_cells_that_live_in_a_phase(self):
        """Half of the cells die after alignment, and the others fire as before."""
        for region in energy.REGIONS:
            with netCDF4.Dataset(self.run_directory / f"{region}_energy.nc", "a") as file:
                file["cells"][32:] = np.broadcast_to(CELLS / 2, file["cells"][32:].shape)
                file["spikes"][32:] = np.broadcast_to(8.0 * CELLS / 2, file["spikes"][32:].shape)
        for row in self.measure(["aligned", "rotated"]):
            self.assertEqual((row["rate_hz"], row["change_rate_hz"]), (8 / SECONDS, 0))
        for row in self.measure(["rotated", "aligned"]):
            self.assertEqual((row["rate_hz"], row["change_rate_hz"]), (8 / SECONDS, 0))

    def test_rounding_is_no_change(self):
        """Means of the same number over 32 and over 100 trials differ in their last bits."""
        with netCDF4.Dataset(self.run_directory / "thalamus_energy.nc", "a") as file:
            for name in ("energy", "energy_rule_of_thumb", "spikes"):
                file[name][:] = np.full(file[name].shape, 0.1)
        rows = [row for row in self.measure(["aligned", "rotated"]) if row["region"] == "thalamus"]
        for key in ("change_rate_hz", "change_watt", "change_rule_of_thumb_watt", "change_share"):
            self.assertEqual([row[key] for row in rows], [0] * 6, key)
        with netCDF4.Dataset(self.run_directory / "cortex_energy.nc", "a") as file:
            file["transmission_energy"][:] = np.full(file["transmission_energy"].shape, 0.1)
        sheet = self.measure(["aligned", "rotated"], energy.measure_sheet)
        self.assertEqual({row["change_share"] for row in sheet}, {0})

    def test_blocks_without_a_phase_have_their_number(self):
        named = self.measure(["aligned", "rotated"])
        path = self.run_directory / "resolved.toml"
        path.write_text(re.sub(r'phase = "\w+", ', "", path.read_text()))
        self.assertEqual([row | {"phase": "aligned", "other_phase": "rotated"}
                          for row in self.measure()], named)
        code, out, _ = self.call(self.run_directory)
        self.assertEqual(code, 0)
        self.assertIn("nW in block 0; change to block 1", out)
        self.assertIn("abrupt_intact: block 0, block 1, block 2, block 3",
                      self.call(self.run_directory, "--between", "block 0", "nowhere")[2])

    def test_groups_that_lack_a_phase_are_left_out(self):
        path = self.run_directory / "resolved.toml"
        first, second = path.read_text().split("[schedules.s1]")
        path.write_text(first + "[schedules.s1]" + second.replace("aligned", "baseline"))
        code, out, err = self.call(self.run_directory, "--between", "aligned", "rotated")
        self.assertEqual(code, 0)
        self.assertIn("abrupt_intact: nW in aligned; change to rotated", out)
        self.assertNotIn("abrupt_depleted", out)
        self.assertEqual(err, "energy.py: left out: abrupt_depleted has no phase aligned; it has "
                              "baseline, rotated, reversed, clamp\n")

    def test_command(self):
        code, out, err = self.call(self.run_directory, "--between", "aligned", "rotated")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("abrupt_depleted: nW in aligned; change to rotated (mean of 2 subjects)", out)
        with open(self.run_directory / "energy.csv", encoding="utf-8") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2 * 4 * 3)
        self.assertIn("abrupt_intact    aligned to rotated  2  ", out)
        self.assertIn("(4.5, 3.5)", out)
        for name in ("bold.csv", "bold.png", "bold.pdf"):
            self.assertTrue((self.run_directory / name).is_file(), name)

    def test_map_of_the_sheet(self):
        rows = self.measure(["aligned", "rotated"], energy.measure_sheet)
        self.assertEqual(len(rows), 2 * 6 * 18)
        own = rows[:6 * 18]
        for row in own:
            self.assertAlmostEqual(row["watt"], 1 / SECONDS)  # even: blurred it is as it was
            self.assertEqual(row["subjects"], 2)
            self.assertAlmostEqual(row["change_share_sem"], 1)  # subjects rise by 1 and 3
        change = {(row["x"], row["y"]): row["change_share"] - 2 for row in own}
        x, y = HOT[0] + 0.5, HOT[1] + 0.5
        self.assertEqual(max(change, key=change.get), (x, y))
        self.assertAlmostEqual(change[17.5, 5.5], 0, places=6)
        # The blur is a Gaussian whose width at half its height is 2.3 mm, of .8 mm each.
        for steps in (1, 2):
            share = 0.5 ** ((2 * steps * 0.8 / 2.3) ** 2)
            self.assertAlmostEqual(change[x + steps, y] / change[x, y], share, delta=0.02)
            self.assertAlmostEqual(change[x, y - steps] / change[x, y], share, delta=0.08)  # ends

    def test_figure_of_the_sheet(self):
        rows = self.measure(["aligned", "rotated"], energy.measure_sheet)
        figure = energy.bold.draw(rows, {"abrupt_intact": "A", "abrupt_depleted": "B"}, "", "")
        image = figure.axes[0].images[0]
        self.assertEqual((image.origin, list(image.get_extent())), ("lower", [0, 18, 0, 6]))
        row, column = np.unravel_index(np.argmax(image.get_array()), (6, 18))
        self.assertEqual((column, row), HOT)
        note = "No map of other: without both phases."
        for labels, named in (({}, False), ({"other": "C"}, True)):
            figure = energy.bold.draw(rows, {"abrupt_intact": "A", "abrupt_depleted": "B"} | labels, "", "")
            self.assertEqual(any(note in text.get_text() for text in figure.texts), named)

    def test_a_silent_sheet_has_no_change_and_spoils_no_other(self):
        with netCDF4.Dataset(self.run_directory / "cortex_energy.nc", "a") as file:
            file["transmission_energy"][:, :2] = 0  # of the first group
        rows = self.measure(["aligned", "rotated"], energy.measure_sheet)
        self.assertTrue(np.isnan([row["change_share"] for row in rows[:6 * 18]]).all())
        labels = {"abrupt_intact": "A", "abrupt_depleted": "B"}
        limits = [axes.images[0].get_clim() for axes in energy.bold.draw(rows, labels, "", "").axes[:2]]
        self.assertEqual(limits[0], limits[1])
        self.assertGreater(limits[0][1], 200)
        self.assertRegex(self.call(self.run_directory)[1],
                         r"abrupt_intact +aligned to rotated +2 +- +- +- +- +- +-")

    def test_unlikeness_of_patterns(self):
        one, other = np.array([3.0, 0, 4]), np.array([0, 5.0, 0])
        twice = lambda pattern: np.array([pattern, 2 * pattern])
        self.assertAlmostEqual(energy.bold.unlikeness({1: twice(one), 2: twice(one)}), 0)
        self.assertAlmostEqual(energy.bold.unlikeness({1: twice(one), 2: twice(other)}), 1)
        between = one + other  # 45 degrees from both
        self.assertAlmostEqual(energy.bold.unlikeness({1: twice(one), 2: twice(between)}), 1 - 0.5**0.5)
        self.assertAlmostEqual(energy.bold.unlikeness({1: twice(one), 2: twice(other), 3: twice(between)}),
                               (1 + 2 * (1 - 0.5**0.5)) / 3)
        # Noise that halves do not share is not counted.
        noisy = np.array([one + [0, 100.0, 0], one])
        self.assertAlmostEqual(energy.bold.unlikeness({1: noisy, 2: np.array([one, one])}), 0)
        self.assertTrue(np.isnan(energy.bold.unlikeness({1: np.array([one, -one]), 2: twice(other)})))

    def test_fingers_that_move_alone(self):
        with netCDF4.Dataset(self.run_directory / "behaviour.nc", "a") as file:
            block = file["block"][:]
            resting = self.run_directory / "resolved.toml"
            resting.write_text(resting.read_text().replace('phase = "aligned"',
                                                           'task = "rest", phase = "aligned"'))
            alone = np.where(np.arange(len(block)) % 2, 2, 4)[:, None]  # digits 2 and 3 in turn
            asked = np.where(block == 1, alone, np.where(block == 2, 6, 0))
            file.createVariable("fingers", "i4", ("trial", "subject"))[:] = asked
        with netCDF4.Dataset(self.run_directory / "cortex_energy.nc", "a") as file:
            watts = np.ones((*block.shape, 6, 18))
            watts[asked == 2, 3, 2] += 1
            watts[asked == 4, 3, 16] += 1  # far off: nothing in common
            watts[:, 1][asked[:, 1] == 4, 3, 2] += 1  # but in the second subject
            watts[:, 1][asked[:, 1] == 4, 3, 16] -= 1
            file["transmission_energy"][:] = watts
        rows = energy.bold.fingers(self.run_directory)
        self.assertEqual([(row["subject"], row["block"], row["phase"], row["fingers"]) for row in rows],
                         [(k, 1, "rotated", "2 3") for k in range(4)])  # together is not alone
        for row, expected in zip(rows, (1, 0, 1, 1)):
            self.assertAlmostEqual(row["unlikeness"], expected, places=6)
        code, out, _ = self.call(self.run_directory)
        self.assertEqual(code, 0)
        self.assertEqual(rows[0]["rest_trials"], energy.bold.NEAREST)
        self.assertRegex(out, r"abrupt_intact +rotated +2 3 +2 +0.5 ± 0.5")
        with open(self.run_directory / "bold_fingers.csv", encoding="utf-8") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 4)

    def test_rest_is_the_nearest_on_the_same_side_of_lesions(self):
        blocks = [{}, {"lesion_radius": 1.0}, {}, {}]
        block = np.repeat(np.arange(4.0), (30, 3, 5, 30))
        subject = unittest.mock.Mock(columns={"block": block, "rests": block != 2})
        near = energy.bold.nearest_rest(subject, np.arange(33, 38), blocks)
        self.assertEqual(near.tolist(), [30, 31, 32, *range(38, 55)])

    def test_missing_values_and_equal_phases_are_refused(self):
        code, _, err = self.call(self.run_directory, "--between", "aligned", "aligned")
        self.assertEqual(code, 2)
        self.assertIn("a phase does not differ from itself", err)
        with netCDF4.Dataset(self.run_directory / "cortex_energy.nc", "a") as file:
            file["transmission_energy"][0, 0, 2, 3] = np.nan
        code, _, err = self.call(self.run_directory)
        self.assertEqual(code, 2)
        self.assertIn("transmission_energy has missing values in abrupt_intact", err)

    def test_groups_of_one_phase_have_no_map(self):
        (self.run_directory / "bold.csv").write_text("of an earlier call")
        path = self.run_directory / "resolved.toml"
        path.write_text(re.sub(r'phase = "\w+"', 'phase = "one"', path.read_text()))
        code, out, err = self.call(self.run_directory)
        self.assertEqual(code, 0)
        self.assertNotIn("BOLD", out)
        self.assertFalse((self.run_directory / "bold.csv").exists())
        self.assertIn("energy.py: no map of abrupt_intact, which has one phase\n", err)

    def test_runs_without_a_map_have_their_ledger(self):
        with netCDF4.Dataset(self.run_directory / "cortex_energy.nc", "a") as file:
            file.renameVariable("transmission_energy", "other")
        code, out, err = self.call(self.run_directory)
        self.assertEqual(code, 0)
        self.assertIn("All regions: ", out)
        self.assertIn("has no map of the sheet; run the experiment again", err)
        self.assertFalse((self.run_directory / "bold.csv").exists())

    def test_refusals(self):
        code, _, err = self.call(self.run_directory, "--between", "aligned", "nowhere")
        self.assertEqual(code, 2)
        self.assertIn("no group has the phases aligned and nowhere; write two of", err)
        self.assertIn("abrupt_intact: aligned, rotated, reversed, clamp; abrupt_depleted: ", err)
        (self.run_directory / "cortex_energy.nc").unlink()
        code, _, err = self.call(self.run_directory)
        self.assertEqual(code, 2)
        self.assertIn("cortex_energy.nc: no such file; copy it from where", err)

    def test_powers_without_a_place_to_write_are_printed(self):
        (self.run_directory / "energy.csv").mkdir()  # nothing can replace it, not even for root
        code, out, err = self.call(self.run_directory)
        self.assertEqual(code, 0)
        self.assertIn("All regions: ", out)
        self.assertRegex(err, r"\Aenergy.py: .*energy.csv: not written \(.+\), but printed; .*\n\Z")


if __name__ == "__main__":
    unittest.main()
