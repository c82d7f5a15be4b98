"""Tests of runs/analysis/maps.py: maps of known weights, and what it says of a run.

Run by CTest as `/usr/bin/python3 maps_test.py`.
"""

import contextlib
import csv
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest
import warnings

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import netCDF4
import numpy as np

import behaviour
import maps
import sheet

NX, NY = 36, 12  # cells of either layer, on a grid
SYNAPSES = 40


def grid():
    x, y = np.meshgrid((np.arange(NX) + 0.5) * sheet.WIDTH / NX, (np.arange(NY) + 0.5) * sheet.HEIGHT / NY)
    return x.ravel(), y.ravel()


def wiring(sd, rng):
    """Sources of each cell: the nearest to points at a Gaussian distance."""
    x, y = grid()
    px = np.clip(x[:, None] + sd * rng.normal(size=(x.size, SYNAPSES)), 0, sheet.WIDTH - 1e-6)
    py = np.clip(y[:, None] + sd * rng.normal(size=(x.size, SYNAPSES)), 0, sheet.HEIGHT - 1e-6)
    return (py / sheet.HEIGHT * NY).astype(int) * NX + (px / sheet.WIDTH * NX).astype(int)


def taught(sources, towards):
    """Weights on index and middle cells after practice: synapses from sources that lie between the
    two fields gain (`towards` > 0) or lose, and each cell's sum stays."""
    x, y = grid()
    middle, index = sheet.FIELDS["middle"], sheet.FIELDS["index"]
    between = np.abs(x - (middle[0] + index[0]) / 2) < 0.5
    weights = np.full(sources.shape, 0.0125)
    own = np.abs(x - (middle[0] + index[0]) / 2) < 1.5
    weights[own] *= 1 + towards * between[sources[own]]
    return weights * 0.5 / weights.sum(axis=1, keepdims=True)


def write_run(directory, groups, fingers=(2, 3)):
    """A run of three blocks (2, 8 and 4 trials) whose practice changed weights: towards each other
    (positive numbers of `groups`) or apart; rest undid half of it."""
    asked = np.array([0] * 2 + [2, 4, 6, 0, 2, 4, 2, 4] + [0] * 4)
    columns = {"block": np.repeat([0, 1, 2], [2, 8, 4]), "rotation": 0 * asked,
               "target_angle": 0 * asked, "fingers": asked, "reward": asked > 0,
               "reward_prediction_error": 0 * asked}
    for k, finger in enumerate(sheet.FINGERS):
        columns[f"rate_{finger}"] = np.where(asked >> k & 1, 40.0, 10.0)
        columns[f"flexion_{finger}"] = np.where(asked >> k & 1, 4.0, 1.0)
    directory.mkdir(parents=True)
    with netCDF4.Dataset(directory / "behaviour.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("trial", None)
        file.createDimension("subject", len(groups))
        file.createDimension("name_length", 20)
        for name, values in columns.items():
            file.createVariable(name, "f8", ("trial", "subject"))[:] = values[:, None] * np.ones(
                len(groups))
        file.createVariable("group", "i4", ("subject",))[:] = range(len(groups))
        file.createVariable("group_name", "S1", ("subject", "name_length"))[:] = \
            netCDF4.stringtochar(np.array(list(groups), "S20"))
    blocks = [{"trials": 2, "phase": "before", "task": "rest"},
              {"trials": 8, "phase": "practice", "task": "fingers", "fingers": list(fingers),
               "finger_correlation": 0.5},
              {"trials": 4, "phase": "rest", "task": "rest"}]
    text = "[schedules.s]\nblocks = [\n"
    for block in blocks:
        text += "{" + ", ".join(f"{k} = {json.dumps(v)}" for k, v in block.items()) + "},\n"
    text += "]\n" + "".join(f'[[group]]\nname = "{g}"\nschedule = "s"\n' for g in groups)
    (directory / "resolved.toml").write_text(text)

    rng = np.random.default_rng(1)
    direct, lateral = wiring(0.5, rng), wiring(0.7, rng)
    x, y = grid()
    with netCDF4.Dataset(directory / "cortex_weights.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.createDimension("snapshot", None)
        file.createDimension("recorded_subject", len(groups))
        file.createDimension("letters", 20)
        file.createVariable("recorded_subject", "i4", ("recorded_subject",))[:] = range(len(groups))
        for name, sources in (("L23E_L5PT", direct), ("L23E_L23E", lateral)):
            cells = file.createDimension(f"cell_{name}", x.size).name
            synapse = file.createDimension(f"synapse_{name}", SYNAPSES).name
            for which in ("source", "target"):
                for axis, values in (("x", x), ("y", y)):
                    file.createVariable(f"{which}_{axis}_{name}", "f4", (cells,))[:] = values
            file.createVariable(f"source_{name}", "i4", ("recorded_subject", cells, synapse))[:] = \
                [sources] * len(groups)
            file.createVariable(f"weight_{name}", "f4", ("snapshot", cells, synapse))
        for name in ("subject", "trial"):
            file.createVariable(name, "i4", ("snapshot",))
        file.createVariable("group_name", "S1", ("snapshot", "letters"))
        at = 0
        for member, (group, towards) in enumerate(groups.items()):
            for trial, change in ((0, 0), (2, 0), (10, towards), (14, towards / 2)):
                file["subject"][at], file["trial"][at] = member, trial
                file["group_name"][at] = list(group.ljust(20))
                file["weight_L23E_L5PT"][at] = taught(direct, change)
                file["weight_L23E_L23E"][at] = np.full(lateral.shape, 0.0125)
                at += 1
    return directory


class Sheet(unittest.TestCase):
    def test_is_that_of_the_brain(self):
        """What the analyses say of the sheet is what regions/ builds."""
        regions = pathlib.Path(__file__).resolve().parents[2] / "regions"
        fields, sizes = ((regions / name).read_text() for name in ("sheet.hpp", "sizes.hpp"))
        found = re.findall(r'{"(\w+)", ([\d.]+), ([\d.]+)}', fields)
        self.assertEqual(list(sheet.FIELDS.values()), [(float(x), float(y)) for _, x, y in found])
        self.assertEqual(list(map(sheet.name_in_files, sheet.FIELDS)), [name for name, *_ in found])
        self.assertEqual(sheet.FIELD_SD, float(re.search(r"kFieldSd = ([\d.]+)", fields)[1]))
        size = re.search(r"kSheetWidth = (\d+), kSheetHeight = (\d+)", sizes)
        self.assertEqual((sheet.WIDTH, sheet.HEIGHT), (float(size[1]), float(size[2])))


class Indices(unittest.TestCase):
    def setUp(self):
        self.x, self.y = maps.sites()

    def bump(self, x, sd=0.8):
        return np.exp(-((self.x - x) ** 2 + (self.y - 3) ** 2) / (2 * sd**2))

    def test_of_gaussian_maps(self):
        a, b = self.bump(13.0), self.bump(14.4)
        np.testing.assert_allclose(maps.centre(a), [13, 3], atol=0.01)
        # Above a tenth: a disk of radius sd sqrt(2 ln 10).
        self.assertAlmostEqual(maps.area(a) / (np.pi * 0.8**2 * 2 * np.log(10)), 1, delta=0.03)
        found = maps.pair(a, b)
        self.assertAlmostEqual(found["distance"], 1.4, delta=0.01)
        # Two Gaussians share the mass beyond the middle on both sides; their product is one as well.
        self.assertAlmostEqual(found["overlap"], 0.3816, delta=0.01)
        self.assertAlmostEqual(found["cosine"], np.exp(-(1.4**2) / (4 * 0.8**2)), delta=0.005)
        nearer = maps.pair(a, self.bump(14.0))
        for name in ("overlap", "cosine", "jaccard"):
            self.assertGreater(nearer[name], found[name] + 0.05)
        same = maps.pair(a, 3 * a)
        for name in ("overlap", "cosine", "jaccard"):
            self.assertAlmostEqual(same[name], 1)

    def test_empty_maps_have_no_overlap(self):
        empty, some = np.zeros(maps.sites()[0].shape), np.ones(maps.sites()[0].shape)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            self.assertEqual({str(v) for v in maps.pair(empty, empty).values()}, {"nan"})
            self.assertEqual({k: str(v) for k, v in maps.pair(empty, some).items()},
                             {"distance": "nan", "jaccard": "0.0", "overlap": "nan", "cosine": "nan"})

    def test_territories_are_of_the_strongest(self):
        all_maps = np.stack([0 * self.x] * len(sheet.MUSCLES))
        all_maps[sheet.MUSCLES.index("index")] = 2 * self.bump(14.4)
        all_maps[sheet.MUSCLES.index("middle")] = self.bump(13.0)
        both = maps.describe(all_maps, [2, 3], 0.1)
        one = maps.describe(all_maps, [2], 0.1)
        self.assertAlmostEqual(one["territory"] + one["neighbours"], both["territory"])
        self.assertGreater(one["territory"], one["neighbours"])
        self.assertAlmostEqual(both["territory"], both["total"])
        self.assertTrue(np.isnan(one["overlap"]))


class Runs(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = maps.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_maps_fuse_and_part_with_their_weights(self):
        run = write_run(self.root / "run", {"fused": 1.5, "parted": -0.9, "same": 0.0})
        records = {(r["group"], r["phase"]): r for r in maps.summary(maps.measure(run)[0],
                                                                    maps.trials(run))}
        fused, parted = records["fused", "practice"], records["parted", "practice"]
        for name in ("overlap", "cosine"):
            self.assertGreater(fused[name], 0.02)
            self.assertLess(parted[name], -0.02)
        self.assertLess(fused["distance"], -0.02)
        self.assertGreater(parted["distance"], 0.02)
        self.assertLess(records["fused", "rest"]["overlap"], fused["overlap"] - 0.01)
        self.assertEqual(records["same", "practice"]["overlap"], 0)
        self.assertEqual(fused["reward"], 1)

    def test_a_finger_that_does_not_move_is_named(self):
        run = write_run(self.root / "run", {"one": 0.3, "two": 0.3})
        with netCDF4.Dataset(run / "behaviour.nc", "a") as file:  # of the first group
            file["flexion_middle"][:, 0] = 0.2
            file["reward"][:, 0] = file["fingers"][:, 0] == 2
        out = self.call(run)[1]
        self.assertIn('one: the middle finger hardly moves when asked to (less than 1 degree) in "practice"', out)
        self.assertNotIn("two: the", out)
        with open(run / "practice_fingers.csv", newline="") as file:
            rows = {(r["group"], r["finger"]): r for r in csv.DictReader(file)}
        self.assertEqual((rows["one", "index"]["rewarded"], rows["two", "middle"]["rewarded"]), ("0.75", "1.0"))
        self.assertGreater(float(rows["one", "middle"]["territory"]), 0)

    def test_figure_has_whole_maps_and_all_practice(self):
        run = write_run(self.root / "run", {"one": 0.3}, fingers=(4, 5))
        rows, found = maps.measure(run)
        blocks = {"one": [{}, {"task": "fingers"}, {"task": "fingers"}]}
        figure = maps.draw(rows, found, maps.summary(rows, maps.trials(run)), {}, blocks, "", "")
        self.addCleanup(maps.plt.close, figure)
        self.assertEqual([t.get_text() for t in figure.axes[-1].get_yticklabels()],
                         ['after "practice"', 'after "rest"'])
        little = found["one", 0][maps.MUSCLES.index("little")] > maps.EDGE * max(
            found["one", 0][maps.MUSCLES.index(f)].max() for f in maps.FINGERS)
        self.assertLess(figure.axes[0].get_xlim()[0], maps.sites()[0][little].min())

    def test_nothing_before_has_no_relative_change(self):
        run = write_run(self.root / "run", {"apart": 1.0}, fingers=(1, 5))
        rows, _ = maps.measure(run)
        self.assertEqual([r["jaccard"] for r in rows], [0] * 4)
        self.assertTrue(all(np.isnan(r["jaccard_change"]) for r in rows))
        self.assertEqual(self.call(run)[0], 0)

    def test_maps_are_relative_to_their_own_subjects_weights(self):
        run = write_run(self.root / "run", {"one": 1.0, "other": 1.0})
        with netCDF4.Dataset(run / "cortex_weights.nc", "a") as file:
            for name in ("L23E_L5PT", "L23E_L23E"):
                file[f"weight_{name}"][4:] *= 2
        found = maps.snapshots(run / "cortex_weights.nc", behaviour.resolved(run))
        for one, other in zip(found[:4], found[4:]):
            np.testing.assert_allclose(one.maps, other.maps)

    def test_cells_of_a_lesion_have_no_part(self):
        run = write_run(self.root / "run", {"hurt": 0.0, "idle": 0.0})
        path = run / "resolved.toml"
        text = path.read_text()
        hurt = text.replace('"practice"', '"practice", lesion_site = [15.8, 3.0], lesion_radius = 2.5')
        idle = re.search(r"blocks = \[.*?\n\]", text, re.S).group().replace(
            'task = "fingers", fingers = [2, 3]', 'task = "rest"')
        path.write_text(hurt.replace('name = "idle"\nschedule = "s"', 'name = "idle"\nschedule = "i"')
                        + f"[schedules.i]\n{idle}\n")
        rows, mean_maps = maps.measure(run)
        before, after = mean_maps["hurt", 0], mean_maps["hurt", 1]
        x, y = maps.sites()
        inside = (x - 15.8) ** 2 + (y - 3.0) ** 2 < 1
        for finger, left in (("thumb", 0.15), ("little", 1.0)):
            change = after[sheet.MUSCLES.index(finger)].sum() / before[sheet.MUSCLES.index(finger)].sum()
            self.assertAlmostEqual(change, left, delta=0.15, msg=finger)
        self.assertLess(after[:, inside].max(), 0.01 * before[:, inside].max())
        # A group that practises nothing is measured as the first that does.
        idle = [r for r in rows if r["group"] == "idle"]
        self.assertEqual([r["fingers"] for r in idle], ["2 3"] * 4)
        self.assertEqual([r["reference"] for r in idle], [False, True, False, False])
        self.assertEqual(idle[2]["territory_change"], 0)

    def test_what_is_seen_alone_is_not_practised(self):
        """Of groups whose schedules have fingers that another moves."""
        run = write_run(self.root / "run", {"moving": 1.0, "watching": 0.0})
        path = run / "resolved.toml"
        text = path.read_text()
        watching = re.search(r"blocks = \[.*?\n\]", text, re.S).group().replace(
            'task = "fingers", fingers = [2, 3]', 'task = "observe", fingers = [1, 5]')
        path.write_text(text.replace('name = "watching"\nschedule = "s"', 'name = "watching"\nschedule = "w"')
                        + f"[schedules.w]\n{watching}\n")
        rows = [r for r in maps.measure(run)[0] if r["group"] == "watching"]
        self.assertEqual([r["fingers"] for r in rows], ["2 3"] * 4)
        path.write_text(text.replace('task = "fingers"', 'task = "observe"'))
        code, out, err = self.call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no finished subject that practises fingers and whose weights are recorded", err)

    def test_blocks_without_a_phase_have_their_number(self):
        run = write_run(self.root / "run", {"fused": 1.0})
        path = run / "resolved.toml"
        path.write_text(path.read_text().replace('phase = "practice", ', ""))
        rows = maps.measure(run)[0]
        self.assertEqual([(r["block"], r["phase"]) for r in rows],
                         [(-1, "start"), (0, "before"), (1, "block 1"), (2, "rest")])

    def test_trials(self):
        run = write_run(self.root / "run", {"fused": 1.0})
        rows = maps.trials(run)
        self.assertEqual([r["fingers"] for r in rows], ["2", "3", "2 3", "2", "3", "2", "3"])
        for row in rows:
            self.assertAlmostEqual(row["individuation"], 0.75)
            self.assertAlmostEqual(row["co_contraction"], 2 * 10 / 50)

    def test_command(self):
        run = write_run(self.root / "run", {"fused": 1.0, "parted": -0.5})
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"fused +0\.5 +practice +1 ")
        self.assertTrue((run / "maps.png").read_bytes().startswith(b"\x89PNG"))
        with open(run / "maps.csv", newline="") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2 * 4)
        with open(run / "practice.csv", newline="") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2 * 7)
        records = json.loads(self.call(run, "--json")[1])
        self.assertEqual([r["phase"] for r in records], ["practice", "rest"] * 2)

    def test_what_is_missing_is_said(self):
        run = write_run(self.root / "run", {"fused": 1.0})
        weights = run / "cortex_weights.nc"
        with netCDF4.Dataset(weights, "a") as file:
            file.renameVariable("weight_L23E_L5PT", "weight_other")
        self.assertIn("the sheet, which is not plastic in this run; run with --set "
                      "brain.cortex.sheet_plasticity.plastic=true", self.call(run)[2])
        weights.unlink()
        self.assertIn("record weights: --set record.weights_subjects=1", self.call(run)[2])
        self.assertEqual(self.call(self.root / "nowhere")[0], 2)


if __name__ == "__main__":
    unittest.main()
