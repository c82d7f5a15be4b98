#!/usr/bin/python3
"""The whole scorecard, so short that its numbers mean nothing: every standard experiment runs, every
target is read out, and a second call reads what the first has made.

    QUARTET_PROGRAM=build/quartet tests/system/card_test.py
"""

import json
import os
import pathlib
import subprocess
import tempfile
import tomllib
import unittest

PROGRAM = os.environ["QUARTET_PROGRAM"]
TARGETS = pathlib.Path(__file__).parents[2] / "runs" / "analysis" / "targets.toml"


class CardTest(unittest.TestCase):
    def test_every_target_is_read_out(self):
        with open(TARGETS, "rb") as file:
            targets = tomllib.load(file)
        with tempfile.TemporaryDirectory(prefix="quartet-card-") as folder:
            card = pathlib.Path(folder) / "card"
            card.mkdir()

            def score():
                result = subprocess.run(
                    [PROGRAM, "score", card, "--run", "--json", "--ranks", "1", "--subjects", "1",
                     "--scale", "0.25", "--set", "block.trials=20"], capture_output=True, text=True)
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
