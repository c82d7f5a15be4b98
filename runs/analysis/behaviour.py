"""Reads behaviour.nc of a run directory: groups, subjects, phases and compensation. How many trials
were planned, and the labels of their phases, are in resolved.toml beside it.

Conventions of the file: angles in degrees, positive counter-clockwise. Here every angle becomes a
*compensation*: a subject's baseline mean (per target direction) is removed and the sign flipped so
that positive undoes the first rotation: with the cursor turned by +30 the hand must go to -30.
Because the baseline is removed per target, it does not matter whether the file's angles count from
the target or from rightward.
"""

from __future__ import annotations

import collections
import dataclasses
import pathlib
import tomllib

import numpy as np

import netcdf
from netcdf import BadInput

# Phases of a schedule, told apart by the sign of the rotation, in this order; the last two may be absent.
# The baseline also ends where DISTURBANCES begin. `clamp` is whatever comes without rotation after the
# rotated trials.
PHASES = ("baseline", "learning", "reversed", "clamp")


# Keys of a block whose change is one of the task to the subject, or of its brain: what is done, seen and
# lost, and to what targets and for what reward.
SETTING = ("task", "instruction", "perturbation", "cursor_gain", "shift_m", "curl_Ns_m", "target_jump_deg",
           "feedback", "hand_in_sight", "target_radius_m", "cell_loss", "lesion_radius", "nerve_block", "drug",
           "polarization_mv")
DISTURBANCES = ("shift_m", "curl_Ns_m", "target_jump_deg")  # perturbations other than a rotation, where not 0
OFFER = ("targets_deg", "second_target_deg", "sequence", "fingers", "finger_correlation",
         "finger_individuation", "reward", "reward_zone_deg", "reward_size", "reward_probability",
         "second_reward", "second_reward_probability", "punishment")


class Unfinished(BadInput):
    """A run of which there is nothing to read yet."""


@dataclasses.dataclass
class Subject:
    """One simulated subject. Arrays run over its own trials, in order.

    `columns`: as in the file; "rotation" without what chance added to it, "drawn_rotation" with;
    "setting", "offer": numbers that change where SETTING and OFFER do;
    "random_sign": whether the block draws the side of its perturbation anew on every trial;
    "watched": whether it is another's hand that moves fingers;
    "moves_fingers": whether the block asks for finger movements;
    "disturbed": whether the block has one of DISTURBANCES;
    "rests": whether nothing is asked for in the whole block;
    "no_outcome": whether the block shows no outcome (reward = "none");
    "clamped": whether its cursor goes its own way; "chose_better": of two targets of unequal reward
    (on the mean), whether the one that brings more was chosen; "sequence_right": in the last trial of a sequence
    of choices, whether all were right; both NaN in other trials.
    """

    name: str
    member: int  # its index in the files' dimension `subject`
    seed: int | None  # of all its randomness; None where the file has none
    columns: dict[str, np.ndarray]
    phases: dict[str, np.ndarray]  # trial indices, int, by name of the phase
    labels: dict[str, np.ndarray]  # the same by `phase` of the blocks in resolved.toml
    rotation: float  # the learning phase's largest(), degrees, signed; NaN: none after a baseline
    directory: pathlib.Path  # of its run

    @property
    def trials(self) -> int:
        return len(self.columns["rotation"])

    def targets(self) -> np.ndarray:
        """Direction of the target on every trial, degrees: the same number for the same direction,
        however the schedule writes it."""
        return wrap(np.round(wrap(self.columns["target_angle"]), 6))

    def has_baseline(self, column: str = "angle_third") -> np.ndarray:
        """Whether the trial's target has an angle in the baseline, shape (trials,)."""
        baseline = self.phases["baseline"]
        known = baseline[np.isfinite(self.columns[column][baseline])]
        return np.isin(self.targets(), self.targets()[known])

    def from_baseline(self, column: str = "angle_third") -> np.ndarray:
        """The angle minus the target's baseline mean in degrees, shape (trials,); NaN where the file has no
        angle and for targets without a baseline."""
        angle, target = self.columns[column], self.targets()
        result = np.full(self.trials, np.nan)
        for direction in np.unique(target[self.has_baseline(column)]):
            here = target == direction
            reference = angle[np.intersect1d(np.flatnonzero(here), self.phases["baseline"])]
            reference = reference[np.isfinite(reference)]
            wrapped = wrap(angle[here] - reference[0])
            result[here] = wrap(wrapped - np.mean(wrap(reference - reference[0])))
        return result

    def compensation(self, column: str = "angle_third") -> np.ndarray:
        """Compensation in degrees, shape (trials,); NaN where from_baseline is, and without a rotation."""
        return -np.sign(self.rotation) * self.from_baseline(column)

    def fraction(self, column: str = "angle_third") -> np.ndarray:
        """Compensation as a fraction of the largest rotation that was learned, shape (trials,)."""
        return self.compensation(column) / abs(self.rotation)

    def from_target(self) -> np.ndarray:
        """Direction of the hand relative to the target in degrees, shape (trials,)."""
        return wrap(self.columns["angle_third"] - self.columns["target_angle"])

    def outcomes(self) -> np.ndarray:
        """The reward of every trial, shape (trials,); NaN in those that ask for nothing or show no outcome."""
        columns = self.columns
        nobody = (columns.get("fingers", 0) == 0) & columns["moves_fingers"]  # of a block of finger movements
        without = columns["rests"] | columns["watched"] | columns["no_outcome"] | nobody
        return np.where(without, np.nan, columns["reward"])

    def schedule(self) -> np.ndarray:
        """Full compensation on every trial, degrees, shape (trials,); NaN without a rotation."""
        return np.sign(self.rotation) * np.nan_to_num(self.columns["rotation"])


@dataclasses.dataclass
class Group:
    """Subjects under the same condition with the same brain ("abrupt_intact")."""

    name: str
    subjects: list[Subject]
    label: str = ""  # for people, from resolved.toml; the name where none was given
    apart: bool = False  # its label says that what follows the last underscore is not its brain

    def __post_init__(self):
        self.label = self.label or self.name

    @property
    def condition(self) -> str:
        """"abrupt" of "abrupt_intact"; a name without an underscore is its own condition."""
        return self.name.rpartition("_")[0] or self.name

    @property
    def brain(self) -> str:
        return self.name if self.apart else self.name.rpartition("_")[2]


@dataclasses.dataclass
class Behaviour:
    path: pathlib.Path
    title: str
    cut: str  # what is unlike the whole experiment: left out, changed or unfinished
    resolved: dict | None  # the experiment as used; None where only behaviour.nc is there
    groups: dict[str, Group]
    units: dict[str, str]

    @property
    def extent(self) -> str:
        if self.resolved is None:
            known = "taken as it is: there is no resolved.toml, which says what was planned"
            return f"{known}; {self.cut}" if self.cut else known
        return extent_of(self.cut)

    @property
    def labels(self) -> dict[str, str]:
        """For people, by name of the group."""
        return {name: group.label for name, group in self.groups.items()}

    def rotated(self) -> dict[str, Group]:
        """The subjects that have a rotation after a baseline, and so a compensation."""
        groups = {name: Group(name, [s for s in group.subjects if np.isfinite(s.rotation)],
                              group.label)
                  for name, group in self.groups.items()}
        return {name: group for name, group in groups.items() if group.subjects}


def extent_of(cut: str) -> str:
    """Whether what was run is the whole experiment, for people."""
    if cut.startswith("other than in the file"):  # changed, and nothing left out
        return f"the whole experiment; {cut}"
    return f"not the whole experiment: {cut}" if cut else "the whole experiment"


def resolved(directory: str | pathlib.Path) -> dict | None:
    """resolved.toml of a run; None where it is not. Raises BadInput."""
    path = pathlib.Path(directory) / "resolved.toml"
    if not path.is_file():
        return None
    try:
        experiment = tomllib.loads(path.read_text(encoding="utf-8"))
        for group in experiment["group"]:
            [block["trials"] for block in blocks_of(experiment, group["name"])]
        return experiment
    except (ValueError, LookupError, TypeError) as error:  # of UTF-8, TOML or what is missing
        raise BadInput(
            f"{path}: damaged ({type(error).__name__}: {error}); copy it again or run again"
        ) from error


def experiment_of(directory: str | pathlib.Path) -> dict:
    """resolved.toml of a run. Raises BadInput, also where it is not."""
    experiment = resolved(directory)
    if experiment is None:
        raise BadInput(f"{directory}: no resolved.toml; name the directory that `quartet run` wrote")
    return experiment


def blocks_of(experiment: dict, group: str) -> list[dict]:
    """Blocks of a group's schedule; none for a group that the experiment has not."""
    schedules = [g["schedule"] for g in experiment["group"] if g["name"] == group]
    return experiment["schedules"][schedules[0]]["blocks"] if schedules else []


def phase_name(block: dict, index: int) -> str:
    """Of a block; "block 0" for the first where it has no phase, a key that resolved.toml then lacks."""
    return block.get("phase") or f"block {index}"


def practice_of(blocks: list[dict]) -> tuple[int, int] | None:
    """First and last block that asks the subject for fingers: in others a hand may be seen to move them."""
    practising = [i for i, block in enumerate(blocks) if block.get("task") == "fingers"]
    return (practising[0], practising[-1]) if practising else None


def practised_fingers(blocks: list[dict]) -> list[int]:
    """Digits that these blocks ask the subject for, in order."""
    return sorted({int(d) for block in blocks if block.get("task") == "fingers"
                   for d in block.get("fingers", [])})


def setting(experiment: dict, group: str, key: str) -> float:
    """Value of a dotted key ("brain.scale") for a group. Raises BadInput, also where subjects of the
    group differ in it."""
    own = next((g for g in experiment["group"] if g["name"] == group), {})
    for values in (own.get("vary", {}), own.get("set", {}), experiment):
        for part in key.split("."):
            values = values.get(part) if isinstance(values, dict) else None
        if isinstance(values, list):
            raise BadInput(f"group {group}: its subjects differ in {key}, which this command takes to be "
                           "one number; leave the key out of its vary and run again")
        if values is not None:
            return float(values)
    raise BadInput(f"resolved.toml: {key} is missing; copy it again or run again")


def _group_labels(experiment: dict | None) -> dict[str, str]:
    """By name, in the file's order; the name goes with a label that several groups have."""
    if experiment is None:
        return {}
    labels = {g["name"]: str(g.get("label") or g["name"]) for g in experiment["group"]}
    count = collections.Counter(labels.values())
    return {name: label if count[label] == 1 else f"{label} ({name})"
            for name, label in labels.items()}


def left_out(run: Behaviour) -> str:
    """Says which subjects and trials have no compensation for want of a rotation or a baseline; ""
    if all have one."""
    still = [name for name, group in run.groups.items()
             if not all(np.isfinite(s.rotation) for s in group.subjects)]
    which, have, its = (("group", "has", "its") if len(still) == 1 else
                        ("groups", "have", "their"))
    notes = [f"{which} {', '.join(still)} {have} no rotation after an unperturbed baseline: {its} "
             "read-outs of a rotation are left out"] * bool(still)
    found: dict[str, list[str]] = {}
    for group in run.rotated().values():
        targets = set()
        for subject in group.subjects:
            lost = ~subject.has_baseline() & np.isfinite(subject.columns["angle_third"])
            targets |= set(subject.columns["target_angle"][lost])
        if targets:
            found.setdefault(", ".join(f"{t:g}" for t in sorted(targets)), []).append(group.name)
    return "; ".join(notes + [
        f"trials of {', '.join(names)} to the target at {targets} degrees are left out: there is "
        "none to it before the first rotation" for targets, names in found.items()
    ])


def read(directory: str | pathlib.Path, columns: set[str], optional: set[str] = frozenset()):
    """Reads `columns` (and those of `optional` that exist) of DIRECTORY/behaviour.nc.

    Subjects that have not done all trials that resolved.toml plans are left out. Raises BadInput
    for a missing file or variable.
    """
    path = pathlib.Path(directory) / "behaviour.nc"
    if not path.is_file():
        raise BadInput(
            f"{path}: no such file. Name the directory that `quartet run --out` wrote."
        )
    with netcdf.open_dataset(path) as dataset:
        needed = {"block", "rotation", "target_angle", "group"} | columns
        missing = sorted(needed - set(dataset.variables))
        if missing:
            raise BadInput(
                f"{path}: variable {', '.join(missing)} is missing (it has "
                f"{', '.join(sorted(map(str, dataset.variables)))}). Run the experiment again "
                "with a version that records it."
            )
        names = needed - {"group"} | {o for o in optional if o in dataset.variables}
        for name in sorted(names):
            if set(dataset[name].dims) != {"trial", "subject"}:
                raise BadInput(
                    f"{path}: variable {name} has dimensions {dataset[name].dims}; expected "
                    "(trial, subject). Use the analysis of the version that wrote the file."
                )
        data = {
            name: dataset[name].transpose("subject", "trial").values.astype(float)
            for name in names
        }
        labels = _group_names(dataset, path)
        seeds = dataset["seed"].values if "seed" in dataset.variables else None
        title, cut = (str(dataset.attrs.get(name, "")).strip() for name in ("title", "cut"))
        units = {name: str(dataset[name].attrs.get("units", "")) for name in names}
        done = dataset["trials_done"].values if "trials_done" in dataset.variables else None
    experiment = resolved(directory)
    group_labels = _group_labels(experiment)
    # A subject's trials are those with a block; others have a fill value there.
    valid = np.isfinite(data["block"]) & (data["block"] >= 0)
    if done is not None:  # a killed run may leave its last trial half written
        valid &= np.arange(valid.shape[1]) < done[:, np.newaxis]
    groups: dict[str, Group] = {}
    for index, (label, trials) in enumerate(zip(labels, valid.sum(axis=1))):
        blocks = blocks_of(experiment, label) if experiment else []
        planned = sum(block["trials"] for block in blocks)
        if experiment and trials > planned:
            raise BadInput(
                f"{path}: subject {index} ({label}) has {trials} trials, but {planned} by the "
                "resolved.toml beside it. Take both from one run."
            )
        if trials < max(planned, 1):
            continue
        own = {name: values[index, valid[index]] for name, values in data.items()}
        seed = None if seeds is None else int(seeds[index])
        subject = _subject(f"subject {index} ({label})", index, seed, own, blocks, path.parent)
        group = groups.setdefault(label, Group(label, [], group_labels.get(label, "")))
        group.subjects.append(subject)
    if not groups:
        raise Unfinished(f"{path}: no subject has finished yet. Wait, or resume the run.")
    groups = {name: groups[name] for name in dict.fromkeys([*group_labels, *groups])
              if name in groups}  # in the experiment's order
    finished = sum(len(group.subjects) for group in groups.values())
    notes = [f"only {finished} of {len(labels)} subjects finished so far"] * (finished < len(labels))
    notes += [cut.rstrip(".")] * bool(cut)  # last, as extent_of() tells by the beginning what is missing
    return Behaviour(path, title, "; ".join(notes), experiment, groups, units)


def largest(rotation: np.ndarray) -> float:
    """The largest of these angles by size, signed; of equals the first.

    What fractions are of. It is the last of a ramp that rises; where a rotation gets smaller, compensation
    left over from the larger one would be a fraction above 1 of the last.
    """
    return float(rotation[np.argmax(np.abs(rotation))])


def _without_chance(rotation: np.ndarray, block: np.ndarray, blocks: list[dict]) -> np.ndarray:
    """The rotation that was planned, where a random angle was added to it or its sign drawn: phases
    are told apart by its sign."""
    result = rotation.copy()
    for index, keys in enumerate(blocks):
        here = np.flatnonzero(block == index)
        drawn = keys.get("rotation_noise_deg", 0) or keys.get("rotation_sign", "same") != "same"
        if not drawn or here.size == 0:
            continue
        steps, start = keys["steps"], keys["rotation_deg"]
        rise = (keys["rotation_end_deg"] - start) / (steps - 1) if steps > 1 else 0.0
        result[here] = start + rise * (np.arange(here.size) * max(steps, 1) // keys["trials"])
        if keys["perturbation"] == "none":
            result[here] = 0.0
    return result


def _sequences(block: np.ndarray, reward: np.ndarray | None, blocks: list[dict]) -> np.ndarray:
    """1 or 0 in trials that end a sequence of choices and show an outcome, NaN in others."""
    result = np.full(len(block), np.nan)
    for index, keys in enumerate(blocks):
        steps = len(keys.get("sequence", []))
        if steps and reward is not None and keys.get("reward") != "none":
            ends = np.flatnonzero(block == index)[steps - 1 :: steps]
            result[ends] = reward[ends] > 0
    return result


def _chose_better(block: np.ndarray, chose_second, blocks: list[dict]) -> np.ndarray:
    """Whether the target that brings more on the mean was chosen; NaN where there are no such two."""
    better = np.full(block.size, np.nan)
    second = np.broadcast_to(chose_second, block.shape)
    for index, keys in enumerate(blocks):
        gain = keys.get("reward_probability", 1) - (
            keys.get("second_reward", 1) * keys.get("second_reward_probability", 1))
        if keys.get("second_target_deg", 0) != 0 and gain != 0:
            here = block == index
            better[here] = second[here] if gain < 0 else 1.0 - second[here]
    return better


def _settings(block: np.ndarray, blocks: list[dict], named: tuple[str, ...]) -> np.ndarray:
    """Which of all settings of the blocks, in the keys named, each trial has; -1 where its block is not
    known."""
    settings = [tuple(str(keys.get(key)) for key in named) for keys in blocks]
    numbers = {index: settings.index(one) for index, one in enumerate(settings)}
    return np.array([numbers.get(index, -1) for index in block.astype(int)])


def _subject(name: str, member: int, seed: int | None, columns: dict[str, np.ndarray],
             blocks: list[dict], directory: pathlib.Path) -> Subject:
    columns = columns | {
        "rotation": _without_chance(columns["rotation"], columns["block"], blocks),
        "drawn_rotation": columns["rotation"],
        "setting": _settings(columns["block"], blocks, SETTING),
        "offer": _settings(columns["block"], blocks, OFFER),
        "random_sign": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks)
            if keys.get("rotation_sign", "same") == "random"]),
        "watched": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks) if keys.get("task") == "observe"]),
        "disturbed": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks)
            if any(keys.get(key, 0) != 0 and (key != "shift_m" or keys.get("perturbation") == "shift")
                   for key in DISTURBANCES)]),
        "rests": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks) if keys.get("task") == "rest"]),
        "no_outcome": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks) if keys.get("reward") == "none"]),
        "moves_fingers": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks) if keys.get("task") == "fingers"]),
        "clamped": np.isin(columns["block"], [
            index for index, keys in enumerate(blocks) if keys.get("perturbation") == "clamp"]),
        "chose_better": _chose_better(columns["block"], columns.get("chose_second", np.nan), blocks),
        "sequence_right": _sequences(columns["block"], columns.get("reward"), blocks),
    }
    sign = np.sign(np.nan_to_num(columns["rotation"]))
    turned = np.flatnonzero(sign)
    start = turned[0] if turned.size else sign.size
    first = sign[start] if turned.size else 1.0
    edges = [start]  # where learning, reversed and clamp begin
    for wanted in (first, -first):
        rest = np.flatnonzero(sign[edges[-1] :] != wanted)
        edges.append(edges[-1] + rest[0] if rest.size else sign.size)
    rest = np.flatnonzero(sign[edges[-1] :] != 0)
    end = edges[-1] + rest[0] if rest.size else sign.size
    bounds = [0, *edges, end]
    phases = {phase: np.arange(bounds[i], bounds[i + 1]) for i, phase in enumerate(PHASES)}
    phases["baseline"] = np.arange(min([start, *np.flatnonzero(columns["disturbed"])]))
    names = np.array([block.get("phase", "") for block in blocks], dtype=str)
    labels = {
        label: np.flatnonzero(np.isin(columns["block"], np.flatnonzero(names == label)))
        for label in dict.fromkeys(names.tolist()) if label
    }
    comparable = len(phases["baseline"]) and len(phases["learning"])
    rotation = largest(columns["rotation"][phases["learning"]]) if comparable else np.nan
    return Subject(name, member, seed, columns, phases, labels, rotation, directory)


def _group_names(dataset, path) -> list[str]:
    """The name of each subject's group, from group_name or from the CF flags of `group`."""
    index = dataset["group"].values
    if not np.isfinite(index.astype(float)).all():
        raise BadInput(f"{path}: variable group has missing values. The file is not complete.")
    index = index.astype(int)
    if "group_name" in dataset.variables:
        texts = netcdf.texts(dataset["group_name"])
        if dataset["group_name"].dims == dataset["group"].dims:
            return texts  # one per subject
    else:
        texts = str(dataset["group"].attrs.get("flag_meanings", "")).split()
    if index.min() < 0 or index.max() >= len(texts):
        raise BadInput(
            f"{path}: variable group goes up to {index.max()}, but there are {len(texts)} group "
            "names. Expected group_name(subject), group_name(group) or group:flag_meanings."
        )
    return [texts[i] for i in index]


def wrap(degrees):
    """Into [-180, 180)."""
    return (np.asarray(degrees) + 180.0) % 360.0 - 180.0
