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
    return rows


def write_run(directory, groups=("blocked", "sham"), part="hand", noise=0.0):
    directory.mkdir(parents=True)
    text = ""
    for group in groups:
        blocks = ", ".join(f'{{trials = 1, nerve_block = "{part if 3 <= b < 6 and group == "blocked" else "none"}"}}'
                           for b in range(len(KINDS)))
        text += (f'[schedules.{group}]\nblocks = [{blocks}]\n[[group]]\nname = "{group}"\n'
                 f'label = "{group.title()}"\nsubjects = 1\nschedule = "{group}"\n')
    (directory / "resolved.toml").write_text(text)
    rows = [(subject, block, *row) for subject, group in enumerate(groups)
            for block, kind in enumerate(KINDS)
            for row in pulses(kind, group == "blocked" and 3 <= block < 6, noise)]
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
        (blocked, sham), points, _ = nerves.measure(write_run(self.root / "run"))
        self.assertEqual(blocked["sites"], len(HAND))
        for row, expected in ((blocked, (1 / 6, 3 / 6, 1 / 6, 2.0, 1.0, -0.1, 0.3)),
                              (sham, (1 / 6, 1 / 6, 1 / 6, 1.0, 1.0, 0.0, 0.0))):
            np.testing.assert_allclose([row[name] for name in nerves.INDICES], expected, atol=1e-9)
        # Muscles of the part do not contract while it is blocked; elsewhere they may.
        hand = {(p["group"], p["moment"]) for p in points if p["muscle"] == "index_finger"}
        self.assertEqual(hand, {("blocked", "before"), ("blocked", "after"), ("sham", "before"),
                                ("sham", "during"), ("sham", "after")})

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
        self.assertRegex(out, r"blocked +1 +6 +0\.167 +0\.5 +0\.167 +2 +1 +-0\.1 +0\.3")
        with open(run / "nerves.csv", newline="") as file:
            self.assertEqual([r["group"] for r in csv.DictReader(file)], ["blocked", "sham"])
        with open(run / "nerves_sites.csv", newline="") as file:
            self.assertEqual(len(list(csv.DictReader(file))), 2 * 3 * len(SITES))
        self.assertTrue((run / "nerves.png").read_bytes().startswith(b"\x89PNG"))
        records = json.loads(self.call(run, "--json")[1])
        self.assertAlmostEqual(records[0]["mep"], 2)

    def test_refuses_what_it_cannot_read(self):
        code, _, err = self.call(write_run(self.root / "run", groups=("sham",)))
        self.assertEqual(code, 2)
        self.assertRegex(err, r"run: blocks nerves of 0 parts .* run runs/experiments/nerve_block.toml")
        self.assertEqual(self.call(self.root / "nowhere")[0], 2)


if __name__ == "__main__":
    unittest.main()
