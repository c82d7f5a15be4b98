"""Tests of runs/analysis/nerves.py: what it says of maps and pulses whose changes are known.

Run by CTest as `/usr/bin/python3 nerves_test.py`.
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

import nerves

MUSCLES = ["biarticular_flexor", "index_finger", "face"]
STAGES = "threshold test_size recruitment unconditioned conditioned map"
SITES = [(x, 2.5) for x in np.arange(0.5, 10)]  # the first two are the arm's, the last two the face's
HAND = range(2, 8)
KINDS = ("map", "recruitment", "pairs") * 2 + ("map", "recruitment")  # of the blocks' probes
IN_BLOCK = (3, 4, 5)
INTENSITIES = (0.9, 1.0, 1.1, 1.2)


def site_sizes(site, blocked):
    """Means per muscle: a third of the hand's sites answer with the arm where blocked, one with the
    face always."""
    if site < 2:
        return (0.8, 0.0, 0.0)
    if site not in HAND:
        return (0.0, 0.0, 0.8)
    return (0.3 if blocked and site < 4 else 0.0, 1.5 if blocked else 0.6, 0.2 if site == 7 else 0.0)


def pulses(kind, blocked, noise):
    """(stage, intensity, conditioning, interval, x, y, sizes, rmt) of a probe."""
    rows, nan = [], np.nan
    for k in range(6):
        jitter = noise * (-1) ** k
        if kind == "map":
            rows += [("map", 5.0, nan, nan, *place, np.array(site_sizes(i, blocked)) + [jitter, 0, jitter], 1.0)
                     for i, place in enumerate(SITES)]
        elif kind == "recruitment":
            rows += [("recruitment", i, nan, nan, 1, 2, ((i - 0.9) * (4 if blocked else 2), 0, 0), 1.0)
                     for i in INTENSITIES]
        else:
            rmt = 0.9 if blocked else 1.0
            rows.append(("unconditioned", 1.2, nan, nan, 1, 2, (0.5, 0, 0), rmt))
            rows += [("conditioned", 1.2, 0.8 * rmt, isi, 1, 2, (0.45 if blocked else 0.3, 0, 0), rmt)
                     for isi in (2.0, 3.0)]
            rows.append(("conditioned", 1.2, 0.8 * rmt, 20.0, 1, 2, (5 if blocked else 1, 0, 0), rmt))
    return rows


def moved(rows, by):
    """The same pulses at sites that lie elsewhere."""
    return [(*row[:4], row[4] + by, *row[5:]) for row in rows]


def titrated(rows, rmt):
    """The same pulses, of intensities that follow a threshold."""
    return [(row[0], row[1] * rmt, *row[2:7], rmt) for row in rows]


def write_run(directory, groups=("blocked", "sham"), noise=0.0, kinds=KINDS, in_block=IN_BLOCK, parts=None,
              change=lambda group, block, rows: rows):
    """`parts`: whose nerves a group's blocks `in_block` block; those of "blocked" block the hand's.
    `change`: of the pulses of a probe."""
    parts = parts or {"blocked": "hand"}
    directory.mkdir(parents=True)
    text = ""
    for group in groups:
        silent = [parts.get(group, "none") if b in in_block else "none" for b in range(len(kinds))]
        blocks = ", ".join(f'{{trials = 1, nerve_block = "{part}"}}' for part in silent)
        text += (f'[schedules.{group}]\nblocks = [{blocks}]\n[[group]]\nname = "{group}"\n'
                 f'label = "{group.title()}"\nsubjects = 1\nschedule = "{group}"\n')
    (directory / "resolved.toml").write_text(text)
    rows = [(subject, block, *row) for subject, group in enumerate(groups)
            for block, kind in enumerate(kinds)
            for row in change(group, block, pulses(kind, group in parts and block in in_block, noise))]
    with netCDF4.Dataset(directory / "probes.nc", "w", format="NETCDF3_64BIT_DATA") as file:
        file.title = "Nerves"
        for name, size in (("pulse", None), ("muscle", len(MUSCLES)), ("letters", 20), ("time", 100)):
            file.createDimension(name, size)
        names = file.createVariable("muscle_name", "S1", ("muscle", "letters"))
        names._Encoding = "utf-8"
        names[:] = np.array(MUSCLES, "S20")
        for name, values in (("muscle_x", (1, 5, 9)), ("muscle_y", (2, 2, 2))):
            file.createVariable(name, "f8", ("muscle",))[:] = values
        file.createVariable("time", "f8", ("time",))[:] = np.arange(1, 101) / 4
        for name, values in {"subject": [r[0] for r in rows], "block": [r[1] for r in rows],
                             "stage": [STAGES.split().index(r[2]) for r in rows],
                             "target_muscle": [0] * len(rows)}.items():
            file.createVariable(name, "i4", ("pulse",))[:] = np.array(values, "i4")
        file["stage"].flag_meanings = STAGES
        for name, column in (("intensity", 3), ("conditioning", 4), ("interval", 5), ("x", 6), ("y", 7),
                             ("rmt", 9)):
            file.createVariable(name, "f8", ("pulse",))[:] = [r[column] for r in rows]
        file.createVariable("polarization", "f8", ("pulse",))[:] = 0.0
        file.createVariable("background", "f8", ("pulse", "muscle"))[:] = 0.05
        file.createVariable("mep", "f8", ("pulse", "muscle"))[:] = np.array([r[8] for r in rows]) + 0.05
        file.createVariable("volley", "f8", ("pulse", "time"))[:] = 0.01
    return directory


class NervesTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = nerves.main([str(a) for a in arguments])
        return code, out.getvalue(), err.getvalue()

    def test_changes_that_were_put_in_are_found(self):
        (blocked, sham), points, _, _ = nerves.measure(write_run(self.root / "run"))
        self.assertEqual(blocked["sites"], len(HAND))
        nan = np.nan
        for row, expected in ((blocked, (1 / 6, 3 / 6, nan, 1 / 6, 2.0, 1.0, -0.1, 0.3, nan)),
                              (sham, (1 / 6, 1 / 6, nan, 1 / 6, 1.0, 1.0, 0.0, 0.0, nan))):
            np.testing.assert_allclose([row[name] for name in nerves.INDICES], expected, atol=1e-9)
        # Muscles of the part do not contract while it is blocked; elsewhere they may.
        hand = {(p["group"], p["moment"]) for p in points if p["muscle"] == "index_finger"}
        self.assertEqual(hand, {("blocked", "before"), ("blocked", "after"), ("sham", "before"),
                                ("sham", "during"), ("sham", "after")})

    def test_second_map_in_a_block_is_late(self):
        """Also of a group without one, whose maps are compared with those of a group that has it."""
        def late(group, block, rows):
            """No site of the hand answers with the arm in the last map."""
            return [(*row[:6], row[6] * [block < 2, 1, 1], row[7]) for row in rows]
        run = write_run(self.root / "run", kinds=("map",) * 3, in_block=(1, 2), change=late)
        for row, expected in zip(nerves.measure(run)[0], ((1 / 6, 3 / 6, 1 / 6), (1 / 6, 1 / 6, 1 / 6))):
            np.testing.assert_allclose([row[f"share_{m}"] for m in ("before", "during", "late")], expected)
            self.assertTrue(np.isnan(row["share_after"]))
        self.assertEqual(self.call(run)[0], 0)

    def test_new_synapses_from_other_parts_are_counted(self):
        """On the part's cells, stable ones, formed since, of cells of other parts."""
        run = write_run(self.root / "run", kinds=("map",) * 2, in_block=(1,))
        with netCDF4.Dataset(run / "cortex_weights.nc", "w", format="NETCDF3_64BIT_DATA") as file:
            for name, size in (("snapshot", None), ("target", 2), ("source", 3), ("site", 4)):
                file.createDimension(name, size)
            # Targets: the middle finger's, the face's. Sources: a finger's, the face's, the shoulder's.
            for side, places in (("target", ((13, 3), (17.3, 3))), ("source", ((13, 3), (17.3, 3), (3, 1.2)))):
                for axis, values in zip("xy", zip(*places)):
                    file.createVariable(f"{side}_{axis}_L23E_L5PT", "f8", (side,))[:] = values
            file.createVariable("subject", "i4", ("snapshot",))[:] = [0] * 3 + [1] * 3
            shape = ("snapshot", "target", "site")
            source, spine, day = (file.createVariable(f"{what}_L23E_L5PT", kind, shape)
                                  for what, kind in (("source", "i4"), ("spine", "i4"), ("formed_day", "f4")))
            for snapshot in range(6):
                # Of the start; since then from the face, from the shoulder (still transient), vacant.
                source[snapshot] = [[0, 1, 2, 3]] * 2
                spine[snapshot] = [[2, 2, 1, 0] if snapshot % 3 == 2 else [2, 2, 0, 0]] * 2
                day[snapshot] = [[0, 4, 4, 0] if snapshot % 3 == 2 else [0] * 4] * 2
            source[5] = [[0, 0, 2, 3]] * 2  # of the second subject, from within the part
        rows = nerves.measure(run)[0]
        self.assertEqual([row["sprouted"] for row in rows], [1 / 2, 0])

    def test_noise_does_not_answer(self):
        """Responses that are large in the mean and as large below zero are none."""
        row = nerves.measure(write_run(self.root / "run", noise=1.0))[0][0]
        self.assertEqual(row["share_during"], 0)

    def test_response_is_read_where_it_was_small(self):
        curve = np.array([1.0, 1.1, 1.2]), np.array([0.1, 0.3, 0.5])
        self.assertAlmostEqual(nerves.at_test(curve, (curve[0], 3 * curve[1])), 3)
        self.assertTrue(np.isnan(nerves.at_test(curve, (curve[0] + 0.1, curve[1]))))
        self.assertTrue(np.isnan(nerves.at_test((curve[0], curve[1] + 0.2), curve)))

    def test_files_and_table(self):
        run = write_run(self.root / "run")
        code, out, err = self.call(run)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"blocked +hand +1 +6 +0\.167 +0\.5 +- +0\.167 +2 +1 +-0\.1 +0\.3 +-")
        with open(run / "nerves.csv", newline="") as file:
            self.assertEqual([r["group"] for r in csv.DictReader(file)], ["blocked", "sham"])
        with open(run / "nerves_sites.csv", newline="") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2 * 3 * len(SITES))
        self.assertTrue((run / "nerves.png").read_bytes().startswith(b"\x89PNG"))
        records = json.loads(self.call(run, "--json")[1])
        self.assertAlmostEqual(records[0]["mep"], 2)

    def refused(self, run, message):
        code, out, err = self.call(run)
        self.assertEqual((code, out), (2, ""))
        self.assertRegex(err, message)

    def test_refuses_what_it_cannot_read(self):
        self.refused(write_run(self.root / "none", groups=("sham",)),
                     r"none: blocks no nerves .* run runs/experiments/nerve_block.toml")
        run = write_run(self.root / "two")
        plan = (run / "resolved.toml").read_text()
        (run / "resolved.toml").write_text(plan.replace('"hand"', '"face"', 1))
        self.refused(run, r"two: group blocked blocks nerves of face and hand .* a group of its own")
        run = write_run(self.root / "still")
        (run / "probes.nc").unlink()
        self.refused(run, r"probes.nc: no such file; give a block a probe")
        self.refused(self.root / "nowhere", r"nowhere: no resolved.toml; name the directory")

    def test_groups_that_block_other_parts_are_read_one_by_one(self):
        """Those that block nothing beside each; the band that is asked for is the hand's."""
        parts = {"hand": "hand", "face": "face"}
        run = write_run(self.root / "two", groups=("hand", "face", "sham"), parts=parts)
        rows, points, curves, lab = nerves.measure(run)
        self.assertEqual([(r["group"], r["part"]) for r in rows],
                         [("hand", "hand"), ("sham", "hand"), ("face", "face"), ("sham", "face")])
        alone = nerves.measure(write_run(self.root / "one", groups=("hand", "sham"), parts={"hand": "hand"}))[0]
        for row, expected in zip(rows, alone):
            np.testing.assert_equal([row[name] for name in nerves.INDICES],
                                    [expected[name] for name in nerves.INDICES])
        for part, bands in (("hand", 1), ("face", 0)):
            records = [r for r in nerves.summary(rows) if r["part"] == part]
            figure = nerves.draw(records, [p for p in points if p["part"] == part], {}, {}, lab.groups, "", "")
            self.addCleanup(nerves.plt.close, figure)
            shares = next(a for a in figure.axes if a.get_title(loc="left").startswith("silenced sites"))
            self.assertEqual(sum(type(c).__name__ == "PolyCollection" for c in shares.collections), bands)
            self.assertLess(shares.get_ylim()[0], 0)
            self.assertEqual(len({line.get_marker() for line in shares.lines} - {"None", "_", ""}), 2)

    def test_moments_are_those_of_the_block(self):
        """And not of the order of probes; those of groups that never block are those of others."""
        for name, kinds, in_block, found in (("baselines", ("map",) * 3, (2,), "before, before, during"),
                                             ("blocks", ("map",) * 4, (1, 3), "during, after, late"),
                                             ("long", ("map",) * 4, (1, 2, 3), "before, during, during, during")):
            self.refused(write_run(self.root / name, kinds=kinds, in_block=in_block),
                         f"{name}: group blocked: its probes with map pulses are .*{found} .*; leave the others out")
        run = write_run(self.root / "gap", kinds=("map", "pairs", "map"), in_block=(1,))
        blocked, sham = nerves.measure(run)[0]
        np.testing.assert_allclose([blocked[f"share_{m}"] for m in nerves.MOMENTS], [1 / 6, np.nan, np.nan, 1 / 6])
        np.testing.assert_allclose([sham[f"share_{m}"] for m in nerves.MOMENTS], [1 / 6, np.nan, np.nan, 1 / 6])
        blocked = nerves.measure(write_run(self.root / "late", kinds=("map", "pairs", "recruitment"),
                                           in_block=(0, 1, 2)))[0][0]
        self.assertEqual(blocked["sites"], 0)  # there is no map before
        self.assertTrue(all(np.isnan(blocked[name]) for name in nerves.INDICES))

    def test_maps_of_other_sites_are_refused(self):
        for name, change in (
                ("moved", lambda group, block, rows: moved(rows, 0.5) if block == 3 else rows),
                ("fewer", lambda group, block, rows: [r for r in rows if r[4] > 1] if block == 3 else rows)):
            self.refused(write_run(self.root / name, change=change),
                         f"{name}: group blocked: the map of block 3 is of other sites .* probe.spacing")

    def test_probes_that_stimulate_otherwise_are_refused(self):
        class Of:
            def __init__(self, block):
                self.block = block

        def check(*muscles):
            blocks = [{"probe": {"kind": "recruitment", "muscle": muscle}} for muscle in muscles]
            experiment = {"group": [{"name": "g", "schedule": "s"}], "schedules": {"s": {"blocks": blocks}}}
            nerves.check_alike(experiment, "g", [Of(k) for k in range(len(blocks))], pathlib.Path("run"))

        check("face", "face")
        with self.assertRaisesRegex(nerves.BadInput, r"run: group g: .* blocks 0, 1, have probe.muscle "
                                                     r"face and thumb; give all the same"):
            check("thumb", "face")

    def test_pulses_of_other_intensities_are_not_compared(self):
        """Nor averaged; it says so."""
        run = write_run(self.root / "own", groups=("blocked", "other", "sham"),
                        parts={"blocked": "hand", "other": "hand"},
                        change=lambda group, block, rows: rows if group == "sham" or block != 4
                        else titrated(rows, 0.9))
        code, out, err = self.call(run, "--json")
        self.assertEqual(code, 0)
        self.assertRegex(err, r"own: subject 0, 1: recruitment is at other intensities .* give probe.rmt")
        blocked, _, sham = json.loads(out)
        self.assertIsNone(blocked["mep"])
        np.testing.assert_allclose((blocked["mep_after"], sham["mep"]), 1)

        rows, points, curves, lab = nerves.measure(write_run(self.root / "alike"))
        groups, labels = {0: "blocked", 1: "blocked", 2: "blocked"}, {"blocked": "Blocked"}
        short = np.array(INTENSITIES[:3]), np.array([0.0, 1.0, 2.0])
        for moment in ("before", "during"):  # subject 2 has fewer intensities; 1 is as 0, and larger
            curves[1, moment] = curves[0, moment][0], curves[0, moment][1] + 1
            curves[2, moment] = short
        figure = nerves.draw(nerves.summary(rows[:1]), points, curves, groups, labels, "", "1 of 2 groups")
        self.assertTrue(any("not the whole experiment: 1 of 2 groups" in text.get_text() for text in figure.texts))
        self.addCleanup(nerves.plt.close, figure)
        lines = [line.get_xydata().T for line in figure.axes[-1].get_lines() if line.get_linestyle() == "-"]
        self.assertEqual([len(x) for x, _ in lines], [4, 3])
        np.testing.assert_allclose(lines[0][1], curves[0, "during"][1] + 0.5)
        np.testing.assert_allclose(lines[1], short)

    def test_a_run_with_its_first_map_alone(self):
        run = write_run(self.root / "run", kinds=("map", "none"), in_block=(1,),
                        change=lambda group, block, rows: [] if block else rows)
        code, out, err = self.call(run, "--json")
        self.assertEqual((code, err), (0, ""))
        for record in json.loads(out):
            self.assertAlmostEqual(record["share_before"], 1 / 6)
            self.assertEqual([record[name] for name in nerves.INDICES[1:]], [None] * 8)
        self.assertNotIn("NaN", out)

    def test_more_groups_than_colours(self):
        groups = ("blocked", *(f"sham{k}" for k in range(len(nerves.tms.COLOURS))))
        code, _, err = self.call(write_run(self.root / "run", groups=groups))
        self.assertEqual((code, err), (0, ""))


if __name__ == "__main__":
    unittest.main()
