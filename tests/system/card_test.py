#!/usr/bin/python3
"""The whole scorecard, so short that its numbers mean nothing: every standard experiment runs, every
target is read out, and a second call reads what the first has made.

    QUARTET_PROGRAM=build/quartet tests/system/card_test.py
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import tomllib
import unittest

PROGRAM = os.environ["QUARTET_PROGRAM"]
RUNS = pathlib.Path(__file__).parents[2] / "runs"
SPACING = 6  # of a map's sites


def shorten(text: str, most_trials: int, most_pulses: int) -> str:
    """An experiment with at most so many trials of a block and pulses of a condition of stimulation.
    Experiments write pulses and spacing of their probes also where they are the defaults, so that
    they are found here."""
    def at_most(most):
        return lambda found: found[1] + str(min(int(found[2]), most))
    text = re.sub(r"trials_factor = [\d.]+", "trials_factor = 1", text)
    text = re.sub(r"(\b(?:trials|steps) = )(\d+)", at_most(most_trials), text)
    text = re.sub(r"(\bspacing = )[\d.]+", rf"\g<1>{SPACING}", text)
    return re.sub(r"(\bpulses = )(\d+)", at_most(most_pulses), text)


class CardTest(unittest.TestCase):
    def test_every_target_is_read_out(self):
        with tempfile.TemporaryDirectory(prefix="quartet-card-") as folder:
            folder = pathlib.Path(folder)
            shutil.copytree(RUNS / "analysis", folder / "runs" / "analysis")
            (folder / "runs" / "experiments").mkdir()
            for experiment in (RUNS / "experiments").glob("*.toml"):
                (folder / "runs" / "experiments" / experiment.name).write_text(
                    shorten(experiment.read_text(), most_trials=4, most_pulses=3))
                for schedule in tomllib.loads(experiment.read_text()).get("schedules", {}).values():
                    for block in schedule["blocks"]:
                        probe = block.get("probe", {})
                        where = f"{experiment.name}: {block.get('phase')}"
                        self.assertEqual("kind" in probe, "pulses" in probe, where)
                        self.assertEqual(probe.get("kind") == "map", "spacing" in probe, where)
            with open(RUNS / "analysis" / "targets.toml", "rb") as file:
                targets = tomllib.load(file)
            card = folder / "card"
            card.mkdir()

            def score():
                result = subprocess.run(
                    [PROGRAM, "score", card, "--run", "--json", "--ranks", "1", "--subjects", "1",
                     "--scale", "0.25"], capture_output=True, text=True,
                    env={**os.environ, "QUARTET_ANALYSIS": folder / "runs" / "analysis"})
                self.assertEqual(result.returncode, 0, result.stderr)
                return json.loads(result.stdout)

            first = score()
            self.assertEqual({path.name for path in card.iterdir() if path.is_dir()},
                             set(targets["experiments"]))
            verdicts = {row["id"]: row["verdict"] for row in first["targets"]}
            self.assertEqual(set(verdicts), {target["id"] for target in targets["target"]})
            self.assertEqual([name for name, verdict in verdicts.items() if verdict == "not run"], [])
            read = [name for name, verdict in verdicts.items() if not verdict.startswith("undefined")]
            self.assertGreater(len(read), 0.7 * len(verdicts), verdicts)
            made = {path: path.stat().st_mtime_ns for path in card.rglob("*.nc")}
            self.assertEqual(score(), first)
            self.assertEqual({path: path.stat().st_mtime_ns for path in card.rglob("*.nc")}, made)
            self.assertTrue((card / "summary.png").read_bytes().startswith(b"\x89PNG"))


if __name__ == "__main__":
    unittest.main()
