#!/usr/bin/python3
"""Makes the reference traces in this folder with Brian2 (Debian: python3-brian).

    make_traces.py          write the CSV files
    make_traces.py --check  compare them with what would be written; exit code 1 if they differ

Every file opens with its equations and parameters ("# key = value"). Times are in ms. A row at time
t holds the state at t: after what happened at t (jumps of arriving spikes, spike and reset). An
arriving spike at t makes its synapse jump at t. Cells start at rest without input.
"""

import argparse
import io
import pathlib
import sys

import brian2 as b2
import numpy as np
from brian2 import ms

b2.prefs.codegen.target = "numpy"  # no compiler, and nothing cached on disk
FOLDER = pathlib.Path(__file__).parent
SAMPLE = 0.25  # ms between rows
FINE = 0.01  # ms, timestep where nothing better says so

LIF = {"tau_m_ms": 20.0, "rest_mv": -65.0, "threshold_mv": -50.0, "reset_mv": -65.0,
       "refractory_ms": 2.0}


def table(about, parameters, columns):
    """The text of a CSV file: about, parameters and columns (name -> values or integers)."""
    out = io.StringIO()
    for line in about.strip().splitlines():
        out.write(f"# {line.strip()}\n")
    for key, value in parameters.items():
        text = " ".join(f"{v:g}" for v in np.atleast_1d(value))
        out.write(f"# {key} = {text}\n")
    out.write(",".join(columns) + "\n")
    for row in zip(*columns.values()):
        cells = (str(x) if isinstance(x, (int, np.integer)) else f"{x:.7g}" for x in row)
        out.write(",".join(cells) + "\n")
    return out.getvalue()


def threshold(p, dt):
    """Keywords of a NeuronGroup that fires. Brian2 stamps a spike with the start of the timestep
    at whose end it happens, hence one dt more of refractoriness for the same time at reset."""
    return dict(threshold=f"v >= {p['threshold_mv']}", reset=f"v = {p['reset_mv']}",
                refractory=(p["refractory_ms"] + dt) * ms)


def arrivals(times, dt):
    """Brian2 applies a synapse's jump at the end of the timestep of the spike: one dt earlier."""
    return b2.SpikeGeneratorGroup(1, np.zeros(len(times), int), (np.asarray(times) - dt) * ms)


def counted(monitor, times, dt):
    """1 at the sample at or after which a spike happened, else 0; shape of `times`."""
    spikes = np.asarray(monitor.t / ms) + dt
    return np.histogram(spikes, np.append(times[0] - SAMPLE, times) + 1e-6)[0]


def current_step():
    """LIF with a step of current, on the grid of its own timestep."""
    p = LIF | {"dt_ms": SAMPLE, "drive_mv": 20.0, "drive_on_ms": 10.0, "drive_off_ms": 110.0}
    b2.start_scope()
    b2.defaultclock.dt = p["dt_ms"] * ms
    on = np.zeros(round(150 / p["dt_ms"]))
    on[round(p["drive_on_ms"] / p["dt_ms"]) : round(p["drive_off_ms"] / p["dt_ms"])] = 1.0
    drive = b2.TimedArray(p["drive_mv"] * on, dt=p["dt_ms"] * ms)
    cell = b2.NeuronGroup(
        1, f"""dv/dt = (target - v) / ({p['tau_m_ms']}*ms) : 1 (unless refractory)
        target = {p['rest_mv']} + drive(t) : 1""", method="exact", namespace={"drive": drive},
        **threshold(p, p["dt_ms"]))
    cell.v = p["rest_mv"]
    state, spikes = b2.StateMonitor(cell, "v", record=True), b2.SpikeMonitor(cell)
    b2.run(150 * ms)
    t = np.asarray(state.t / ms)
    # The first spike of the continuous equation, up to the next point of the grid.
    rise = p["threshold_mv"] - p["rest_mv"]
    first = p["tau_m_ms"] * np.log(p["drive_mv"] / (p["drive_mv"] - rise))
    times = np.asarray(spikes.t / ms) + p["dt_ms"]
    assert np.isclose(times[0], p["drive_on_ms"] + np.ceil(first / SAMPLE) * SAMPLE)
    p["first_spike_continuous_ms"] = p["drive_on_ms"] + first
    return table(
        """Leaky integrate-and-fire cell with a step of current, integrated exactly between
        points of a grid of dt; threshold and reset act on the grid.
        tau dV/dt = rest - V + I; V >= threshold: spike, V = reset for the refractory period""",
        p, {"t_ms": t, "v_mv": state.v[0], "spike": counted(spikes, t, p["dt_ms"])})


def adaptation():
    """LIF with spike-triggered adaptation: times of spikes."""
    p = LIF | {"dt_ms": FINE, "drive_mv": 25.0, "adaptation_mv": 2.0, "adaptation_tau_ms": 100.0}
    b2.start_scope()
    b2.defaultclock.dt = FINE * ms
    keywords = threshold(p, FINE)
    keywords["reset"] += f"; a += {p['adaptation_mv']}"
    cell = b2.NeuronGroup(1, f"""
        dv/dt = (target - v) / ({p['tau_m_ms']}*ms) : 1 (unless refractory)
        target = {p['rest_mv'] + p['drive_mv']} - a : 1
        da/dt = -a / ({p['adaptation_tau_ms']}*ms) : 1""", method="exact", **keywords)
    cell.v = p["rest_mv"]
    spikes = b2.SpikeMonitor(cell)
    b2.run(1000 * ms)
    return table(
        """Spike times of a leaky integrate-and-fire cell with adaptation, constant current from 0.
        tau dV/dt = rest - V + I - a; da/dt = -a/adaptation_tau; a += adaptation at each spike""",
        p, {"t_ms": np.asarray(spikes.t / ms) + FINE})


def current_psp():
    """Potentials after input through three current synapses."""
    p = {"tau_m_ms": 20.0, "rest_mv": -65.0, "dt_ms": FINE,
         "exc_decay_ms": 5.0, "exc_weight_mv": 3.0, "exc_spikes_ms": [10, 60, 62.5, 65],
         "inh_decay_ms": 10.0, "inh_weight_mv": -2.0, "inh_spikes_ms": [40, 70],
         "slow_rise_ms": 3.0, "slow_decay_ms": 25.0, "slow_weight_mv": 1.5,
         "slow_spikes_ms": [90]}
    b2.start_scope()
    b2.defaultclock.dt = FINE * ms
    rise, decay = p["slow_rise_ms"], p["slow_decay_ms"]
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    norm = 1.0 / (np.exp(-peak / decay) - np.exp(-peak / rise))
    cell = b2.NeuronGroup(1, f"""
        dv/dt = ({p['rest_mv']} - v + exc + inh + norm*(down - up)) / ({p['tau_m_ms']}*ms) : 1
        dexc/dt = -exc / ({p['exc_decay_ms']}*ms) : 1
        dinh/dt = -inh / ({p['inh_decay_ms']}*ms) : 1
        dup/dt = -up / ({rise}*ms) : 1
        ddown/dt = -down / ({decay}*ms) : 1""", method="exact", namespace={"norm": norm})
    cell.v = p["rest_mv"]
    objects = []
    for name, jump in (("exc", f"exc_post += {p['exc_weight_mv']}"),
                       ("inh", f"inh_post += {p['inh_weight_mv']}"),
                       ("slow", "up_post += {0}; down_post += {0}".format(p["slow_weight_mv"]))):
        source = arrivals(p[f"{name}_spikes_ms"], FINE)
        synapse = b2.Synapses(source, cell, on_pre=jump)
        synapse.connect()
        objects += [source, synapse]
    state = b2.StateMonitor(cell, "v", record=True, dt=SAMPLE * ms)
    b2.Network(cell, state, *objects).run(150 * ms)
    t, v = np.asarray(state.t / ms), state.v[0]

    def psp(tau, weight, times):  # closed form of one exponential synapse
        s = np.maximum(0.0, t - np.asarray(times)[:, None])
        tau_m = p["tau_m_ms"]
        return (weight * tau / (tau_m - tau) * (np.exp(-s / tau_m) - np.exp(-s / tau))).sum(0)

    exact = p["rest_mv"] + psp(p["exc_decay_ms"], p["exc_weight_mv"], p["exc_spikes_ms"])
    exact += psp(p["inh_decay_ms"], p["inh_weight_mv"], p["inh_spikes_ms"])
    exact += psp(decay, norm * p["slow_weight_mv"], p["slow_spikes_ms"])
    exact -= psp(rise, norm * p["slow_weight_mv"], p["slow_spikes_ms"])
    assert np.allclose(v, exact, atol=1e-9), np.abs(v - exact).max()
    return table(
        """Potential of a cell without threshold, with current synapses.
        tau dV/dt = rest - V + exc + inh + slow; exc and inh jump by their weight and decay;
        slow is a difference of two exponentials whose peak after one spike is its weight""",
        p, {"t_ms": t, "v_mv": v})


def conductance(weight, about):
    """Conductance synapses; NMDA receptors share AMPA's spikes."""
    p = {"tau_m_ms": 15.0, "rest_mv": -70.0, "threshold_mv": -52.0, "reset_mv": -60.0,
         "refractory_ms": 2.0, "dt_ms": FINE, "weight": weight,
         "ampa_decay_ms": 2.0, "ampa_reversal_mv": 0.0,
         "nmda_rise_ms": 3.0, "nmda_decay_ms": 25.0, "nmda_reversal_mv": 0.0, "nmda_ratio": 0.5,
         "gaba_decay_ms": 4.0, "gaba_reversal_mv": -75.0, "gaba_weight": 0.6,
         "ampa_spikes_ms": [10, 40, 45, 50, 55, 60, 62, 64, 66, 110],
         "gaba_spikes_ms": [20, 58, 100, 112]}
    b2.start_scope()
    b2.defaultclock.dt = FINE * ms
    rise, decay = p["nmda_rise_ms"], p["nmda_decay_ms"]
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    norm = p["nmda_ratio"] / (np.exp(-peak / decay) - np.exp(-peak / rise))
    cell = b2.NeuronGroup(1, f"""
        dv/dt = ({p['rest_mv']} - v + drive) / ({p['tau_m_ms']}*ms) : 1 (unless refractory)
        drive = ampa*({p['ampa_reversal_mv']} - v) + gaba*({p['gaba_reversal_mv']} - v)
                + nmda*open_channels*({p['nmda_reversal_mv']} - v) : 1
        open_channels = 1/(1 + exp(-0.062*v)/3.57) : 1
        nmda = norm*(down - up) : 1
        dampa/dt = -ampa / ({p['ampa_decay_ms']}*ms) : 1
        dgaba/dt = -gaba / ({p['gaba_decay_ms']}*ms) : 1
        dup/dt = -up / ({rise}*ms) : 1
        ddown/dt = -down / ({decay}*ms) : 1""",
        method="rk4", namespace={"norm": norm}, **threshold(p, FINE))
    cell.v = p["rest_mv"]
    excitation = arrivals(p["ampa_spikes_ms"], FINE)
    inhibition = arrivals(p["gaba_spikes_ms"], FINE)
    jumps = "; ".join(f"{name}_post += {weight}" for name in ("ampa", "up", "down"))
    excite = b2.Synapses(excitation, cell, on_pre=jumps)
    excite.connect()
    inhibit = b2.Synapses(inhibition, cell, on_pre=f"gaba_post += {p['gaba_weight']}")
    inhibit.connect()
    state = b2.StateMonitor(cell, "v", record=True, dt=SAMPLE * ms)
    spikes = b2.SpikeMonitor(cell)
    b2.Network(cell, excitation, inhibition, excite, inhibit, state, spikes).run(150 * ms)
    t = np.asarray(state.t / ms)
    columns = {"t_ms": t, "v_mv": state.v[0]}
    if spikes.num_spikes:
        p["spikes_ms"] = np.asarray(spikes.t / ms) + FINE
        columns["spike"] = counted(spikes, t, FINE)
    return table(
        about + """
        tau dV/dt = rest - V + ampa (E_ampa - V) + gaba (E_gaba - V) + nmda B(V) (E_nmda - V)
        B = 1/(1 + exp(-0.062 V/mV)/3.57), 1 mM magnesium (Jahr & Stevens 1990)
        Conductances are in units of the leak's. nmda rises and decays, with a peak of
        nmda_ratio * weight after one spike. Fourth-order Runge-Kutta at dt.""",
        p, columns)


def three_factor():
    """Eligibility of one synapse turned into weight changes by a third factor."""
    window = 10.0
    p = {"rate": 0.01, "trace_ms": 20.0, "eligibility_ms": 400.0, "w0": 0.3, "w_max": 1.0,
         "window_ms": window, "mean_rate": 0.1,
         "pre_ms": [3, 14, 18, 97, 101, 236, 244, 391, 399, 402],
         # At the end of a window, where continuous and windowed decay agree.
         "post_ms": [10, 20, 110, 250, 270, 400, 410],
         "factor": [0, 0, 0, 1, 1, .5, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0, 0, 2, 1,
                    0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, -.5, -.5, -.5, 0, 0, 0, 0, 0,
                    0, 3, 2, 1, 0, 0, 0, 0, -2, -1]}
    step = 1.0
    b2.start_scope()
    b2.defaultclock.dt = step * ms
    factor = b2.TimedArray(np.array(p["factor"]), dt=window * ms)
    # Two synapses: without and with the subtracted mean.
    source, target = (
        b2.SpikeGeneratorGroup(1, np.zeros(len(times), int), (np.asarray(times) - step) * ms)
        for times in (p["pre_ms"], p["post_ms"]))
    synapse = b2.Synapses(source, target, f"""
        dx/dt = -x / ({p['trace_ms']}*ms) : 1 (clock-driven)
        deligibility/dt = -eligibility / ({p['eligibility_ms']}*ms) : 1 (clock-driven)
        mean_eligibility : 1
        modulated : 1
        mean_rate : 1 (constant)
        w : 1""", on_pre="x += 1", on_post="eligibility += x", method="exact",
        namespace={"factor": factor})
    synapse.connect(n=2)
    synapse.w = p["w0"]
    synapse.mean_rate = [0.0, p["mean_rate"]]
    synapse.pre.order, synapse.post.order = 0, 1  # a presynaptic spike counts in its timestep
    # At the end of each window, after the events of its last timestep and before it is sampled.
    change = f"{p['rate']}*factor(t - 1*ms)*(eligibility - mean_eligibility)"
    synapse.run_regularly(
        f"w = clip(w + {change}*4*w*({p['w_max']} - w)/{p['w_max']}, 0, {p['w_max']})\n"
        "modulated = clip(modulated + abs(factor(t - 1*ms)), 1e-9, 1/(mean_rate + 1e-9))\n"
        "mean_eligibility += int(mean_rate > 0)*abs(factor(t - 1*ms))/modulated"
        "*(eligibility - mean_eligibility)",
        dt=window * ms, when="start", order=-1)
    state = b2.StateMonitor(synapse, ["w", "eligibility"], record=True, dt=window * ms)
    b2.Network(source, target, synapse, state).run((len(p["factor"]) * window + step) * ms)
    t = np.asarray(state.t / ms)
    return table(
        """Weight of one synapse under three-factor plasticity.
        trace: +1 at a presynaptic spike, decays with trace_ms; e: + trace at a postsynaptic
        spike, decays with eligibility_ms. At the end of each window of window_ms, factor m:
        w += rate m (e - mean) 4 w (w_max - w)/w_max; then mean += |m|/M (e - mean), where M is the
        sum of |m| so far, at most 1/mean_rate
        w: without the mean (mean_rate 0); w_mean: with it. factor: m of each window in turn.""",
        p, {"t_ms": t, "eligibility": state.eligibility[0], "w": state.w[0], "w_mean": state.w[1]})


def climbing_fibre():
    """Weight of a parallel fibre synapse under climbing-fibre control."""
    p = {"depression": 0.1, "potentiation": 0.03, "cascade_ms": 33.0, "reference_spikes": 2.0,
         "goal": 0.7, "w0": 0.04, "w_max": 0.08, "dt_ms": 0.1,
         "pre_ms": [50, 55, 400, 404, 408, 412, 900, 1200, 1203, 1206],
         "complex_ms": [150, 300, 500, 505, 700, 990, 1300, 1420]}
    b2.start_scope()
    step = p["dt_ms"]
    b2.defaultclock.dt = step * ms
    tau = p["cascade_ms"]
    # A unit jump of the first of four stages reaches (3/e)^3/6 in the last, after 3 tau.
    unit = 6.0 * (np.e / 3.0) ** 3 / p["reference_spikes"]
    goal = p["goal"] * p["w_max"]
    source, target = arrivals(p["pre_ms"], step), arrivals(p["complex_ms"], step)
    depress = f"w = clip(w - {p['depression']}*{p['w_max']}*clip(s3, 0, 1.5), 0, {p['w_max']})"
    synapse = b2.Synapses(source, target, f"""
        ds0/dt = -s0 / ({tau}*ms) : 1 (clock-driven)
        ds1/dt = (s0 - s1) / ({tau}*ms) : 1 (clock-driven)
        ds2/dt = (s1 - s2) / ({tau}*ms) : 1 (clock-driven)
        ds3/dt = (s2 - s3) / ({tau}*ms) : 1 (clock-driven)
        w : 1""", on_pre=f"s0 += {unit}; w += {p['potentiation']}*({goal} - w)",
        on_post=depress, method="exact")
    synapse.connect()
    synapse.w = p["w0"]
    state = b2.StateMonitor(synapse, ["w", "s3"], record=True, dt=10 * ms)
    b2.Network(source, target, synapse, state).run(1500 * ms)
    t, trace = np.asarray(state.t / ms), state.s3[0]
    s = np.maximum(0.0, t - np.array(p["pre_ms"])[:, None]) / tau
    exact = ((s / 3.0) ** 3 * np.exp(3.0 - s)).sum(0) / p["reference_spikes"]
    assert np.allclose(trace, exact, atol=1e-9), np.abs(trace - exact).max()

    # The same with stages that are filled in steps of 1 ms.
    b2.start_scope()
    b2.defaultclock.dt = 1 * ms
    stay = np.exp(-1.0 / tau)
    source, target = arrivals(p["pre_ms"], 1), arrivals(p["complex_ms"], 1)
    stepped = b2.Synapses(source, target, "s0 : 1\ns1 : 1\ns2 : 1\ns3 : 1\nw : 1",
                          on_pre=f"s0 += {(1 - stay) * tau * unit}; "
                                 f"w += {p['potentiation']}*({goal} - w)",
                          on_post=depress)
    stepped.connect()
    stepped.w = p["w0"]
    stepped.run_regularly("\n".join(
        [f"s{k} = {stay}*s{k} + {1 - stay}*s{k - 1}" for k in (3, 2, 1)] + [f"s0 = {stay}*s0"]),
        dt=1 * ms, when="before_synapses")
    stepped_state = b2.StateMonitor(stepped, "w", record=True, dt=10 * ms)
    b2.Network(source, target, stepped, stepped_state).run(1500 * ms)
    return table(
        """Weight of one parallel fibre - Purkinje cell synapse.
        trace: each presynaptic spike adds (s/3)^3 exp(3 - s)/reference_spikes, s = time/cascade_ms
        presynaptic spike: w += potentiation (goal w_max - w)
        complex spike: w -= depression w_max min(1.5, trace), at least 0
        w_1ms: w with a trace of four stages that are filled in steps of 1 ms""",
        p, {"t_ms": t, "trace": trace, "w": state.w[0], "w_1ms": stepped_state.w[0]})


FILES = {
    "lif_current_step.csv": current_step,
    "lif_adaptation.csv": adaptation,
    "lif_current_psp.csv": current_psp,
    "lif_conductance_psp.csv": lambda: conductance(
        0.15, "Potential of a cell with conductance synapses that stays below threshold."),
    "lif_conductance_spikes.csv": lambda: conductance(
        0.9, "Potential and spikes of a cell with conductance synapses."),
    "three_factor.csv": three_factor,
    "climbing_fibre.csv": climbing_fibre,
}


def main():
    parser = argparse.ArgumentParser(description="Makes the reference traces in this folder.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    different = []
    for name, make in FILES.items():
        text = make()
        if not check:
            (FOLDER / name).write_text(text)
        elif (FOLDER / name).read_text() != text:
            different.append(name)
        print(name, len(text), "bytes")
    if different:
        print("different:", ", ".join(different))
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
