#!/usr/bin/python3
"""Speed, rates and irregularity of the engine beside Brian2's, on networks of the literature.

    brian_bench.py ENGINE_BENCH [coba|brunel ...] [--pairs 5] [--seconds 2] [--fine] [--start]
    brian_bench.py ENGINE_BENCH --same [--pairs 3] [--start]

ENGINE_BENCH is the program of engine_bench.cpp, whose first lines say what the networks are. Both
engines run in alternation, on one core each, with the same equations, timestep (.125 ms),
in-degrees, delays and start, in CPU seconds per simulated second without construction. Brian2
computes with doubles in C++ (cpp_standalone, -O3 -march=native -ffast-math: its defaults). Prints
median ratio, rates and CVs of inter-spike intervals with their standard error over the runs.
Networks and start differ from run to run in both. The activity of coba is self-sustained and
sometimes ends by itself: such pairs are not counted, and their number is printed.
--fine: Brian2 at an eighth of the timestep with the same delays, as the reference of rate and CV.
--start: Brian2 counts a conductance with its value at the start of a timestep, as it does unless
told otherwise, and not with its mean over the timestep, as the engine does.
--same: coba once more in Brian2 with the engine's very network and start; says up to when all
spikes are the same. README.md has what came out.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

warnings.simplefilter("ignore", FutureWarning)
import brian2 as b2  # noqa: E402
import numpy as np  # noqa: E402
from brian2 import ms, second  # noqa: E402

DT = 0.125  # ms
TRANSIENT = 0.5  # s, not counted in rate and CV
# CPU time of the loop alone, written where the program runs.
CLOCK = ('{ std::ofstream cpu("cpu.txt", std::ios::app);'
         " cpu << std::clock() / double(CLOCKS_PER_SEC) << std::endl; }")


def project(cells, first, last, in_degree, jump, delay, written=None):
    """`in_degree` synapses onto each cell from cells first … last-1, drawn when the program runs;
    or those that the engine has written."""
    synapses = b2.Synapses(cells, cells, on_pre=jump, delay=delay * ms)
    if written is None:
        synapses.connect(i="first + int(rand()*count) for _ in range(in_degree)",
                         namespace={"first": first, "count": last - first, "in_degree": in_degree})
    else:
        own = (written["source"] >= first) & (written["source"] < last)
        synapses.connect(i=written["source"][own], j=written["target"][own])
    return synapses


def coba(dt, start=False, written=None):
    # Mean over a timestep of what decays from 1.
    mean_e, mean_i = ((1 - np.exp(-dt / tau)) * tau / dt for tau in (5, 10))
    cells = b2.NeuronGroup(4000, """
        dv/dt = (-60 - v + me*ge*(0 - v) + mi*gi*(-80 - v)) / (20*ms) : 1 (unless refractory)
        dge/dt = -ge / (5*ms) : 1
        dgi/dt = -gi / (10*ms) : 1""", threshold="v >= -50", reset="v = -60",
        refractory=(5 + dt) * ms, method="exponential_euler",
        namespace={"me": 1 if start else mean_e, "mi": 1 if start else mean_i})
    if written is None:
        cells.v = "-60 + 10*rand()"
        cells.ge, cells.gi = "4 + 1.5*randn()", "20 + 20*randn()"
    else:
        # The engine's kick acts from its second substep on, where this run begins.
        cells.v = -60 + (written["v"] + 60) * np.exp(-dt / 20)
        cells.ge, cells.gi = written["ge"], written["gi"]
    return [cells, project(cells, 0, 3200, 64, "ge_post += 0.6", DT, written),
            project(cells, 3200, 4000, 16, "gi_post += 6.7", DT, written)]


def brunel(dt):
    # Noise held over a timestep with uniform numbers, as in the engine.
    decay = np.exp(-dt / 20)
    noise = np.sqrt(2) * np.sqrt(1 - decay**2) / (1 - decay) * np.sqrt(12)
    cells = b2.NeuronGroup(12500, """
        dv/dt = (40 + noise + current - v) / (20*ms) : 1 (unless refractory)
        dcurrent/dt = -current / (0.625*ms) : 1
        noise = amplitude*(rand() - 0.5) : 1 (constant over dt)""",
        threshold="v >= 20", reset="v = 10", refractory=(2 + dt) * ms, method="exact",
        namespace={"amplitude": noise})
    cells.v = "10 + 10*rand()"
    return [cells, project(cells, 0, 10000, 1000, "current_post += 3.2", 1.5),
            project(cells, 10000, 12500, 250, "current_post -= 16", 1.5)]


def build(network, folder, seconds, dt):
    """A function that runs the compiled program once: {"cpu_per_s", "rate_hz", "cv" …}."""
    b2.set_device("cpp_standalone", build_on_run=False, directory=str(folder))
    b2.defaultclock.dt = dt * ms
    objects = network(dt)
    spikes = b2.SpikeMonitor(objects[0])
    b2.device.insert_code("before_network_run", CLOCK)
    b2.device.insert_code("after_network_run", CLOCK)
    b2.Network(*objects, spikes).run(seconds * second)
    b2.device.build(directory=str(folder), compile=True, run=False, with_output=False,
                    additional_source_files=[])
    cells = len(objects[0])

    def run():
        (folder / "cpu.txt").unlink(missing_ok=True)
        b2.device.run(str(folder), with_output=False, run_args=[])
        begin, end = np.loadtxt(folder / "cpu.txt")
        late = np.asarray(spikes.t / second) > TRANSIENT
        time, cell = np.asarray(spikes.t / second)[late], np.asarray(spikes.i)[late]
        order = np.lexsort((time, cell))
        trains = np.split(time[order], np.cumsum(np.bincount(cell, minlength=cells))[:-1])
        intervals = [np.diff(train) for train in trains if len(train) >= 3]
        return {"cpu_per_s": (end - begin) / seconds,
                "spikes": set(zip(np.rint(np.asarray(spikes.t / ms) / dt).astype(int).tolist(),
                                  np.asarray(spikes.i).tolist())),
                "rate_hz": len(time) / cells / (seconds - TRANSIENT),
                "last_spike_s": float(time.max(initial=0)),
                "cv": float(np.mean([x.std() / x.mean() for x in intervals] or [0]))}

    return run


def shown(runs, key):
    """Mean ± standard error."""
    values = np.array([run[key] for run in runs])
    return f"{values.mean():.3f} ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}"


def compare_spikes(engine, seed, start):
    """Runs one network in both and says up to when their spikes are the same."""
    with tempfile.TemporaryDirectory(prefix="brian-bench-") as folder:
        seconds = 0.6
        subprocess.run([str(engine), "coba", str(seconds), str(seed), folder], check=True,
                       capture_output=True)
        types = {"source": np.int32, "target": np.int32, "v": float, "ge": float, "gi": float,
                 "spike_substep": np.int32, "spike_cell": np.int32}
        written = {name: np.fromfile(pathlib.Path(folder, name), kind)
                   for name, kind in types.items()}
        run = build(lambda dt: coba(dt, start, written), pathlib.Path(folder, "brian"),
                    seconds - DT / 1000, DT)
        theirs = run()["spikes"]
        b2.device.reinit()
    ours = set(zip((written["spike_substep"] - 1).tolist(), written["spike_cell"].tolist()))
    end = min((step for step, _ in ours ^ theirs), default=round(seconds * 1000 / DT))
    same = sum(step < end for step, _ in ours)
    print(f"coba, seed {seed}: the first {same} spikes of {len(ours)} are the same, up to "
          f"{(end + 1) * DT:.3f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("engine", type=pathlib.Path, help="the program engine_bench")
    parser.add_argument("networks", nargs="*", default=["coba", "brunel"])
    parser.add_argument("--pairs", type=int, default=5, help="runs of each engine")
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--fine", action="store_true", help="Brian2 at dt/8")
    parser.add_argument("--start", action="store_true",
                        help="Brian2 with conductances at the start of a timestep")
    parser.add_argument("--same", action="store_true", help="compare the spikes of one network")
    arguments = parser.parse_args()
    for name in arguments.networks:
        if name not in ("coba", "brunel"):
            sys.exit(f"brian_bench: no network '{name}'; there are coba and brunel")
    if arguments.pairs < 2:
        sys.exit("brian_bench: --pairs must be at least 2, for a standard error")
    if arguments.same:
        for seed in range(1, arguments.pairs + 1):
            compare_spikes(arguments.engine, seed, arguments.start)
        return
    networks = {"coba": lambda dt: coba(dt, arguments.start), "brunel": brunel}
    for name in arguments.networks:
        with tempfile.TemporaryDirectory(prefix="brian-bench-") as folder:
            dt = DT / 8 if arguments.fine else DT
            run = build(networks[name], pathlib.Path(folder), arguments.seconds, dt)
            engine, brian, seed = [], [], 0
            while len(engine) < arguments.pairs and seed < 3 * arguments.pairs:
                seed += 1
                ours = json.loads(subprocess.run(
                    [str(arguments.engine), name, str(arguments.seconds), str(seed)],
                    check=True, capture_output=True, text=True).stdout)
                theirs = run()
                if min(ours["last_spike_s"], theirs["last_spike_s"]) > arguments.seconds - 0.1:
                    engine.append(ours)
                    brian.append(theirs)
            b2.device.reinit()
        if len(engine) < 2:
            sys.exit(f"brian_bench: {name} fell silent in {seed - len(engine)} of {seed} pairs")
        print(f"{name}: {len(engine)} pairs; {seed - len(engine)} more fell silent")
        if not arguments.fine:
            ratios = [b["cpu_per_s"] / e["cpu_per_s"] for e, b in zip(engine, brian)]
            print(f"  {np.median(ratios):.1f} times Brian2's speed (median; {min(ratios):.1f} to "
                  f"{max(ratios):.1f})")
        for label, runs in (("engine", engine), (f"Brian2, dt {dt:g} ms", brian)):
            print(f"  {label}: {np.median([r['cpu_per_s'] for r in runs]):.4f} CPU s per s, "
                  f"rate {shown(runs, 'rate_hz')} Hz, CV {shown(runs, 'cv')}")
        print(f"  engine: {engine[0]['bytes_per_synapse']:.2f} bytes per synapse, constructed in "
              f"{np.median([e['construction_s'] for e in engine]):.3f} s", flush=True)


if __name__ == "__main__":
    main()
