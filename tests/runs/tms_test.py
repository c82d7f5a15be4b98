"""Tests of runs/analysis/tms.py: known curves and maps must be found in files that hold them.

Run by CTest as `/usr/bin/python3 tms_test.py`.
"""

import contextlib
import csv
import dataclasses
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

import nerves
import sheet
import targets
import tms

MUSCLES = ["index_finger", "thumb", "face"]
CENTRES = [(2.0, 2.0), (3.0, 2.0), (9.0, 4.0)]
STAGES = "threshold test_size recruitment unconditioned conditioned map"
RMT, S50, K, LARGEST = 1.1, 1.3, 0.08, 1.2  # S50 and K in RMT
RATIOS = {1.0: 1.0, 3.0: 0.5, 8.0: 0.9, 15.0: 1.3}
LONG_RATIOS = {100.0: 0.2, 250.0: 0.9}


def boltzmann(x):
    return LARGEST / (1 + np.exp((S50 - x) / K))


def pulses(rng, noise):
    """(stage, intensity in RMT, conditioning in RMT, interval, x, y, sizes per muscle) of a subject's
    probes: recruitment, short and long intervals, map."""
    def size(mean):
        return [mean + noise * rng.normal(), 0.0, 0.0]

    nan = np.nan
    blocks = [[], [], []]
    for _ in range(5):
        blocks[0] += [("recruitment", i, nan, nan, 2, 2, size(boltzmann(i)))
                      for i in np.arange(0.8, 1.81, 0.1)]
        for strength, table in ((0.8, RATIOS), (1.2, LONG_RATIOS)):
            blocks[1].append(("unconditioned", 1.25, nan, nan, 2, 2, size(0.4)))
            blocks[1] += [("conditioned", 1.25, strength, isi, 2, 2, size(0.4 * ratio))
                          for isi, ratio in table.items()]
        for y in np.arange(0.5, 6, 1):
            for x in np.arange(0.5, 18, 1):
                here = [np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 2) for cx, cy in CENTRES]
                blocks[2].append(("map", 1.2, nan, nan, x, y, np.array(here) + noise * rng.normal(size=3)))
    return [[("threshold", 1.0, nan, nan, 2, 2, size(0.0)), *block] for block in blocks]


def write_run(directory, subjects=2, noise=0.0, groups=("intact", "weak")):
    rng = np.random.default_rng(1)
    directory.mkdir()
    text = '[schedules.s]\nblocks = [{phase = "curve", trials = 1}, '
    text += '{phase = "pairs", trials = 1}, {phase = "map", trials = 1}]\n'
    for group in groups:
        text += (f'[[group]]\nname = "{group}"\nlabel = "{group.title()}"\nsubjects = {subjects}\n'
                 'schedule = "s"\n')
    (directory / "resolved.toml").write_text(text)
    rows = [(subject, block, i, row) for subject in range(subjects * len(groups))
            for block, trials in enumerate(pulses(rng, noise)) for i, row in enumerate(trials)]
    with netCDF4.Dataset(directory / "probes.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.title = "Stimulation"
        file.createDimension("pulse", None)
        file.createDimension("muscle", len(MUSCLES))
        file.createDimension("letters", 12)
        file.createDimension("time", 100)
        names = file.createVariable("muscle_name", "S1", ("muscle", "letters"))
        names._Encoding = "utf-8"
        names[:] = np.array(MUSCLES, "S12")
        for name, values in (("muscle_x", [c[0] for c in CENTRES]),
                             ("muscle_y", [c[1] for c in CENTRES])):
            file.createVariable(name, "f8", ("muscle",))[:] = values
        file.createVariable("time", "f8", ("time",))[:] = np.arange(1, 101) / 4
        columns = {
            "subject": [s for s, *_ in rows], "block": [b for _, b, *_ in rows],
            "trial": [b for _, b, *_ in rows],
            "stage": [STAGES.split().index(r[0]) for *_, r in rows],
            "target_muscle": [0] * len(rows)}
        for name, values in columns.items():
            file.createVariable(name, "i4", ("pulse",))[:] = np.array(values, "i4")
        file["stage"].flag_meanings = STAGES
        for name, values in {
                "x": [r[4] for *_, r in rows], "y": [r[5] for *_, r in rows],
                "intensity": [r[1] * RMT for *_, r in rows],
                "conditioning": [r[2] * RMT for *_, r in rows],
                "interval": [r[3] for *_, r in rows],
                "polarization": [0.0 for _ in rows],
                "rmt": [np.nan if i == 0 else RMT for _, _, i, _ in rows]}.items():
            file.createVariable(name, "f8", ("pulse",))[:] = values
        size = np.array([r[6] for *_, r in rows])
        file.createVariable("background", "f8", ("pulse", "muscle"))[:] = 0.05
        file.createVariable("mep", "f8", ("pulse", "muscle"))[:] = size + 0.05
        file.createVariable("volley", "f8", ("pulse", "time"))[:] = 0.01
    return directory


class TmsTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.addCleanup(tms.plt.close, "all")
        self.root = pathlib.Path(temporary.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = tms.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_boltzmann(self):
        x = np.linspace(0.8, 1.8, 11)
        for largest, s50, k in ((1.2, 1.3, 0.08), (5.0, 1.02, 0.03), (0.7, 1.6, 0.15)):
            found = tms.boltzmann(x, largest / (1 + np.exp((s50 - x) / k)))
            np.testing.assert_allclose(found, (largest, s50, k, 1.0), rtol=1e-3)
        flat = tms.boltzmann(x, np.random.default_rng(1).normal(size=11))
        self.assertLess(flat[3], 0.9)

    def test_intentions_are_decoded(self):
        rng = np.random.default_rng(3)

        def probe(shift, noise, sends=((1.0, 0.2, 0.0), (0.2, 1.0, 0.0))):
            digit = np.tile([2, 3], 40)
            size = np.roll(np.array(sends), shift, axis=1)[digit - 2] + noise * rng.normal(size=(80, 3))
            none = np.full(80, np.nan)
            return tms.Probe("g", 0, 0, "p", 0, np.nan, np.array(["intention"] * 80), 0 * none, none, none,
                             0 * none, digit, np.zeros((80, 2)), size, np.zeros((80, 100)))

        first = probe(0, 0.1)
        self.assertEqual(tms.decoded(first), 1)
        # Six trials of the same for both fingers: those that are learned from are told best, others not.
        chance, known = [], []
        for _ in range(150):
            few = probe(0, 0.1, sends=((0.5, 0.5, 0.0),) * 2)
            few.stage[6:] = ""
            chance.append(tms.decoded(few))
            known.append(tms.decoded(few, few))
        self.assertLess(np.mean(chance), 0.55)
        self.assertGreater(np.mean(known), 0.75)
        same, moved = probe(0, 0.1), probe(1, 0.1)  # as before, and as well told apart but otherwise
        self.assertEqual(tms.decoded(same, first), 1)
        self.assertEqual(tms.decoded(moved), 1)
        self.assertLess(tms.decoded(moved, first), 0.7)
        first.digit[:] = 2
        self.assertTrue(np.isnan(tms.decoded(first)))
        rows = tms.measure(tms.Laboratory("", {"g": "G"}, ["a", "b", "c"], np.zeros((3, 2)), np.zeros(100),
                                          [same, moved], ""))
        self.assertEqual([r["decoded"] for r in rows], [1, 1])
        self.assertTrue(np.isnan(rows[0]["decoded_as_first"]))
        self.assertLess(rows[1]["decoded_as_first"], 0.7)

    def test_indices_are_found(self):
        lab = tms.read(write_run(self.root / "run"))
        records = {(r["group"], r["index"]): r for r in tms.summary(lab, tms.measure(lab))}
        for index, value in (("rmt", RMT), ("s50_rmt", S50), ("k_rmt", K), ("r2", 1.0),
                             ("mep_120", boltzmann(1.2)), ("sici", 0.5), ("recovery", 0.9),
                             ("icf", 1.3), ("lici", 0.2), ("lici_late", 0.9)):
            self.assertAlmostEqual(records["intact", index]["mean"], value, delta=2e-3, msg=index)
            self.assertEqual(records["weak", index]["n"], 2)

    def test_phases_stand_beside_their_mean(self):
        """Of an index that was told in several; one told in one phase has no row for it."""
        lab = tms.read(write_run(self.root / "run"))
        self.assertEqual([p.phase for p in lab.probes[:3]], ["curve", "pairs", "map"])
        late = [dataclasses.replace(p, phase="late", rmt=2 * p.rmt) for p in lab.probes if p.phase == "curve"]
        lab.probes += late
        records = {(r["index"], r["phase"]): r for r in tms.summary(lab, tms.measure(lab))
                   if r["group"] == "weak"}
        self.assertEqual({phase for index, phase in records if index == "sici"}, {None})
        self.assertEqual({phase for index, phase in records if index == "mep_120"}, {None})
        for index, phase, value in (("rmt", None, 1.25 * RMT), ("rmt", "curve", RMT),
                                    ("rmt", "late", 2 * RMT), ("s50_rmt", "curve", S50),
                                    ("s50_rmt", "late", S50 / 2), ("s50_rmt", None, 0.75 * S50)):
            self.assertAlmostEqual(records[index, phase]["mean"], value, delta=2e-3, msg=(index, phase))

    def test_given_thresholds_are_no_result(self):
        """They enter no mean, and maps at them need no other."""
        lab = tms.read(write_run(self.root / "run"))
        lab.probes = [dataclasses.replace(p, rmt=9 if p.block else p.rmt, given=p.block > 0) for p in lab.probes]
        rmt, = [r for r in tms.summary(lab, tms.measure(lab)) if (r["index"], r["group"]) == ("rmt", "weak")]
        self.assertAlmostEqual(rmt["mean"], RMT)
        run = write_run(self.root / "given", groups=["intact"])
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(plan.replace("trials = 1", 'trials = 1, probe.rmt = 1, probe.kind = "map"'))
        with netCDF4.Dataset(run / "probes.nc", "a") as file:
            file["stage"][:] = np.where(file["stage"][:] == STAGES.split().index("map"), file["stage"][:], 0)
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("These probes tell no index; maps are in tms_maps.csv", out)

    def test_unlike_probes_have_no_mean(self):
        lab = tms.read(write_run(self.root / "run"))
        wide = [dataclasses.replace(p, phase="wide", conditions=p.conditions | {"width": "4"})
                for p in lab.probes if p.phase == "curve"]
        lab.probes += wide
        records = [(r["index"], r["phase"]) for r in tms.summary(lab, tms.measure(lab)) if r["group"] == "weak"]
        self.assertEqual([phase for index, phase in records if index == "s50_rmt"], ["curve", "wide"])
        self.assertNotIn(("rmt", None), records)
        self.assertIn(("sici", None), records)
        blocks = [{"phase": "a", "probe": {"kind": "map", "width": width}} for width in (1, 2, 1)]
        self.assertEqual(tms.phases(blocks + [{"phase": "b"}]),
                         ["a (block 0)", "a (block 1)", "a (block 2)", "b"])
        self.assertEqual(tms.phases(blocks[:1] * 2), ["a", "a"])

    def test_a_curve_per_strength_and_phase(self):
        lab = tms.read(write_run(self.root / "run", groups=["intact"]))
        lab.probes += [dataclasses.replace(p, phase="late", conditioning=p.conditioning / 2)
                       for p in lab.probes if p.block < 2]
        points = tms.curves(lab)
        axes = {a.get_title(loc="left"): a for a in tms.draw(lab, points, []).axes}
        for title, expected in (("Recruitment", ['before "curve"', 'before "late"']),
                                ("Paired pulses, conditioning below the RMT",
                                 ['before "pairs", 0.8 RMT', 'before "late", 0.4 RMT',
                                  'before "late", 0.6 RMT'])):
            self.assertEqual([t.get_text() for t in axes[title].get_legend().get_texts()], expected)
        self.assertIn('Intact, subject 0: map before "map"', axes)
        strengths = {r["conditioning"] for r in tms.summary_of_ratios(lab, points)}
        self.assertEqual(strengths, {0.4, 0.6, 0.8, 1.2})

    def test_a_threshold_that_was_not_found_is_said(self):
        lab = tms.read(write_run(self.root / "run", groups=["intact"]))
        self.assertEqual(tms.without_threshold(lab), "")
        phase = lab.probes[0].phase
        lab.probes = [dataclasses.replace(p, rmt=np.nan) if p.phase == phase else p for p in lab.probes]
        n = sum(p.phase == phase for p in lab.probes)
        self.assertEqual(tms.without_threshold(lab), "No threshold was found, and nothing else measured: intact "
                                                     f'before "{phase}" ({n} subjects).')

    def test_an_index_is_of_the_usual_strength(self):
        """Of strengths on the side of the RMT that it is for, not their mean."""
        rows = [{"conditioning": strength, "interval_ms": interval, "ratio": ratio} for strength, interval, ratio
                in ((0.6, 2, 0.9), (0.6, 3, 0.8), (0.7, 2, 0.5), (0.7, 3, 0.3), (1.0, 3, 1.5), (1.5, 3, 2.0))]
        self.assertAlmostEqual(tms.mean_ratio(rows, 2, 4, tms.BELOW_RMT), 0.4)
        self.assertAlmostEqual(tms.mean_ratio(rows, 2, 4, tms.ABOVE_RMT), 1.5)
        self.assertAlmostEqual(tms.mean_ratio(rows, 2, 2.5, tms.BELOW_RMT), 0.5)
        self.assertTrue(np.isnan(tms.mean_ratio(rows, 5, 9, tms.BELOW_RMT)))

    def test_surround(self):
        """What a movement sends without a pulse is taken off."""
        stage = np.array(["surround_rest", "surround_moving", "surround_silent"] * 2)
        size = np.array([[0.5, 0], [0.4, 9], [0.1, 2], [0.3, 0], [0.5, 9], [0.2, 2]])
        lab = tms.read(write_run(self.root / "run"))
        probe = dataclasses.replace(lab.probes[0], stage=stage, size=size, muscle=0)
        self.assertAlmostEqual(tms.surround(probe), (0.45 - 0.15) / 0.4)
        self.assertTrue(np.isnan(tms.surround(lab.probes[0])))
        still = dataclasses.replace(probe, size=np.where(stage == "surround_silent", 0.05, size.T).T)
        self.assertTrue(np.isnan(tms.surround(still)))

    def test_intervals_cover(self):
        """The truth lies in 95 % of the intervals, or a little fewer: pulses are few."""
        nan = np.full(30, np.nan)
        stage = np.repeat(["unconditioned", "conditioned", "conditioned"], 30)
        interval = np.r_[nan, np.full(30, 3.0), np.full(30, 15.0)]
        mean = 0.4 * np.repeat([1.0, RATIOS[3.0], RATIOS[15.0]], 30)
        inside = []
        for seed in range(150):
            size = mean + 0.03 * np.random.default_rng(seed).normal(size=90)
            probe = tms.Probe("intact", 0, 0, "", 0, RMT, stage, np.full(90, 1.25), np.r_[nan, np.full(60, 0.8)],
                              interval, np.zeros(90), np.zeros(90, int), np.zeros((90, 2)), size[:, None],
                              np.zeros((90, 1)))
            for row in tms.ratios(probe, seed):
                truth = RATIOS[row["interval_ms"]]
                self.assertAlmostEqual(row["ratio"], truth, delta=0.1)
                self.assertTrue(row["low"] < row["ratio"] < row["high"])
                inside.append(row["low"] <= truth <= row["high"])
        self.assertEqual(len(inside), 300)
        self.assertGreater(np.mean(inside), 0.88)
        self.assertLess(np.mean(inside), 0.985)

    def test_maps(self):
        lab = tms.read(write_run(self.root / "run", subjects=1, noise=0.01, groups=["intact"]))
        muscles, overlaps = tms.maps(next(p for p in lab.probes if p.block == 2), lab)
        for row, (x, y) in zip(muscles, CENTRES):
            # Within the circle where a Gaussian of SD 1 is above a tenth.
            self.assertAlmostEqual(row["area"], 2 * np.pi * np.log(10), delta=3.0)
            self.assertAlmostEqual(row["x"], x, delta=0.1)
            self.assertAlmostEqual(row["y"], y, delta=0.1)
            self.assertLessEqual(row["area_low"], row["area_high"])
            self.assertGreater(row["reliability"], 0.95)
        near, far = overlaps[0], overlaps[1]
        # Two Gaussians of SD s, d apart: 2 Phi(-d / 2s) of their volumes is common.
        self.assertAlmostEqual(near["volume_overlap"], 0.617, delta=0.03)
        self.assertLess(far["volume_overlap"], 0.06)
        self.assertGreater(near["jaccard"], 0.4)
        self.assertEqual(far["jaccard"], 0.0)

    def test_overlap_by_hand(self):
        a = np.array([True, True, False, False])
        b = np.array([False, True, True, True])
        self.assertEqual(sheet.jaccard(a, b), 0.25)
        self.assertTrue(np.isnan(sheet.jaccard(a & False, b & False)))
        self.assertEqual(sheet.volume_overlap(np.array([1.0, 3.0]), np.array([2.0, 6.0])), 1.0)
        self.assertEqual(sheet.volume_overlap(np.array([1.0, 3.0]), np.array([4.0, 0.0])), 0.25)

    def test_ranges_are_those_of_the_targets(self):
        """Of every index that has a band of its own there, of a whole brain."""
        rows = {t["of"]["readout"]: tuple(t["band"]) for t in targets.load_targets()["target"]
                if t["of"]["group"] in ("tms_intact", "healthy_separate") and "band" in t
                and not {"over", "minus"} & set(t)}
        shared = set(rows) & set(tms.INDICES)
        self.assertEqual(shared, {"r2", "s50_rmt", "k_rmt", "sici", "icf", "lici", "surround"})
        for index in shared:
            self.assertEqual(tms.INDICES[index][1], rows[index])
        self.assertEqual(nerves.ASKED, targets.band("NB_NEIGHBOURS"))

    def test_writes_tables_and_a_figure(self):
        run = write_run(self.root / "run", noise=0.02)
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("short-interval inhibition: ratio at 2-4 ms (0.2-0.7)", out)
        self.assertRegex(out, r'before "pairs" +1.1.*\n +before "map"')
        self.assertIn("before the first trial of that phase", out)
        for name in ("tms.png", "tms.pdf"):
            self.assertGreater((run / name).stat().st_size, 10000)
        for name, rows in (("tms.csv", 12), ("tms_curves.csv", 4 * (11 + 6)), ("tms_maps.csv", 12),
                           ("tms_overlaps.csv", 12)):
            with open(run / name, newline="", encoding="utf-8") as file:
                self.assertEqual(len(list(csv.DictReader(file))), rows, name)
        code, out, _ = self.call(run, "--json")
        records = json.loads(out)
        self.assertEqual(records[0]["group"], "intact")
        at_3_ms, = [r for r in records if r["group"] == "weak" and r.get("interval_ms") == 3]
        self.assertEqual((at_3_ms["index"], at_3_ms["conditioning"], at_3_ms["n"]), ("ratio", 0.8, 2))
        self.assertAlmostEqual(at_3_ms["mean"], RATIOS[3.0], delta=0.1)

    def test_says_what_is_missing(self):
        run = write_run(self.root / "run")
        with netCDF4.Dataset(run / "probes.nc", "a") as file:
            file.cut = "2 of 3 groups"
        plan = (run / "resolved.toml").read_text().replace("trials = 1", 'trials = 1, probe.kind = "map"')
        (run / "resolved.toml").write_text(plan)
        self.assertTrue(self.call(run)[1].startswith("not the whole experiment: 2 of 3 groups\n"))
        (run / "resolved.toml").write_text(plan.replace("subjects = 2", "subjects = 3"))
        self.assertTrue(self.call(run)[1].startswith(
            "not the whole experiment: only 12 of 18 probes finished so far; 2 of 3 groups\n"))
        with netCDF4.Dataset(run / "probes.nc", "a") as file:
            file.cut = "other than in the file: seed 5"
        self.assertTrue(self.call(run)[1].startswith("not the whole experiment: only 12 of 18 probes"))

    def test_response_at_120_wants_intensities_near_it(self):
        probe = next(p for p in tms.read(write_run(self.root / "run")).probes if p.block == 0)
        for missing, near in (((), True), ((1.2,), True), ((1.2, 1.3), False),
                              ((1.1, 1.2), False), ((1.1,), True)):
            levels = np.round(probe.intensity / probe.rmt, 6)
            stage = np.where(np.isin(levels, missing), "left out", probe.stage)
            found = tms.indices(dataclasses.replace(probe, stage=stage))["mep_120"]
            self.assertEqual(np.isfinite(found), near, missing)

    def test_panels_are_those_of_what_was_measured(self):
        lab = tms.read(write_run(self.root / "run"))
        def titles():
            figure = tms.draw(lab, tms.curves(lab), tms.summary(lab, tms.measure(lab)))
            return [axes.get_title(loc="left") for axes in figure.axes]
        self.assertEqual(len(titles()), 6)
        lab.probes = [p for p in lab.probes if p.block == 1]
        lab.title = ""
        self.assertEqual([t[:13] for t in titles()], 2 * ["Paired pulses"])
        for p in lab.probes:
            p.conditioning = 0.5 * p.conditioning
        self.assertEqual(titles(), ["Paired pulses, conditioning below the RMT"])
        stage = np.array(["surround_rest", "surround_moving", "surround_silent"])
        lab.probes = [dataclasses.replace(p, stage=stage, size=np.ones((3, 3)), phase=phase)
                      for p in lab.probes for phase in ("early", "late")]
        self.assertEqual(titles(), ["As another finger begins to move"])

    def test_the_marks_of_maps_are_explained(self):
        lab = tms.read(write_run(self.root / "run"))
        def note():
            figure = tms.draw(lab, tms.curves(lab), tms.summary(lab, tms.measure(lab)))
            return " ".join(figure.texts[-1].get_text().split())
        self.assertIn("● sites, in the colour of the muscle that responds most and as large as it responds", note())
        lab.probes = [p for p in lab.probes if not p.of("map").size]
        self.assertNotIn("●", note())

    def test_surround_panel(self):
        """A point per group and phase, in the group's colour though another has none."""
        lab = tms.read(write_run(self.root / "run"))
        stage = np.array(["surround_rest", "surround_moving", "surround_silent"])
        size = {"early": np.array([[0.5, 0, 0], [0.6, 0, 0], [0.2, 0, 0]]),
                "late": np.array([[0.5, 0, 0], [0.2, 0, 0], [0.3, 0, 0]])}
        lab.probes = [dataclasses.replace(p, stage=stage, size=size[phase], phase=phase)
                      for p in lab.probes if (p.group, p.block) == ("weak", 1) for phase in size]
        records = tms.summary(lab, tms.measure(lab))
        axes, = tms.draw(lab, [], records).axes
        points = [line for line in axes.lines if line.get_marker() == "o"]
        self.assertEqual([round(float(p.get_ydata()[0]), 9) for p in points], [0.8, -0.2])
        self.assertEqual({p.get_color() for p in points}, {tms.COLOURS[1]})
        self.assertEqual([text.get_text() for text in axes.texts], ["early", "late"])
        self.assertLessEqual(axes.get_ylim()[0], -0.2)

    def test_refuses(self):
        code, _, err = self.call(self.root)
        self.assertEqual(code, 2)
        self.assertIn("no resolved.toml; name the directory", err)
        run = write_run(self.root / "run")
        with netCDF4.Dataset(run / "probes.nc", "a") as file:
            file["rmt"][:] = np.nan
            file["stage"][:] = 0
        code, out, err = self.call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertIn("no probe found a threshold, and so there are no indices; stimulate nearer", err)
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(plan.replace("subjects = 2", "subjects = 1"))
        self.assertIn("probe before block 0 of subject 2, which is not in the resolved.toml beside it; take",
                      self.call(run)[2])
        (run / "resolved.toml").write_text(plan)
        (run / "probes.nc").unlink()
        self.assertIn("probes.nc: no such file; give a block a probe", self.call(run)[2])
        plan = (run / "resolved.toml").read_text().replace("trials = 1", 'trials = 1, probe.kind = "map"')
        (run / "resolved.toml").write_text(plan)
        self.assertIn("probes.nc: is missing, though blocks have probes; copy it again", self.call(run)[2])
        (run / "resolved.toml").unlink()
        self.assertIn("no resolved.toml", self.call(run)[2])


if __name__ == "__main__":
    unittest.main()
