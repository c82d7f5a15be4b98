"""Opens the files of the small run of recorder_test.cpp, one line each, and checks coordinates.

Run as `/usr/bin/python3 open_in_xarray.py DIRECTORY`.
"""

import pathlib
import sys

import numpy as np
import xarray

run = pathlib.Path(sys.argv[1])

behaviour = xarray.open_dataset(run / "behaviour.nc")
assert dict(behaviour.sizes)["trial"] == 4 and dict(behaviour.sizes)["subject"] == 3
assert set(behaviour.coords) == {
    "trial", "subject", "group", "group_name", "subject_name", "seed",
}, behaviour.coords
assert list(behaviour["group_name"].values) == ["adapt", "adapt", "savings"]
assert list(behaviour["subject_name"].values) == ["adapt/0", "adapt/1", "savings/0"]
assert list(behaviour["seed"].values) == [11, 12, 11]
error = behaviour["error"].sel(subject=1, trial=1)
assert abs(float(error) - (2 / 3 + 1)) < 1e-12 and error.attrs["units"] == "degree"
means = behaviour["error"].groupby("group_name").mean(...)
assert list(means["group_name"].values) == ["adapt", "savings"]
assert int(np.isnan(behaviour["block"]).sum()) == 3  # trials that subjects do not have

rates = xarray.open_dataset(run / "fake.nc")
assert rates["time"].dtype == np.float64, "units = 'ms' must not make time a timedelta"
assert list(rates["time"].values[:2]) == [20.0, 40.0] and rates["time"].attrs["units"] == "ms"
assert list(rates["subject"].values) == [0, 2]
assert set(rates["rate_Alpha"].coords) == {
    "time", "trial", "subject", "group", "group_name", "subject_name", "seed",
}
assert rates["rate_Alpha"].sel(subject=2).groupby("trial").mean().sizes["trial"] == 4

spikes = xarray.open_dataset(run / "fake_spikes.nc")
assert spikes["population"].attrs["flag_meanings"] == "Alpha Beta"
alpha = spikes.where((spikes["population"] == 0) & (spikes["subject"] == 2), drop=True)
assert 0 < alpha.sizes["spike"] < spikes.sizes["spike"] and float(alpha["time_ms"].max()) <= 240.0

weights = xarray.open_dataset(run / "fake_weights.nc")
assert weights["weight_Alpha_Beta"].shape == (5, 4, 3)
assert set(weights["weight_Alpha_Beta"].coords) == {"subject", "trial", "time_ms", "group_name"}
assert list(weights["group_name"].values) == ["adapt"] * 3 + ["savings"] * 2
assert list(weights["target_direction_Beta_Alpha"].values) == [45.0 * i for i in range(8)]
assert "target_direction_Beta_Alpha" in weights["weight_Beta_Alpha"].coords
assert weights["source_Alpha_Beta"].dtype.kind == "u", "indices must not become floats"
source = weights["source_Alpha_Beta"].sel(recorded_subject=weights["subject"])
assert source.shape == weights["weight_Alpha_Beta"].shape and int(source.max()) < 8
direction = weights["source_direction_Alpha_Beta"].isel(source_cell_Alpha_Beta=source)
assert direction.shape == (5, 4, 3)
assert float(direction[3, 2, 1]) == 45.0 * int(weights["source_Alpha_Beta"][2, 2, 1])
assert list(weights["trial"].values) == [0, 2, 0, 0, 2]
