#!/usr/bin/python3
"""Each standard experiment, shortened, gives the same bits on 1, 2, 4 and 8 ranks and across a restart
on another placement. Not part of the tests that always run: it takes an hour of two cores.

    QUARTET_PROGRAM=build/quartet tests/system/experiments_test.py                # all
    QUARTET_PROGRAM=build/quartet tests/system/experiments_test.py stroke tms     # some
"""

import pathlib
import shutil
import sys
import tomllib
import unittest

from card_test import RUNS, shorten
from system_test import SystemTest


def groups_that_differ(experiment: dict) -> list[str]:
    """The first group of each schedule, and the last one, which is lesioned most often."""
    first = {}
    for group in experiment["group"]:
        first.setdefault(group.get("schedule"), group["name"])
    return list(dict.fromkeys([*first.values(), experiment["group"][-1]["name"]]))


class ExperimentsTest(SystemTest):
    def check(self, file: pathlib.Path):
        experiment = self.new_directory().with_suffix(".toml")
        experiment.write_text(shorten(file.read_text(), most_trials=2, most_pulses=1))
        short = ["--full", "--subjects", 1, "--set", "brain.scale=0.25"]
        for group in groups_that_differ(tomllib.loads(experiment.read_text())):
            short += ["--group", group]
        whole = self.run_new("--checkpoint-every", 0, *short, experiment=experiment)
        for ranks in (2, 4, 8):
            self.assert_same(whole, self.run_new(*short, ranks=ranks, experiment=experiment),
                             f"{file.name} on {ranks} ranks")
        out = self.run_new("--checkpoint-every", 1, *short, experiment=experiment)
        self.as_if_killed_at_its_end(out)
        shutil.rmtree(self.published(out)[-1])
        self.resume(out, 2)
        self.assert_same(whole, out, f"{file.name} after a restart")


def standard_experiments() -> list[pathlib.Path]:
    return sorted((RUNS / "experiments").glob("*.toml"))


for path in standard_experiments():
    setattr(ExperimentsTest, f"test_{path.stem}", lambda self, path=path: self.check(path))

if __name__ == "__main__":
    names = sys.argv[1:] or [path.stem for path in standard_experiments()]
    unittest.main(argv=sys.argv[:1] + [f"ExperimentsTest.test_{name}" for name in names])
