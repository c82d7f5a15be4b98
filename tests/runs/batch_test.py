"""Tests of runs/slurm/run.sbatch with stand-ins for the program and for Slurm's commands.

Run by CTest as `/usr/bin/python3 batch_test.py`.
"""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "runs" / "slurm" / "run.sbatch"


class BatchTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = pathlib.Path(temporary.name)
        self.out = self.root / "run with space"
        self.stand_in("quartet", "exit 0")
        self.stand_in("scontrol", "exit 0")
        self.plugins("none")

    def stand_in(self, name, text):
        """A command that notes its name and arguments and goes on with `text`."""
        path = self.root / name
        path.write_text(f'#!/bin/bash\necho "{name} $*" >> {self.root}/calls\n{text}\n')
        path.chmod(0o755)

    def plugins(self, names):
        self.stand_in("srun", f'[ "$1" = --mpi=list ] && {{ echo {names}; exit 0; }}\n'
                          'exec "${@:3}"')

    def start(self, *arguments, restarts=None):
        environment = os.environ | {
            "PATH": f"{self.root}:{os.environ['PATH']}", "QUARTET": str(self.root / "quartet"),
            "SLURM_NTASKS": "3", "SLURM_JOB_ID": "7",
        }
        environment.pop("SLURM_RESTART_COUNT", None)
        if restarts is not None:
            environment["SLURM_RESTART_COUNT"] = str(restarts)
        return subprocess.Popen(["bash", SCRIPT, *map(str, arguments)], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def calls(self, name="quartet"):
        path = self.root / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.partition(" ")[2] for line in lines if line.startswith(f"{name} ")]

    def begun(self):
        """A directory as a run leaves it, with a checkpoint and something dear."""
        (self.out / "checkpoints" / "0-3200").mkdir(parents=True)
        (self.out / "checkpoints" / "0-3200" / "manifest.toml").touch()
        (self.out / "resolved.toml").touch()

    def test_first_start_runs(self):
        process = self.start("e.toml", self.out, "--full", "--seed", "7")
        self.assertEqual((process.communicate(), process.returncode), (("", ""), 0))
        self.assertEqual(self.calls(), [f"run e.toml --out {self.out} --full --seed 7 --ranks 3"])

    def test_directory_of_another_job_is_left_to_the_program_to_refuse(self):
        self.begun()
        self.stand_in("quartet", "exit 2")
        for restarts in (None, 0):
            process = self.start("e.toml", self.out, "--full", restarts=restarts)
            process.communicate()
            self.assertEqual(process.returncode, 2)
        self.assertEqual(self.calls(), [f"run e.toml --out {self.out} --full --ranks 3"] * 2)

    def test_requeued_job_resumes(self):
        self.begun()
        self.start("e.toml", self.out, "--full", restarts=1).communicate()
        self.assertEqual(self.calls(), [f"resume {self.out} --ranks 3"])

    def test_requeued_before_it_began_runs(self):
        self.start("e.toml", self.out, restarts=2).communicate()
        self.assertEqual(self.calls(), [f"run e.toml --out {self.out} --ranks 3"])

    def test_nothing_is_ever_removed(self):
        self.out.mkdir()
        (self.out / "thesis.tex").touch()
        for restarts in (None, 1):
            self.start("e.toml", self.out, restarts=restarts).communicate()
            self.assertTrue((self.out / "thesis.tex").exists())

    def test_ranks_come_from_srun_where_it_has_pmix(self):
        self.plugins("pmix_v4")
        self.start("e.toml", self.out).communicate()
        self.assertEqual(self.calls(), [f"run e.toml --out {self.out}"])

    def test_stops_before_the_limit_and_goes_back_into_the_queue(self):
        self.stand_in("quartet", f"trap 'exit 75' USR1; sleep 0.3; touch {self.root}/ready\n"
                             "while :; do sleep 0.05; done")
        process = self.start("e.toml", self.out)
        until = time.monotonic() + 30
        while not (self.root / "ready").exists() and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        out, _ = process.communicate()
        self.assertEqual(process.returncode, 75)
        self.assertIn("back into the queue", out)
        self.assertEqual(self.calls("scontrol"), ["requeue 7"])

    def test_usage(self):
        process = self.start("e.toml")
        self.assertIn("write sbatch", process.communicate()[1])
        self.assertEqual((process.returncode, self.calls()), (2, []))


if __name__ == "__main__":
    unittest.main()
