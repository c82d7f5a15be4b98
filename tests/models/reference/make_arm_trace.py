#!/usr/bin/python3
"""Writes arm_trace.csv: a movement of the arm, integrated independently of models/arm.cpp.

The equations are written out again from their sources (see models/arm.hpp, models/muscle.hpp),
activation and joints together, and solved by SciPy's DOP853 with tight tolerances. Excitations are
constant over 50 ms, and change at the rows where column `u_*` does: a row gives the state at its
time and the excitations from there on.

    /usr/bin/python3 make_arm_trace.py > arm_trace.csv
"""

import numpy as np
from scipy.integrate import solve_ivp

L1, L2, M2, S2, I1, I2 = 0.30, 0.33, 1.0, 0.16, 0.025, 0.045
VISCOSITY = np.array([[0.05, 0.025], [0.025, 0.05]])
RANGE = np.radians([[-30, 140], [5, 155]])
STOP = 50.0
OPTIMUM = np.radians([45, 90])
ARMS = np.array([[0.0536, 0], [-0.0536, 0], [0, 0.0316], [0, -0.0267],
                 [0.0386, 0.0427], [-0.0388, -0.0300]])
MAX_FORCE = 31.8 * np.array([22, 12, 18, 14, 5, 10])
LENGTH = np.array([0.120, 0.137, 0.130, 0.114, 0.124, 0.134])
RISE, FALL = 0.050, 0.066
NAMES = ["shoulder_flexor", "shoulder_extensor", "elbow_flexor", "elbow_extensor",
         "biarticular_flexor", "biarticular_extensor"]


def forces(q, dq, a):
    l = 1 - ARMS @ (q - OPTIMUM) / LENGTH
    v = -ARMS @ dq / LENGTH
    fl = np.exp(-np.abs((l**1.93 - 1) / 1.03) ** 1.87)
    shortening = (-5.72 - v) / (-5.72 + (1.38 + 2.09 * l) * v)
    lengthening = (0.62 - (-3.12 + 4.21 * l - 2.67 * l**2) * v) / (0.62 + v)
    fv = np.where(v <= -5.72, 0, np.where(v <= 0, shortening, lengthening))
    return MAX_FORCE * a * fl * fv


def slope(_, y, u):
    q, dq, a = y[:2], y[2:4], y[4:]
    tau = np.where(u > a, FALL + u * (RISE - FALL), FALL)
    a2 = M2 * L1 * S2
    c, s = np.cos(q[1]), np.sin(q[1])
    mass = np.array([[I1 + I2 + M2 * L1**2 + 2 * a2 * c, I2 + a2 * c], [I2 + a2 * c, I2]])
    coriolis = a2 * s * np.array([-dq[1] * (2 * dq[0] + dq[1]), dq[0] ** 2])
    stop = STOP * (q - np.clip(q, RANGE[:, 0], RANGE[:, 1]))
    torque = ARMS.T @ forces(q, dq, a) - VISCOSITY @ dq - stop - coriolis
    return np.concatenate([dq, np.linalg.solve(mass, torque), (u - a) / tau])


def main():
    # Forwards, braked, back to the left, a rest, co-contraction, then an elbow let into its stop.
    excitations = [[.10, .00, .00, .06, .00, .00], [.10, .00, .00, .10, .00, .02],
                   [.00, .15, .10, .00, .00, .05], [.05, .05, .12, .00, .05, .00],
                   [.20, .20, .15, .20, .10, .10], [.00, .00, .00, .00, .00, .00],
                   [.30, .10, .00, .40, .00, .00], [.00, .20, .30, .00, .00, .00],
                   [.02, .00, .30, .00, .20, .00], [.02, .05, .30, .00, .20, .00],
                   [.00, .10, .30, .00, .10, .00], [.00, .10, .20, .00, .10, .00],
                   [.00, .00, .00, .20, .00, .10], [.00, .00, .00, .20, .00, .10]]
    y = np.concatenate([OPTIMUM, np.zeros(8)])
    print("t_s,q1,q2,dq1,dq2," + ",".join("a_" + n for n in NAMES) + "," +
          ",".join("u_" + n for n in NAMES))
    t = 0.0
    for u in excitations:
        u = np.array(u)
        times = np.linspace(t, t + 0.05, 6)
        solution = solve_ivp(slope, (t, t + 0.05), y, method="DOP853", t_eval=times, args=(u,),
                             rtol=1e-12, atol=1e-13, max_step=2e-4)
        for time, state in zip(times[:-1], solution.y.T):
            print(",".join([f"{time:.2f}"] + [f"{x:.12g}" for x in state] +
                           [f"{x:g}" for x in u]))
        y, t = solution.y[:, -1], times[-1]
    print(",".join([f"{t:.2f}"] + [f"{x:.12g}" for x in y] + ["0"] * 6))


if __name__ == "__main__":
    main()
