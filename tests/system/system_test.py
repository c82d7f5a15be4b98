#!/usr/bin/python3
"""Whole runs of the built program, compared to the bit: each test is a promise of the product.

    QUARTET_PROGRAM=build/quartet tests/system/system_test.py [SystemTest.test_placement …]

QUARTET_OTHER_PROGRAM: a build for another instruction set, for test_instruction_sets; CTest makes
one (build_other.cmake).
QUARTET_TEST_SEED: of the moments at which tests send signals (shown where a test fails).
"""

import hashlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import netCDF4
import numpy as np

PROGRAM = os.environ["QUARTET_PROGRAM"]
PATIENCE_S = 600  # for a run that hangs; under sanitizers, on busy cores, one takes minutes
EXPERIMENT = pathlib.Path(__file__).with_name("short.toml")
SMOKE = pathlib.Path(__file__).parents[2] / "runs" / "experiments" / "smoke.toml"
SEED = int(os.environ.get("QUARTET_TEST_SEED", random.randrange(10**6)))

DONE, FAILED, USAGE, STOPPED = 0, 1, 2, 75

# For tests that call mpirun themselves: as root, with more ranks than cores (Open MPI 4, then 5).
MPI_ENVIRONMENT = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "OMPI_MCA_mpi_yield_when_idle": "1",
    "OMPI_MCA_btl_vader_eager_limit": "32768",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "OMPI_MCA_btl_sm_eager_limit": "32768",
}

# For many ranks on few cores.
SHORTER = ["--subjects", "1", "--set", "block.trials=1"]
# Long enough to be stopped or killed on the way, short enough to be repeated.
LONGER = ["--subjects", "1", "--set", "block.trials=4"]
LONGEST = ["--subjects", "1", "--set", "block.trials=20"]  # outlasts several stops


def end_of_data(path: pathlib.Path) -> int:
    """Where a file's data end: the netCDF library may leave filled blocks behind them."""
    sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "runs" / "analysis"))
    import netcdf  # slow: not for every test
    with path.open("rb") as file:
        return netcdf.needed_bytes(file)


def descendants(pid: int) -> list[int]:
    """Processes that `pid` started, and those that they started."""
    children = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, next_ones = [], [pid]
    while next_ones:
        next_ones = [child for parent in next_ones for child in children.get(parent, [])]
        found += next_ones
    return found


def ranks_below(pid: int) -> list[int]:
    """The descendants that are ranks of the program."""
    ranks = []
    for child in descendants(pid):
        try:
            if os.path.samefile(f"/proc/{child}/exe", PROGRAM):
                ranks.append(child)
        except OSError:
            pass
    return ranks


class SystemTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="quartet-system-")
        cls.root = pathlib.Path(cls.folder.name)
        cls.baselines = {}
        cls.count = 0

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        self.random = random.Random(f"{SEED} {self.id()}")

    # What tests are written with.

    def new_directory(self) -> pathlib.Path:
        type(self).count += 1
        return self.root / f"run{self.count}"

    def program(self, *arguments, expect=DONE, environment=None, program=PROGRAM):
        """Runs the program to its end; returns what it wrote."""
        result = subprocess.run(
            [program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE_S, env={**os.environ, **(environment or {})})
        self.assertEqual(result.returncode, expect,
                         f"quartet {' '.join(map(str, arguments))}\n{result.stdout}")
        return result.stdout

    def run_new(self, *arguments, ranks=1, experiment=EXPERIMENT, **options) -> pathlib.Path:
        """A complete new run, in its own directory."""
        out = self.new_directory()
        self.program("run", experiment, "--quiet", "--out", out, "--ranks", ranks, *arguments,
                     **options)
        return out

    def baseline(self, *arguments) -> pathlib.Path:
        """The same on one rank without MPI, without checkpoints; made once."""
        if arguments not in self.baselines:
            self.baselines[arguments] = self.run_new("--checkpoint-every", 0, *arguments)
        return self.baselines[arguments]

    def resume(self, out, ranks=1, *arguments, **options):
        return self.program("resume", out, "--quiet", "--ranks", ranks, *arguments, **options)

    def start(self, out, ranks, *arguments) -> subprocess.Popen:
        """A new run in the background."""
        process = subprocess.Popen(
            [PROGRAM, "run", str(EXPERIMENT), "--quiet", "--out", str(out), "--ranks", str(ranks),
             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def wait_for(self, what, condition, process, seconds=60):
        end = time.monotonic() + seconds
        while not condition():
            self.assertIsNone(process.poll(), f"ended before {what}")
            self.assertLess(time.monotonic(), end, f"no {what} after {seconds} s")
            time.sleep(0.005)

    def assert_same(self, a, b, message=""):
        result = subprocess.run([PROGRAM, "compare", str(a), str(b)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
        self.assertEqual(result.returncode, 0, f"{message}\n{result.stdout}(seed {SEED})")

    def published(self, out) -> list[pathlib.Path]:
        folder = out / "checkpoints"
        if not folder.is_dir():
            return []
        return sorted(p for p in folder.iterdir() if p.suffix != ".partial")

    def as_if_killed_at_its_end(self, out):
        """Leaves a complete run as if it had been killed just before it closed its files."""
        (out / "traffic.csv").unlink()
        with netCDF4.Dataset(out / "behaviour.nc", "a") as file:
            file.delncattr("provenance_ended")

    def contents(self, out):
        return {path.relative_to(out): path.read_bytes()
                for path in out.rglob("*") if path.is_file()}

    # Same bits.

    def test_placement(self):
        """Any number of ranks gives the same bits."""
        for ranks in (2, 3, 4, 5, 6, 8):
            with self.subTest(ranks=ranks):
                out = self.run_new(*SHORTER, ranks=ranks)
                self.assert_same(self.baseline(*SHORTER), out, f"{ranks} ranks")

    def test_placement_permuted(self):
        """So does any distribution over ranks, with any region split."""
        placements = [
            (2, "cortex:1,0 body:1 cerebellum:0,1 basal_ganglia:1,0 thalamus:0,1"),
            (3, "cortex:2,0,1 body:1 cerebellum:1,2 basal_ganglia:0,2 thalamus:1,0"),
            (4, "cortex:3 body:2 cerebellum:0 basal_ganglia:1 thalamus:0"),
        ]
        for ranks, placement in placements:
            with self.subTest(placement=placement):
                out = self.run_new(*SHORTER, "--placement", placement, ranks=ranks)
                self.assert_same(self.baseline(*SHORTER), out, placement)

    def test_inprocess_vs_mpi(self):
        """A run without MPI equals one under the user's own mpirun."""
        for ranks in (1, 2):
            out = self.new_directory()
            result = subprocess.run(
                ["mpirun", "-n", str(ranks), PROGRAM, "run", str(EXPERIMENT), "--quiet", "--out",
                 str(out), "--subjects", "1"], env={**MPI_ENVIRONMENT, **os.environ},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
            self.assertEqual(result.returncode, DONE, result.stdout)
            self.assert_same(self.baseline("--subjects", 1), out, f"mpirun -n {ranks}")

    def test_repeat(self):
        """The same run twice, and another seed is another run."""
        self.assert_same(self.baseline(), self.run_new("--checkpoint-every", 0))
        other = self.run_new("--seed", 2)
        self.program("compare", self.baseline(), other, expect=FAILED)

    def test_checkpoint_is_pure(self):
        """Writing checkpoints changes nothing, however often."""
        for every in (1, 3):
            self.assert_same(self.baseline(), self.run_new("--checkpoint-every", every))
        self.assert_same(self.baseline(), self.run_new("--checkpoint-every", 1, ranks=2))

    def test_recording_is_pure(self):
        """What is recorded changes nothing in what happens."""
        for sets in (["rate_subjects=0", "weights_subjects=0", "spikes.subjects=0"],
                     ["rate_subjects=2", "weights_subjects=2", "spikes.subjects=2"],
                     ["spikes.cortex=false", "rate_bin_ms=5"]):
            arguments = [word for key in sets for word in ("--set", "record." + key)]
            out = self.run_new(*arguments)
            self.assert_same(self.baseline() / "behaviour.nc", out / "behaviour.nc", str(sets))
            recorded = {path.name for path in out.glob("*.nc")}
            self.assertEqual("cortex_spikes.nc" in recorded, sets[0] == "rate_subjects=2")

    def test_probes_are_pure(self):
        """Stimulation between blocks leaves no trace in the brain, nor in what is recorded of it."""
        with netCDF4.Dataset(self.baseline() / "probes.nc") as file:
            self.assertGreater(file["mep"][:].max(), 0.1)
            names = file["stage"].flag_meanings.split()
            silent = file["stage"][:] == names.index("surround_silent")
            ring = list(file["muscle_name"][:]).index("ring_finger")
            # The finger that is asked moves, and did not before.
            self.assertGreater(file["mep"][silent, ring].mean(),
                               3 * file["background"][silent, ring].mean())
            # The one finger whose movement is intended gets most of what is sent.
            intended = file["stage"][:] == names.index("intention")
            fingers = {2: "index_finger", 4: "ring_finger"}
            self.assertEqual(set(file["digit"][intended]), set(fingers))
            self.assertEqual(set(file["digit"][~intended]), {0})
            for digit, finger in fingers.items():
                sent = file["mep"][intended & (file["digit"][:] == digit)].mean(axis=0)
                self.assertEqual(list(file["muscle_name"][:])[int(sent.argmax())], finger)
            # Every pulse says of which group its subject is, and before which phase it was.
            told = {name: np.array(file[name].flag_meanings.split())[file[name][:]].tolist()
                    for name in ("group", "phase")}
            self.assertEqual(told["phase"], [("unnamed", "rotated", "unnamed")[b] for b in file["block"][:]])
            self.assertEqual(told["group"], [("cursor", "reward")[s // 2] for s in file["subject"][:]])
        with netCDF4.Dataset(self.baseline() / "behaviour.nc") as file:
            factor = file["brain_cortex_gaba_a_factor"][:]  # of the second group alone subjects differ
        self.assertEqual(factor[:2].tolist(), [1, 1])
        self.assertTrue((abs(factor[2:] - 1) < 0.2).all() and factor[2] != factor[3], factor)
        folder = self.new_directory()
        folder.mkdir()
        text = EXPERIMENT.read_text()
        (folder / EXPERIMENT.name).write_text(re.sub(r'probe\.kind = "\w+"', 'probe.kind = "none"',
                                                     text))
        without = self.run_new("--checkpoint-every", 0, experiment=folder / EXPERIMENT.name)
        self.assertFalse((without / "probes.nc").exists())
        for path in without.glob("*.nc"):
            self.assert_same(self.baseline() / path.name, path, path.name)
        self.assertEqual((without / "traffic.csv").read_text(),
                         (self.baseline() / "traffic.csv").read_text())
        other = self.run_new("--set", "block.rotated.probe.width=1")
        self.program("compare", self.baseline() / "probes.nc", other / "probes.nc", expect=FAILED)

    def test_member_alone(self):
        """A subject does the same whoever else is in the experiment."""
        alone, together = self.run_new("--subjects", 1), self.baseline()
        compared = 0
        for name in ("behaviour.nc", "cortex.nc", "cerebellum.nc", "thalamus.nc"):
            with netCDF4.Dataset(alone / name) as a, netCDF4.Dataset(together / name) as b:
                for file in (a, b):
                    file.set_auto_mask(False)
                subjects = [list(file["subject_name"][:]) for file in (a, b)]
                for variable in a.variables.values():
                    if variable.dimensions[1:] != ("subject",):
                        continue
                    for i, subject in enumerate(subjects[0]):
                        x = variable[:, i]
                        y = b[variable.name][:, subjects[1].index(subject)]
                        self.assertEqual(x.tobytes(), y.tobytes(), f"{variable.name} of {subject}")
                        compared += 1
        self.assertGreater(compared, 60)

    def test_instruction_sets(self):
        """The same bits without the machine's fused multiply-add and vectors, and from a build
        for another instruction set."""
        tunables = "glibc.cpu.hwcaps=-AVX2_Usable,-FMA_Usable,-AVX2,-FMA,-AVX512F"
        self.assert_same(self.baseline(), self.run_new(environment={"GLIBC_TUNABLES": tunables}))
        other = os.environ.get("QUARTET_OTHER_PROGRAM")
        if not other:
            self.skipTest("no QUARTET_OTHER_PROGRAM to compare with")
        versions = [self.program("version", program=program) for program in (PROGRAM, other)]
        native = ["-march=native" in version for version in versions]
        self.assertNotEqual(*native, "both are built for the same instruction set")
        ours, theirs = (self.run_new(experiment=SMOKE, program=program)
                        for program in (PROGRAM, other))
        self.assert_same(ours, theirs, "\n".join(versions))
        changed = self.run_new("--seed", 2, experiment=SMOKE, program=other)
        self.program("compare", ours, changed, expect=FAILED)

    # Stopping and going on.

    def test_restart_exact(self):
        """From a checkpoint the run goes on to the same bits, on another placement too."""
        done = self.run_new("--checkpoint-every", 5)  # within subjects, and not at a block's end
        self.as_if_killed_at_its_end(done)
        first, second = self.published(done)
        for ranks in (1, 2, 5):
            out = self.new_directory()
            shutil.copytree(done, out)
            shutil.rmtree(out / "checkpoints" / second.name)
            self.resume(out, ranks)
            self.assert_same(self.baseline(), out, f"from {first.name} on {ranks} ranks")
            # As often as before.
            self.assertEqual([p.name for p in self.published(out)], [first.name, second.name])
            if ranks == 1:  # bytes depend on the placement
                self.assertEqual((out / "traffic.csv").read_text(),
                                 (self.baseline() / "traffic.csv").read_text())
        # Between two subjects: the fourth trial is the first subject's last.
        out = self.run_new("--checkpoint-every", 4)
        self.as_if_killed_at_its_end(out)
        self.assertTrue(self.published(out)[-1].name.endswith("3200"))
        self.resume(out, 2)
        self.assert_same(self.baseline(), out, "between subjects")

    def test_plastic_sheet(self):
        """The same promises where the motor sheet learns too, its synapses come and go, a part of it
        dies, it is polarised and drugged, hands are seen, nerves are blocked, and fingers are to move."""
        experiment = self.new_directory().with_suffix(".toml")
        last = 'probe.settle_ms = 50},\n]'
        fingers = '{trials = 2, task = "fingers", fingers = [2, 3], finger_correlation = -1},\n'
        self.assertIn(last, EXPERIMENT.read_text())
        experiment.write_text(EXPERIMENT.read_text().replace(last, last[:-1] + fingers + "]"))
        learns = ["--subjects", "1", "--set", "brain.cortex.sheet_plasticity.plastic=true",
                  "--set", "brain.cortex.sheet_plasticity.spines.structural=true",
                  "--set", "brain.cortex.sheet_plasticity.window.amplitude=2",
                  "--set", "block.rotated.lesion_site=[14.4, 3]", "--set", "block.rotated.lesion_radius=2",
                  "--set", "block.rotated.polarization_mv=2", "--set", "block.rotated.probe.observed=[2]",
                  "--set", "block.rotated.drug.gaba_a=1.1", "--set", "block.rotated.drug.tonic_gaba=0.02",
                  "--set", "block.rotated.drug.dopamine_hz=3", "--set", "block.rotated.cell_loss.dopamine=0.5",
                  "--set", "block.rotated.cell_loss.purkinje=0.25", "--set", "block.rotated.cell_loss.nuclei=0.25",
                  "--set", "block.rotated.cell_loss.olive=0.25", "--set", "block.rotated.cell_loss.vl=0.25",
                  "--set", "brain.cortex.observation.connected=true",
                  "--set", "brain.cortex.afferents.connected=true", "--set", 'block.rotated.nerve_block="hand"',
                  "--set", "brain.cortex.afferents.pv_weight=1", "--set", "brain.cortex.pv.bias_mv=8",
                  *(f for cells in ("sts", "pfg", "pmv")  # they fire all the time
                    for f in ("--set", f"brain.cortex.{cells}.bias_mv=16"))]
        whole = self.run_new("--checkpoint-every", 0, *learns, experiment=experiment)
        with netCDF4.Dataset(whole / "cortex_weights.nc") as file:
            weights = file["weight_L23E_L5PT"][:]
            sources = file["source_L23E_L5PT"][:]
            spines = file["spine_L23E_L5PT"][:]
            for name in ("STS_PFG", "PFG_PMv"):
                self.assertGreater(file[f"weight_{name}"][-1].max(), 0.01)
            cells = file["source_L23E_L5PT"].cells
        self.assertGreater(np.abs(weights[-1] - weights[0]).max(), 1e-4)
        self.assertGreater(np.count_nonzero(sources[-1] != sources[0]), 100)
        self.assertTrue(((sources == cells) == (spines == 0)).all())
        self.assertTrue((weights[spines == 0] == 0).all())
        with netCDF4.Dataset(whole / "basal_ganglia_weights.nc") as file:
            expected = file["weight_Instruction_Striosome"][:]
        self.assertGreater(np.abs(expected[-1] - expected[0]).max(), 1e-3)
        with netCDF4.Dataset(whole / "cortex_energy.nc") as file:
            cells = file["cells"][:, 0].sum(axis=1)
        self.assertLess(cells[-1], cells[0] - 50)
        self.assert_map_adds_up(whole)  # though the dead cells were not as active as the others
        with netCDF4.Dataset(whole / "cerebellum_energy.nc") as file:
            purkinje = file["cells"][:, 0, list(file["population"][:]).index("PC")]
        self.assertAlmostEqual(purkinje[-1] / purkinje[0], 0.75)
        with netCDF4.Dataset(whole / "cortex.nc") as file:
            rate, block = file["rate_S1"][:, 0], np.searchsorted([1, 3], file["trial"][:], "right")
        self.assertAlmostEqual(rate[block == 1].mean() / rate[block == 0].mean(), 8 / 13, delta=0.08)
        for ranks, more in ((6, []), (3, ["--placement", "cortex:2,0,1 body:1 cerebellum:1,2 "
                                                         "basal_ganglia:0,2 thalamus:1,0"])):
            self.assert_same(whole, self.run_new(*learns, *more, ranks=ranks, experiment=experiment),
                             f"{ranks} ranks")
        out = self.run_new(*learns, "--checkpoint-every", 3, experiment=experiment)
        self.as_if_killed_at_its_end(out)
        shutil.rmtree(self.published(out)[-1])
        self.resume(out, 5)
        self.assert_same(whole, out, "after a restart")

    def test_current_and_drugs_are_felt(self):
        """The current of a probe's pulse, and that of a block, depolarises the sheet; a block's drug acts in
        its probe and its trials."""
        probe = ["--subjects", "1", "--set", 'block.rotated.probe.kind="polarization"',
                 "--set", "block.rotated.probe.polarizations_mv=[-6, 6]",
                 "--set", "block.rotated.probe.intensities=[1.2]", "--set", "block.rotated.probe.pulses=4"]

        def felt(*arguments):
            """Mean response to a pulse by the probe's current, and rate of L5PT in the block."""
            run = self.run_new(*probe, *arguments)
            with netCDF4.Dataset(run / "probes.nc") as file:
                current, size = file["polarization"][:], file["mep"][:].mean(axis=1)
                sizes = [size[(file["block"][:] == 1) & (current == mv)].mean() for mv in (-6, 6)]
            with netCDF4.Dataset(run / "cortex.nc") as file:
                return sizes, file["rate_L5PT"][:, 0][np.isin(file["trial"][:], (1, 2))].mean()

        (low, high), rate = felt()
        self.assertGreater(high, low + 0.1)
        (_, higher), more = felt("--set", "block.rotated.polarization_mv=3")
        self.assertGreater(higher, high)
        self.assertGreater(more, 1.2 * rate)
        (_, lower), less = felt("--set", "block.rotated.drug.tonic_gaba=0.5")
        self.assertLess(lower, high)
        self.assertLess(less, rate / 1.2)

        def last_rate(*arguments):
            """Rate of L5PT in the block after."""
            with netCDF4.Dataset(self.run_new(*probe, *arguments) / "cortex.nc") as file:
                return file["rate_L5PT"][:, 0][file["trial"][:] == 3].mean()

        self.assertGreater(last_rate("--set", "block.rotated.drug.tonic_gaba=0.5") / last_rate(),
                           2 * less / rate)

    def test_damaged_checkpoint(self):
        """A damaged checkpoint is named and passed over."""
        out = self.run_new("--checkpoint-every", 5)
        self.as_if_killed_at_its_end(out)
        newest = self.published(out)[-1]
        file = next(newest.glob("cortex.*.state"))
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        self.assertIn(newest.name, self.resume(out, 1, "--checkpoint-every", 11))
        self.assert_same(self.baseline(), out)
        # The one to fall back on is a good one.
        self.assertIn(newest.name + ".damaged", [p.name for p in self.published(out)])
        said = self.program("inspect", out)
        self.assertEqual((said.count("  valid, "), said.count("  damaged: ")), (2, 0), said)

    def test_no_good_checkpoint(self):
        """Without a good checkpoint nothing that is done is done again by itself."""
        out = self.run_new("--checkpoint-every", 5)
        self.as_if_killed_at_its_end(out)
        for checkpoint in self.published(out):
            (checkpoint / "manifest.toml").write_text("")
        self.assertIn("none of its checkpoints is good", self.resume(out, expect=FAILED))
        shutil.rmtree(out / "checkpoints")
        before = self.contents(out)
        self.assertIn("behaviour.nc: has every trial", self.resume(out, expect=FAILED))
        self.assertEqual(before, self.contents(out))
        with netCDF4.Dataset(out / "behaviour.nc", "a") as file:
            file["trials_done"][-1] -= 1
        log = out / "run.log"
        text = log.read_text()
        for without, said in ((" none ", "the end of the run"), (" done ", "a checkpoint")):
            log.write_text("".join(line for line in text.splitlines(keepends=True)
                                   if without not in line))
            before = self.contents(out)
            self.assertIn(f"run.log: tells of {said}", self.resume(out, 2, expect=FAILED))
            self.assertEqual(before, self.contents(out))
        # Only what never had one begins anew, and says so.
        log.write_text("".join(line for line in log.read_text().splitlines(keepends=True)
                               if " checkpoint " not in line))
        self.assertIn("begins anew", self.resume(out))
        self.assert_same(self.baseline(), out)

    def test_one_writer(self):
        """A run that is going on is not resumed beside itself."""
        for ranks in (1, 2):
            out = self.new_directory()
            process = self.start(out, ranks)
            self.wait_for("its first trial", lambda: (out / "behaviour.nc").exists(), process)
            for second in (1, 2):
                said = self.resume(out, second, expect=USAGE)
                self.assertIn("another process is writing this run", said)
            self.assertEqual(process.wait(timeout=PATIENCE_S), DONE, process.stdout.read())
            self.assert_same(self.baseline(), out, f"{ranks} ranks")

    def test_other_experiment(self):
        """A checkpoint of another experiment is refused."""
        out = self.run_new("--checkpoint-every", 5)
        self.as_if_killed_at_its_end(out)
        file = out / "resolved.toml"
        text = file.read_text()
        file.write_text(text.replace("scale = 0.25", "scale = 0.3", 1))
        self.assertNotEqual(text, file.read_text())
        self.assertIn("another experiment", self.resume(out, expect=FAILED))

    def test_other_version(self):
        """A run of another build is continued only where that is asked for, and its files say so."""
        out = self.run_new("--checkpoint-every", 5)
        self.as_if_killed_at_its_end(out)
        with netCDF4.Dataset(out / "behaviour.nc") as file:
            commit = file.provenance_commit
        for checkpoint in self.published(out):
            manifest = checkpoint / "manifest.toml"
            text = manifest.read_text().rpartition("digest = ")[0]
            self.assertIn(f'commit = "{commit}"\n', text)
            text = text.replace(f'commit = "{commit}"', 'commit = "another"')
            digest = hashlib.sha256(text.encode()).hexdigest()
            manifest.write_text(f'{text}digest = "{digest}"\n')
        said = self.resume(out, expect=FAILED)
        self.assertIn("commit another, and this is version", said)
        self.assertIn("--other-version", said)
        self.resume(out, 2, "--other-version")
        self.assert_same(self.baseline(), out)
        for path in out.glob("*.nc"):
            with netCDF4.Dataset(path) as file:
                self.assertEqual(file.provenance_commit, f"another, then {commit}", path.name)

    def test_complete_run(self):
        """There is nothing to resume in a complete run."""
        out = self.run_new("--checkpoint-every", 5)
        before = {path: path.stat().st_mtime_ns for path in out.iterdir()}
        said = self.program("resume", out, "--ranks", 1)
        self.assertIn("the run is complete already", said)
        self.assertEqual(before, {path: path.stat().st_mtime_ns for path in out.iterdir()})
        # Also where only data are kept.
        (out / "traffic.csv").unlink()
        shutil.rmtree(out / "checkpoints")
        (out / "run.log").unlink()
        before = self.contents(out)
        for ranks in (1, 2):
            said = self.program("resume", out, "--ranks", ranks)
            self.assertIn("the run is complete already", said)
        self.assertEqual(before, self.contents(out))

    def test_damaged_complete_run(self):
        """A run is not called complete where its files are missing or damaged."""
        done = self.run_new(*SHORTER)
        for name, damage, said in (
                ("behaviour.nc", pathlib.Path.unlink, "is missing"),
                ("behaviour.nc", lambda path: path.write_bytes(b"CDF"), "cannot"),
                ("behaviour.nc", lambda path: os.truncate(path, end_of_data(path) - 5), "is cut off"),
                ("cortex.nc", pathlib.Path.unlink, "is missing"),
                ("basal_ganglia_weights.nc", pathlib.Path.unlink, "is missing"),
                ("probes.nc", pathlib.Path.unlink, "is missing"),
                ("cerebellum_spikes.nc",
                 lambda path: os.truncate(path, path.stat().st_size * 3 // 4), "is cut off"),
                ("cerebellum_weights.nc",
                 lambda path: os.truncate(path, path.stat().st_size // 2), "is cut off")):
            out = self.new_directory()
            shutil.copytree(done, out)
            damage(out / name)
            before = self.contents(out)
            answer = self.program("resume", out, "--ranks", 1, expect=FAILED)
            self.assertIn(f"{out / name}: ", answer)
            self.assertIn(said, answer)
            self.assertNotIn("complete already", answer)
            self.assertEqual(before, self.contents(out))
        # Where nothing but run.log tells that the run had ended.
        out = done
        for name in ("behaviour.nc", "traffic.csv"):
            (out / name).unlink()
        before = self.contents(out)
        self.assertIn("run.log: tells of the end", self.resume(out, expect=FAILED))
        self.assertEqual(before, self.contents(out))

    def test_signal_stop(self):
        """A signal stops with a checkpoint and code 75; the resumed run is as if it had not."""
        baseline = self.baseline(*LONGER)
        for name, ranks, resume_ranks in (("SIGUSR1", 1, 2), ("SIGUSR1", 3, 1), ("SIGTERM", 4, 4),
                                          ("SIGINT", 2, 3), ("SIGHUP", 1, 1), ("SIGHUP", 2, 1)):
            out = self.new_directory()
            process = self.start(out, ranks, "--checkpoint-every", 0, *LONGER)
            self.wait_for("behaviour.nc", (out / "behaviour.nc").exists, process)
            time.sleep(self.random.uniform(0.0, 0.4))
            process.send_signal(signal.Signals[name])
            if name == "SIGUSR1":
                time.sleep(self.random.uniform(0.0, 0.03))
                process.send_signal(signal.SIGUSR1)  # changes nothing
            said, _ = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, STOPPED, said)
            self.assertEqual(len(self.published(out)), 1)
            with netCDF4.Dataset(out / "behaviour.nc") as file:
                trials = int(file["trials_done"][:].sum())
            self.assertIn(f"quartet: stopped after trial {trials} of 24, with a checkpoint; "
                          f"continue: quartet resume {out}\n", said)
            said = self.program("resume", out, "--ranks", resume_ranks)
            self.assertIn(f"{out}: goes on after trial {trials} of 24\n", said)
            self.assertIn(f"quartet: done; results are in {out}\n", said)
            self.assert_same(baseline, out, f"{name} on {ranks} ranks, resumed on {resume_ranks}")

    def test_stop_twice(self):
        """A run may be stopped as often as one likes."""
        out = self.new_directory()
        process = self.start(out, 2, *LONGEST)
        for _ in range(3):
            self.wait_for("behaviour.nc", (out / "behaviour.nc").exists, process)
            time.sleep(self.random.uniform(0.0, 0.4))
            process.send_signal(signal.SIGUSR1)
            self.assertEqual(process.wait(PATIENCE_S), STOPPED)
            process.stdout.close()
            process = subprocess.Popen([PROGRAM, "resume", str(out), "--quiet", "--ranks", "2"],
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            # Not before the handlers are there.
            self.wait_for("ranks", lambda: len(ranks_below(process.pid)) == 2, process)
            time.sleep(0.3)
        self.assertEqual(process.wait(PATIENCE_S), DONE, process.stdout.read())
        process.stdout.close()
        self.assert_same(self.baseline(*LONGEST), out)

    def test_stop_in_a_probe(self):
        """A signal stops a probe too; it is done anew when the run goes on, and nothing else is."""
        long_probe = ["--subjects", "1", "--set", "block.rotated.probe.pulses=250",
                      "--set", "block.rotated.lesion_site=[3, 3]", "--set", "block.rotated.lesion_radius=1"]
        for ranks, resume_ranks in ((1, 2), (3, 1)):
            out = self.new_directory()
            process = self.start(out, ranks, "--checkpoint-every", 1, *long_probe)
            self.wait_for("the checkpoint before the probe", lambda: self.published(out), process)
            time.sleep(self.random.uniform(0.0, 0.5))
            process.send_signal(signal.SIGUSR1)
            said, _ = process.communicate(timeout=PATIENCE_S)
            self.assertEqual(process.returncode, STOPPED, said)
            self.assertEqual([p.name for p in self.published(out)], ["000000-000000000800"])
            # A file of another version is refused before anything is simulated, not at the next probe.
            other = self.new_directory()
            shutil.copytree(out, other)
            with netCDF4.Dataset(other / "probes.nc", "a") as file:
                file.renameVariable("phase", "stretch")
            self.assertIn("probes.nc: has no variable 'phase'; resume with",
                          self.program("resume", other, "--ranks", resume_ranks, expect=FAILED))
            self.resume(out, resume_ranks)
            self.assert_same(self.baseline(*long_probe), out, f"on {ranks} ranks")

    # Failures.

    def test_kill_rank(self):
        """A rank that is killed ends the run soon; the resumed run is as if it had not been."""
        baseline = self.baseline(*LONGER)
        for checkpoints in (0, 1, 2):
            out = self.new_directory()
            process = self.start(out, 3, "--checkpoint-every", 1, *LONGER)
            self.wait_for("checkpoints", lambda: len(self.published(out)) >= checkpoints
                          and (out / "behaviour.nc").exists(), process)
            time.sleep(self.random.uniform(0.0, 0.3))
            ranks = ranks_below(process.pid)
            self.assertEqual(len(ranks), 3)
            os.kill(self.random.choice(ranks), signal.SIGKILL)
            self.assertEqual(process.wait(60), FAILED)
            self.assertFalse((out / "traffic.csv").exists())
            self.resume(out, 1 + checkpoints)
            self.assert_same(baseline, out, f"killed after {checkpoints} checkpoints")

    def test_full_disk(self):
        """A rank that cannot write says so once, with rank, region and timestep, and all end; the
        run can be resumed where there is room."""
        out = self.new_directory()
        arguments = [PROGRAM, "run", str(EXPERIMENT), "--quiet", "--out", str(out),
                     "--checkpoint-every", "1"]
        # Rank 3 hosts the thalamus. Its spikes fill 150 kB in the third trial.
        limited = ["sh", "-c", "trap '' XFSZ; ulimit -f 300; exec \"$@\"", "sh"]
        result = subprocess.run(
            ["mpirun", "-n", "3", *arguments, ":", "-n", "1", *limited, *arguments],
            env={**MPI_ENVIRONMENT, **os.environ, "OMPI_MCA_orte_execute_quiet": "1"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
        self.assertNotEqual(result.returncode, DONE, result.stdout)
        said = [line for line in result.stdout.splitlines() if line.startswith("quartet:")]
        self.assertEqual(len(said), 1, result.stdout)
        self.assertRegex(said[0], r"^quartet: rank 3 \(thalamus\) at timestep \d+: .*thalamus_spikes")
        self.assertGreater(len(self.published(out)), 0)
        self.resume(out, 2)
        self.assert_same(self.baseline(), out)

    def test_full_disk_of_a_supervised_run(self):
        """One rank says why, though none can write, and what mpirun ends with is not told again."""
        limited = self.root / "limited_mpirun"  # mpirun's ranks take no notice of an ignored signal
        limited.write_text("#!/bin/sh\nranks=$2\nshift 2\nexec mpirun -n \"$ranks\" sh -c "
                           "'trap \"\" XFSZ; ulimit -f 300; exec \"$@\"' sh \"$@\"\n")
        limited.chmod(0o755)
        checkpoints = ["--checkpoint-every", "1", "--set", "record.weights_subjects=0",
                       "--set", "record.spikes.subjects=0"]
        for arguments, what in (([], "File too large"), (checkpoints, r"checkpoints/.*\.state")):
            said = self.program("run", EXPERIMENT, "--quiet", "--out", self.new_directory(),
                                "--ranks", 3, *arguments, expect=FAILED,
                                environment={"QUARTET_MPIRUN": str(limited)})
            lines = [line for line in said.splitlines() if line.startswith("quartet:")]
            self.assertEqual(len(lines), 1, said)
            self.assertRegex(lines[0], r"^quartet: rank \d \([a-z_, ]+\) at timestep \d+: .*" + what)

    def test_full_disk_at_the_start(self):
        """Where there is no room to begin, nothing is left behind, and the same command works when
        there is."""
        out = self.new_directory()
        command = [PROGRAM, "run", str(EXPERIMENT), "--quiet", "--out", str(out), "--ranks", "1",
                   *SHORTER]
        for blocks in (0, 2):  # of 512 bytes: not even experiment.toml, and that but not all keys
            limited = ["sh", "-c", f"trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"", "sh"]
            result = subprocess.run(limited + command, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_S)
            self.assertEqual(result.returncode, FAILED, result.stdout)
            self.assertIn("cannot write it: File too large", result.stdout)
            self.assertIn("is removed again", result.stdout)
            self.assertFalse(out.exists())
        subprocess.run(command, check=True, timeout=PATIENCE_S)
        self.assert_same(self.baseline(*SHORTER), out)

    def test_tract_lesions(self):
        """Tracts are cut and shuffled the same on any placement, and each changes what follows."""
        runs = [self.baseline(*SHORTER)]
        for state in ("cut", "shuffled"):
            lesion = ["--set", f"brain.tracts.dcn_to_thalamus={state}", *SHORTER]
            runs.append(self.run_new(*lesion))
            self.assert_same(runs[-1], self.run_new(*lesion, ranks=3))
        rates = []
        for out in runs:
            with netCDF4.Dataset(out / "behaviour.nc") as behaviour:
                rates.append(behaviour["vl_rate"][:].mean())
        intact, cut, shuffled = rates
        self.assertLess(cut, 0.8 * intact)
        self.assertNotEqual(shuffled, intact)
        self.assertGreater(shuffled, cut)

    def test_groups_that_do_not_fit(self):
        """Groups that cannot be in one run are refused before anything is written."""
        out = self.new_directory()
        wrong = ["--set", "group.reward.body.trial_ms=900", "--set", "record.rate_bin_ms=7",
                 "--set", "group.cursor.brain.cortex.afferents.connected=true"]
        for ranks in (1, 2):
            said = self.program("run", EXPERIMENT, "--out", out, "--ranks", ranks, *wrong,
                                expect=USAGE)
            self.assertIn("group reward: trials of 900 ms where group cursor has 800 ms", said)
            self.assertIn("record.rate_bin_ms: 7 ms do not divide", said)
            self.assertIn("brain.cortex.afferents.connected is other than in group cursor; give all "
                          "groups the same, and to those that shall be without "
                          "brain.cortex.afferents.drive_mv", said)
            self.assertEqual(said.count("group reward"), 2)
        self.assertFalse(out.exists())
        self.assertEqual(said, self.program("validate", EXPERIMENT, *wrong, expect=USAGE))

    def test_existing_directory(self):
        """A run never touches a directory that exists."""
        out = self.new_directory()
        out.mkdir()
        said = self.program("run", EXPERIMENT, "--quiet", "--out", out, expect=USAGE)
        self.assertIn("exists already", said)
        self.assertEqual(list(out.iterdir()), [])

    # Teaching signals.

    def test_signals_are_spikes(self):
        """Silence the cells, and the teaching signal that they carry is zero."""
        for key, columns in (("cerebellum.silence_olive", ["olive_rate"]),
                             ("basal_ganglia.silence_dopamine",
                              ["dopamine", "reward_prediction_error"])):
            out = self.run_new(*SHORTER, "--set", f"brain.{key}=true")
            for column in columns:
                with netCDF4.Dataset(out / "behaviour.nc") as silent, \
                        netCDF4.Dataset(self.baseline(*SHORTER) / "behaviour.nc") as intact:
                    self.assertTrue(np.all(silent[column][:] == 0.0), column)
                    self.assertTrue(np.any(intact[column][:] != 0.0), column)

    def test_sides_are_of_the_target(self):
        """vl_rate_toward goes by the target that the body has recorded, on any placement."""
        folder = self.new_directory()
        folder.mkdir()
        text = EXPERIMENT.read_text()
        # The hand goes to one target, the turned cursor always to the second.
        blocks = ('blocks = [{trials = 2, second_target_deg = 60, perturbation = "rotation", '
                  'rotation_deg = 60}, {trials = 1, task = "rest"}]')
        (folder / EXPERIMENT.name).write_text(re.sub(r"blocks = \[.*?\n\]", blocks, text,
                                                     flags=re.DOTALL))
        runs = [self.run_new("--subjects", 1, ranks=ranks, experiment=folder / EXPERIMENT.name)
                for ranks in (1, 4)]
        self.assert_same(*runs)
        with netCDF4.Dataset(runs[1] / "behaviour.nc") as file:
            target = file["target_angle"][:, 0].filled(np.nan)
            toward = file["vl_rate_toward"][:, 0].filled(np.nan)
            np.testing.assert_array_equal(file["chose_second"][:, 0], [1, 1, 0])
        np.testing.assert_array_equal(target, [150, 150, np.nan])
        with netCDF4.Dataset(runs[1] / "thalamus_spikes.nc") as file:
            of_subject = (file["subject"][:] == 0) & (file["population"][:] == 0)
            time, cell = file["time_ms"][:][of_subject], file["cell"][:][of_subject].astype(int)
            cells = int(np.atleast_1d(file["population"].cells)[0])
        # VL cells lie in eight microzones, 45° apart; aims from 80 to 360 ms are seen.
        ms = np.ceil(time).astype(int) - 1
        side = (cell * 8 // cells * 45 - 150 + 180) % 360 - 180
        for trial in (0, 1):
            own = side[(ms // 800 == trial) & (ms % 800 >= 80) & (ms % 800 < 360)]
            of_side = [np.count_nonzero(own * sign > 0) for sign in (1, -1)]
            self.assertAlmostEqual(toward[trial],
                                   (of_side[0] - of_side[1]) / (cells / 2) / 0.28)
        self.assertTrue(np.isnan(toward[2]))

    def assert_map_adds_up(self, out, arrivals="living"):
        """By place on the sheet the cortex's transmission is the same, which is returned. Where no cell
        died (arrivals="all") it is that of the arrivals, which are counted apart."""
        with netCDF4.Dataset(out / "cortex_energy.nc") as energy:
            names, terms = list(energy["population"][:]), list(energy["term"][:])
            sheet = [names.index(name)
                     for name in ("L23E", "PV", "SOM", "NGF", "L5IT", "L5PT", "L6CT")]
            transmission = [terms.index(name) for name in ("synapses", "release", "recycling")]
            joules = energy["energy"][:][:, :, sheet][..., transmission].sum(axis=(-1, -2))
            by_place = energy["transmission_energy"][:]
            np.testing.assert_allclose(by_place.sum(axis=(-1, -2)), joules, rtol=1e-12)
            if arrivals == "all":
                counted = energy["excitatory_arrivals"][:] + energy["inhibitory_arrivals"][:]
                release = energy["energy"][..., terms.index("release")]
                joule = release[:, :, sheet] / counted[:, :, sheet]  # the same in all trials
                np.testing.assert_allclose(joule, np.broadcast_to(joule[0], joule.shape), rtol=1e-9)
            return by_place

    def test_energy_is_of_spikes(self):
        """The ledger counts the recorded spikes, and its arrivals are those at every synapse."""
        out = self.baseline()
        with netCDF4.Dataset(out / "cerebellum_energy.nc") as energy, \
                netCDF4.Dataset(out / "cerebellum_spikes.nc") as recorded, \
                netCDF4.Dataset(out / "cerebellum_weights.nc") as weights:
            populations = list(energy["population"][:])
            names = recorded["population"].flag_meanings.split()
            subject = int(np.atleast_1d(recorded.recorded_subjects)[0])
            own = recorded["subject"][:] == subject
            trial = ((np.ceil(recorded["time_ms"][:][own]) - 1) // energy.trial_duration_ms
                     ).astype(int)
            of, cell = recorded["population"][:][own], recorded["cell"][:][own]
            trials = energy.dimensions["trial"].size
            total = energy["energy"][:, subject].sum(axis=-1)
            for index, name in enumerate(names):
                p = populations.index(name)
                spikes = np.bincount(trial[of == index], minlength=trials)
                np.testing.assert_array_equal(energy["spikes"][:, subject, p], spikes, name)
                np.testing.assert_allclose(energy["energy_rule_of_thumb"][:, subject, p],
                                           2e-9 * spikes, rtol=1e-12)
                self.assertTrue((total[:, p] > 0).all())
            # Purkinje cells have no plastic synapses but those of granule cells.
            wiring = weights["source_GrC_PC"][0]
            fan_out = np.bincount(wiring.ravel(), minlength=cell.max() + 1)
            granule = of == names.index("GrC")
            arrivals = np.bincount(trial[granule], weights=fan_out[cell[granule]],
                                   minlength=trials)
            np.testing.assert_array_equal(
                energy["plastic_arrivals"][:, subject, populations.index("PC")], arrivals)
        self.assertTrue((self.assert_map_adds_up(out, "all") > 0).all())

    # The comparer.

    def test_comparator_bites(self):
        """One changed value in a copy of a run is found and named."""
        for file, variable in (("behaviour.nc", "path_length"), ("cortex.nc", "rate_PMd"),
                               ("cerebellum_weights.nc", "weight_GrC_PC"),
                               ("cerebellum_energy.nc", "energy"),
                               ("thalamus_spikes.nc", "time_ms"), ("probes.nc", "mep")):
            out = self.new_directory()
            shutil.copytree(self.baseline(), out)
            self.assert_same(self.baseline(), out)
            with netCDF4.Dataset(out / file, "a") as data:
                values = data[variable]
                values.set_auto_mask(False)
                index = tuple(size - 1 for size in values.shape)
                values[index] = np.nextafter(values[index], values.dtype.type(np.inf))
            said = self.program("compare", self.baseline(), out, expect=FAILED)
            self.assertIn(variable, said)


if __name__ == "__main__":
    unittest.main()
