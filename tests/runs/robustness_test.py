"""Tests of runs/analysis/robustness.py: fabricated runs with known effects must hold and fail as they
should.

Run by CTest as `/usr/bin/python3 robustness_test.py`.
"""

import contextlib
import csv
import io
import json
import pathlib
import sys
import tempfile
import tomllib
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runs" / "analysis"))

import analysis_test
import readouts
import robustness
import score
import simulations

SETTINGS = """
seeds = [3, 4]
scales = [0.5, 2.0]
scale = 1.0
[quick]
subjects = 4
scale = 0.5
groups = ["abrupt_intact"]
doses = [1.0]
[rates]
change = 0.2
keys = ["brain.a.rate"]
[[falsifier]]
name = "gone"
what = "no rebound"
set = ["brain.slow=false"]
of = {group = "abrupt_intact", readout = "rebound_deg_per_30"}
unchanged = [3.0, inf]
changed = [-inf, 3.0]
[[falsifier]]
name = "kept"
what = "learning kept"
base = ["brain.more=1"]
set = ["brain.other=false"]
of = {group = "abrupt_intact", readout = "late_fraction"}
unchanged = [0.5, inf]
kept = [0.8, inf]
[doses]
values = [0.5, 1.0]
of = [{group = "abrupt_intact", readout = "late_fraction"}]
[[lesion]]
name = "part"
what = "part removed"
key = "brain.lesion"
"""
LATE, EARLY, REBOUND = slice(44, 132), slice(32, 44), slice(144, 164)  # trials of the abrupt schedule


def scaled(**phases):
    """A change for analysis_test.write_run: what the hand compensates in a phase, times a factor."""
    def change(group, columns):
        own = {"late": LATE, "early": EARLY, "rebound": REBOUND}
        bias = columns["angle_third"][:32].mean()
        for phase, factor in phases.items():
            trials = columns["angle_third"][own[phase]]
            trials[:] = bias + factor * (trials - bias)
    return change


class RobustnessTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.card = self.root / "card"
        (self.root / "settings.toml").write_text(SETTINGS)
        patch = mock.patch.object(robustness, "SETTINGS", self.root / "settings.toml")
        patch.start()
        self.addCleanup(patch.stop)
        self.program = self.root / "program"
        self.program.write_text(
            f"#!/bin/sh\necho \"$*\" >> {self.root}/calls\n[ $1 = validate ] && echo '# Digest: abc'\n"
            "[ $1 = describe ] && echo '  brain.a.rate = 0.05  (number, 0 … 1)'\nexit 0\n")
        self.program.chmod(0o755)

    def write(self, variant, **phases):
        directory = self.card / variant / "abrupt_intact"
        analysis_test.write_run(directory, groups=["abrupt_intact"], change=scaled(**phases),
                                shared_seeds=True)
        with open(directory / "resolved.toml", "a") as file:
            file.write("# Digest: abc\n")
        (directory / "traffic.csv").touch()

    def call(self, *arguments):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = robustness.main([str(a) for a in (self.card, "--program", self.program, *arguments)])
        return code, out.getvalue(), err.getvalue()

    def rows(self, name):
        with open(self.card / name, newline="") as file:
            return list(csv.DictReader(file))

    def test_flags(self):
        """Of the runs, by variant."""
        def plan(*parts, full=False):
            options = mock.Mock(part=parts, full=full, only=None, directory=self.card,
                                program=self.program)
            wanted = robustness.plan(robustness.load(options), options).wanted
            return {variant: " ".join(map(str, s.flags)) for (variant, _), s in wanted.items()}

        group = "--group abrupt_intact --subjects 4"
        self.assertEqual(plan("seeds", "scales", "rates"), {
            "tuned": group,  # as its file says
            "unchanged": f"{group} --seed 3 --scale 0.5",
            "seed_4": f"{group} --seed 4 --scale 0.5",
            "scale_2": f"{group} --scale 2 --seed 3",
            "a.rate_less": f"{group} --set brain.a.rate=0.04 --seed 3 --scale 0.5",
            "a.rate_more": f"{group} --set brain.a.rate=0.06 --seed 3 --scale 0.5"})
        falsifiers = plan("falsifiers")
        self.assertEqual(set(falsifiers), {"unchanged", "gone", "kept", "kept_base"})
        self.assertIn("--set brain.more=1 --set brain.other=false --seed 3", falsifiers["kept"])
        self.assertEqual(list(plan("doses")), ["unchanged", "part_1"])
        self.assertEqual(plan("doses", full=True)["part_0.5"],
                         "--group abrupt_intact --full --set brain.lesion=0.5 --seed 3 --scale 1")

    def test_targets(self):
        """A1's band is .8 to 1: .9 is in it, .9 · .8 not, and .9 · .9 = .81 the mean of the seeds'."""
        self.write("tuned")
        self.write("unchanged")
        self.write("seed_4", late=0.8)
        code, out, err = self.call("--part", "seeds")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"A1 .* 0\.9 ± 0\.058 \(4\) +0\.81 ± 0\.048 \(8\) +0\.72 ± 0\.046 seed_4 "
                              r"+0\.9 ± 0\.058 unchanged +1 of 2 +holds")
        rows = {(r["id"], r["name"]): r for r in self.rows("robustness.csv")}
        self.assertEqual(rows["A1", "seed_4"]["verdict"], "fails")
        counted = ("n", "n_second", "n_unit", "reference_n", "reference_n_second", "reference_n_unit")
        self.assertEqual([[rows[name, "all seeds"][key] for key in counted] for name in ("A1", "A5")],
                         [["8", "", "subjects", "4", "", "subjects"], ["8", "", "pairs", "4", "", "pairs"]])
        records = json.loads(self.call("--part", "seeds", "--json")[1])["rows"]
        self.assertEqual({r["n"] for r in records}, {4, 8})
        self.write("scale_2", late=0.8)
        code, out, err = self.call("--part", "scales", "--strict")
        self.assertEqual((code, err), (1, ""))
        self.assertRegex(out, r"A1 .* 0 of 1 +fails\n")
        self.assertTrue((self.card / "robustness.png").read_bytes().startswith(b"\x89PNG"))

    def test_falsifiers(self):
        self.write("unchanged")
        self.write("gone", rebound=0.0)
        self.write("kept_base", late=0.8)
        self.write("kept", late=0.6)
        code, out, err = self.call("--part", "falsifiers", "--strict")
        self.assertEqual((code, err), (1, ""))
        self.assertRegex(out, r"gone +no rebound +7\.5 ± 0\.48 \(4\) +.* \(4\) +<= 3 +holds\n")
        self.assertRegex(out, r"kept .* 0\.75 ± .* of it +>= 0\.8 +fails\n")
        self.assertIn("1 holds, 1 fails, 0 not judged.", out)
        self.assertEqual(self.call("--part", "falsifiers")[0], 0)
        self.assertEqual(self.call("--part", "falsifiers", "--only", "gone", "--strict")[0], 0)

    def test_without_an_effect_nothing_is_judged(self):
        self.write("unchanged", rebound=0.0)
        self.write("gone", rebound=0.0)
        code, out, _ = self.call("--part", "falsifiers", "--only", "gone", "--strict")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"gone .* untested: unchanged is out of its bounds\n")
        self.assertIn("0 holds, 0 fails, 1 not judged.", out)

    def test_bounds_within_a_sem_are_not_judged(self):
        self.write("unchanged")
        self.write("gone", rebound=0.38)  # of 7.5 ± .48: the bound is 3
        code, out, _ = self.call("--part", "falsifiers", "--only", "gone", "--strict")
        self.assertEqual(code, 1)
        self.assertRegex(out, r"gone .* 2\.85 ± 0\.18 \(4\) +<= 3 +undefined: a bound lies within")
        self.assertIn("0 holds, 0 fails, 1 not judged.", out)

    def test_doses(self):
        self.write("unchanged")
        self.write("part_1", late=0.5)
        code, out, err = self.call("--part", "doses")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"part +fraction compensated.* 0\.9 ± 0\.058 \(4\) +0\.45 ± 0\.029 \(4\)\n")
        rows = self.rows("doses.csv")
        self.assertEqual([r["dose"] for r in rows], ["0.0"] * 4 + ["1.0"] * 4)
        for whole, half in zip(rows[:4], rows[4:]):
            self.assertEqual(whole["seed"], half["seed"])
            self.assertAlmostEqual(float(half["value"]), 0.5 * float(whole["value"]))
        self.assertEqual(len(json.loads(self.call("--part", "doses", "--json")[1])["doses"]), 8)
        first = (self.card / "robustness.pdf").read_bytes()
        self.call("--part", "doses")
        self.assertEqual(first, (self.card / "robustness.pdf").read_bytes())

    def test_missing_runs_are_made(self):
        self.write("unchanged")
        made = self.root / "made"
        self.write("part_1", late=0.5)
        (self.card / "part_1" / "abrupt_intact").rename(made)
        self.program.write_text(self.program.read_text().replace(
            "exit 0", f"[ $1 = run ] && cp -r {made} {self.card}/part_1/abrupt_intact\nexit 0"))
        code, out, err = self.call("--part", "doses")
        self.assertEqual(code, 0)
        self.assertIn("1 of 2 runs to make, some 0 minutes of one core\n", err)
        calls = [c for c in (self.root / "calls").read_text().splitlines() if c.startswith("run")]
        self.assertEqual(len(calls), 1)
        self.assertTrue(calls[0].endswith(f"--out {self.card}/part_1/abrupt_intact --ranks 4"))

    def test_refusals(self):
        code, out, err = self.call("--only", "nothing")
        self.assertEqual((code, out), (2, ""))
        self.assertIn("--only nothing: nothing of this name; there are unchanged, seed_4, scale_2, "
                      "a.rate_less, a.rate_more, gone, kept, part", err)
        self.write("unchanged")
        self.program.write_text("#!/bin/sh\necho '# Digest: abd'\n")
        code, _, err = self.call("--part", "doses")
        self.assertEqual(code, 2)
        self.assertIn("unchanged/abrupt_intact: was made with other flags", err)

    def test_shipped_settings(self):
        """Names in them exist."""
        mock.patch.stopall()
        with mock.patch.object(robustness, "SETTINGS", pathlib.Path(robustness.__file__).with_suffix(
                ".toml")):
            settings = robustness.load(mock.Mock(part=robustness.PARTS, full=True, only=None))
        owners = score.experiments_by_group()
        own = {tomllib.loads((simulations.EXPERIMENTS / f"{name}.toml").read_text())["seed"]
               for name in set(owners.values())}
        self.assertGreaterEqual(len(set(settings["seeds"]) - own), 10)
        self.assertEqual(set(settings["groups"]) - set(owners), set())
        for part in [f[key] for f in settings["falsifier"] for key in ("of", "over") if key in f] + (
                settings["doses"]["of"]):
            self.assertIn(part["group"], owners)
            self.assertIn(part["readout"], readouts.LABELS)


if __name__ == "__main__":
    unittest.main()
