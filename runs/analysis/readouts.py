"""Read-outs: from one subject's trials to one number. targets.toml names these functions.

Every function takes a Subject and returns a float: NaN where the subject has no such trials.
`LABELS` lists them, `BY_LABEL` those of labelled phases, `COLUMNS` the variables of behaviour.nc that they
read, `OPTIONAL` those that earlier versions did not write.
"""

from __future__ import annotations

import re

import numpy as np

from behaviour import Subject, wrap
from stats import mean

# For people, in the order of tables.
LABELS = {
    "chose_better": "share of choices of the better target",
    "sequences_right": "share of sequences of choices that are right",
    "learned_from_success": "choices of the successful target, after minus before",
    "learned_from_failure": "choices against the failing target, after minus before",
    "success_minus_failure": "learned from success minus from failure",
    "baseline_sd": "SD in the baseline, deg",
    "perturbed_first_deg": "hand minus baseline, perturbed trials 1-4, deg",
    "perturbed_last_deg": "hand minus baseline, last fifth of the perturbed trials, deg",
    "washout_first_deg": "hand minus baseline, trials 1-4 after them, deg",
    "early_fraction": "fraction compensated, trials 1-12",
    "late_fraction": "fraction compensated, last fifth",
    "final_fraction": "fraction compensated, last step",
    "final_sd": "SD in the last step, deg",
    "reversed_fraction": "fraction after the reversal",
    "aftereffect_deg": "after-effect, trials 1-4 after the rotation, deg",
    "aftereffect_fraction": "after-effect, trials 1-4 after the rotation, fraction",
    "rebound_deg_per_30": "rebound, deg per 30 deg",
    "rebound_fraction": "rebound, fraction",
    "opposite_fraction": "fraction of an opposite rotation compensated, trials 1-12",
    "savings": "fraction compensated, trials 1-12, second minus first time",
    "asymptote_deg": "compensation, last tenth, deg",
    "last_third_deg": "compensation, last third, deg",
    "kept_deg": "compensation kept without feedback, deg",
    "single_trial_deg": "correction from one trial to the next, deg",
    "single_trial_sensitivity": "the same as part of the error",
    "generalization_deg": "SD of generalization over directions, deg",
    "succeeded": "share of subjects that end in the rewarded zone",
    "aim_deg": "compensation by the aim, trials 1-12, deg",
    "implicit_deg": "hand minus aim, deg",
    "felt_shift_deg": "felt hand moved to the cursor, deg",
    "implicit_savings_deg": "hand minus aim, second minus first time, deg",
    "sd_after_failure_minus_success": "SD after failure minus success, deg",
    "olive_rise": "olive: trials 1-12 minus baseline, Hz",
    "dopamine_reward_minus_failure": "SNc: rewarded minus unrewarded, Hz",
    "cue_answer_grown": "SNc: answer to the cue of a reward, late minus early, Hz",
    "reward_answer_grown": "SNc: answer to the reward, late minus early, Hz",
    "cue_answer_of_reward": "SNc: answer to the cue of a reward minus of none, Hz",
    "omission_answer": "SNc: answer where an expected reward is left out minus where none is, Hz",
}

# Of trials that the labels of phases tell, and not of all in which a rotation is learned: a subject has one
# such number, in however many phases it learns.
BY_LABEL = {"learned_from_success", "learned_from_failure", "success_minus_failure", "opposite_fraction",
            "savings", "kept_deg", "generalization_deg", "implicit_savings_deg", "cue_answer_grown",
            "reward_answer_grown", "cue_answer_of_reward", "omission_answer"}

COLUMNS = {"angle_third", "angle_end", "aim_angle", "reward", "olive_rate", "dopamine"}
OPTIONAL = {"chose_second", "felt_angle", "cue_dopamine", "reward_prediction_error", "fingers"}

MIN_TRIALS_FOR_SD = 4

# How LABELS and targets.toml name the first trials of a phase.
NAMED_TRIALS = r"trials 1-(\d+)"
# Which trials of a subject these are, by read-out; those of a read-out that is not here are `early`.
FIRST_TRIALS = {"perturbed_first_deg": lambda subject: _disturbed(subject)[0][:4],
                "washout_first_deg": lambda subject: _disturbed(subject)[1][:4],
                "aftereffect_deg": lambda subject: _after_learning(subject)[:4],
                "aftereffect_fraction": lambda subject: _after_learning(subject)[:4],
                "opposite_fraction": lambda subject: _labelled(subject, "opposite")[:12],
                "savings": lambda subject: _labelled(subject, "again")[: len(early(subject))]}


def early(subject: Subject) -> np.ndarray:
    """Rotated trials 1-12: not scaled, because learning counts trials; at most the first half."""
    learning = subject.phases["learning"]
    return learning[: max(1, min(12, len(learning) // 2))]


def first_trials(readout: str, subjects: list[Subject]) -> int:
    """How many of the trials that its label calls "trials 1-12", or so, each of these subjects has at
    least, of those whose target has a baseline; without those who have none. 0 if nobody has any: there is
    no such read-out."""
    used = FIRST_TRIALS.get(readout, early)
    counts = (np.count_nonzero(subject.has_baseline()[used(subject)]) for subject in subjects)
    return min(filter(None, counts), default=0)


def label(readout: str, subjects: list[Subject]) -> str:
    """Of LABELS; where these subjects have fewer trials than it says, with as many as each has."""
    all_have = first_trials(readout, subjects)
    trials = "trial 1" if all_have == 1 else f"trials 1-{all_have}"
    return re.sub(NAMED_TRIALS, lambda named: trials if 0 < all_have < int(named[1]) else named[0],
                  LABELS[readout])


def _compensation(subject: Subject, column: str = "angle_third") -> np.ndarray:
    """Compensation in degrees; NaN in trials on which the side of the rotation is drawn anew: what undoes
    the one adds to the next."""
    return np.where(subject.columns["random_sign"], np.nan, subject.compensation(column))


def _fraction(subject: Subject, column: str = "angle_third") -> np.ndarray:
    """The same as a fraction of the rotation, of its largest where it changes."""
    return _compensation(subject, column) / abs(subject.rotation)


def late(subject: Subject) -> np.ndarray:
    """The last fifth of the rotated trials (20 of 100)."""
    learning = subject.phases["learning"]
    return learning[-max(1, round(len(learning) / 5)) :]


def final_step(subject: Subject) -> np.ndarray:
    """All trials of the learning phase's last step (40 of 8 x 40), or without steps of the phase."""
    learning = subject.phases["learning"]
    rotation = subject.columns["rotation"][learning]
    others = np.flatnonzero(rotation != rotation[-1:])
    return learning[others[-1] + 1 if others.size else 0 :]


def late_fraction(subject: Subject) -> float:
    """Fraction of the rotation compensated at one third of the distance, `late` trials."""
    return mean(_fraction(subject)[late(subject)])


def early_fraction(subject: Subject) -> float:
    """Fraction of the rotation compensated at one third of the distance, `early` trials."""
    return mean(_fraction(subject)[early(subject)])


def reversed_fraction(subject: Subject) -> float:
    """As late_fraction, over the last third of the reversed trials (4 of 12)."""
    phase = subject.phases["reversed"]
    return mean(_fraction(subject)[phase[len(phase) - -(-len(phase) // 3) :]])


def aftereffect_deg(subject: Subject) -> float:
    """Compensation (degrees) in the first four trials without a rotation that follow the rotated ones."""
    return mean(subject.compensation("angle_third")[FIRST_TRIALS["aftereffect_deg"](subject)])


def aftereffect_fraction(subject: Subject) -> float:
    """The same as a fraction of the rotation."""
    return aftereffect_deg(subject) / abs(subject.rotation)


def rebound_fraction(subject: Subject) -> float:
    """As late_fraction, over the last 60 % of the trials after the reversal (9-20 of 20).

    Without reversed trials there is no rebound to read: NaN.
    """
    phase = subject.phases["clamp"]
    if len(subject.phases["reversed"]) == 0 or len(phase) == 0:
        return float("nan")
    return mean(_fraction(subject)[phase[-max(1, round(0.6 * len(phase))) :]])


def rebound_deg_per_30(subject: Subject) -> float:
    """rebound_fraction in degrees of a rotation of 30."""
    return 30.0 * rebound_fraction(subject)


def opposite_fraction(subject: Subject) -> float:
    """Fraction compensated of the opposite rotation (blocks of the phase "opposite"), its trials 1-12.

    From what is left of the first rotation before them, and as part of its size: over the last 12 trials of
    the phase "washout" that come before, or without any over the last 12 of the block just before.
    """
    return -_beyond_left(subject, FIRST_TRIALS["opposite_fraction"](subject), washed=False)


def savings(subject: Subject) -> float:
    """early_fraction of the second time (blocks of the phase "again") minus that of the first.

    Both over as many trials as either has, the second from what is left at the end of the washout (blocks
    of the phase "washout") before it. Without one nothing is met again: NaN.
    """
    again = FIRST_TRIALS["savings"](subject)
    first = early(subject)[: len(again)]
    return _beyond_left(subject, again, washed=True) - mean(_fraction(subject)[first])


def asymptote_deg(subject: Subject) -> float:
    """Compensation (degrees) at one third of the distance, last tenth of the rotated trials (40 of
    400), rounded up to whole cycles of targets."""
    learning = subject.phases["learning"]
    cycle = _cycle(subject, learning)
    trials = cycle * max(1, -(-round(len(learning) / 10) // cycle))
    return mean(_compensation(subject)[learning[-trials:]])


def last_third_deg(subject: Subject) -> float:
    """Compensation (degrees) at one third of the distance, last third of the rotated trials (100 of
    300). Where the rotation is drawn anew on every trial, of its mean: negative on its other side."""
    learning = subject.phases["learning"]
    return mean(_compensation(subject)[learning[-max(1, round(len(learning) / 3)) :]])


def kept_deg(subject: Subject) -> float:
    """Compensation (degrees) over the trials without feedback that follow the rotated ones.

    Blocks of the phase "no_feedback", without a last cycle of targets that is not whole.
    """
    trials = _labelled(subject, "no_feedback")
    whole = len(trials) - len(trials) % _cycle(subject, trials)
    return mean(subject.compensation("angle_third")[trials[:whole]])


def single_trial_deg(subject: Subject) -> float:
    """Mean change of direction (degrees) from a rotated trial to the next, against the perturbation.

    Where its side is drawn anew on every trial: what was learned earlier then adds nothing. Directions
    are relative to each target's baseline, and both trials of one block.
    """
    drawn = np.sign(subject.columns["drawn_rotation"])
    learning = subject.phases["learning"][:-1]
    if not subject.columns["random_sign"][learning].all():
        return float("nan")
    block = subject.columns["block"]
    learning = learning[block[learning + 1] == block[learning]]
    # Positive where the hand goes against the planned side, whichever was drawn.
    compensation = subject.compensation("angle_third")
    change = wrap(compensation[learning + 1] - compensation[learning])
    return mean(np.sign(subject.rotation) * drawn[learning] * change)


def single_trial_sensitivity(subject: Subject) -> float:
    """single_trial_deg per degree of the perturbation."""
    return single_trial_deg(subject) / abs(subject.rotation)


def generalization_deg(subject: Subject) -> float:
    """SD (degrees) of the Gaussian over directions that fits compensation in probes best.

    Blocks of the phase "probe", to targets at several distances from the trained one; the Gaussian
    has its peak there and goes to zero. Least squares over SDs of 1 to 180 degrees; NaN without a peak.
    """
    probe = _labelled(subject, "probe")
    compensation = subject.compensation("angle_third")[probe]
    learning = subject.phases["learning"]
    if not np.isfinite(compensation).any() or not len(learning):
        return float("nan")
    trained = subject.columns["target_angle"][learning[-1]]
    distance = wrap(subject.columns["target_angle"][probe] - trained)
    seen = np.isfinite(compensation)
    sds = np.arange(1.0, 181.0)
    shapes = np.exp(-0.5 * (distance[seen] / sds[:, np.newaxis]) ** 2)
    heights = shapes @ compensation[seen] / np.sum(shapes**2, axis=1)
    errors = np.sum((compensation[seen] - heights[:, np.newaxis] * shapes) ** 2, axis=1)
    best = np.argmin(errors)
    # Who generalizes to all directions counts, as wide as the search goes.
    return float(sds[best]) if heights[best] > 0 and sds[best] > 1.0 else float("nan")


def succeeded(subject: Subject) -> float:
    """1 if more than half of the trials in the second half of `final_step` are rewarded, else 0.

    NaN where the cursor is clamped, as nobody can bring it into a zone, or no outcome is shown.
    """
    reward = np.where(subject.columns["clamped"], np.nan, subject.outcomes())[final_step(subject)]
    reward = reward[np.isfinite(reward)]
    reward = reward[len(reward) // 2 :]
    return float(mean(reward > 0.0) > 0.5) if len(reward) else float("nan")


def chose_better(subject: Subject) -> float:
    """Share of choices of the target with the larger reward, second half of each block with two
    unequal ones; a block counts once, however long it is. Trials without a choice do not count."""
    better, block = subject.columns["chose_better"], subject.columns["block"]
    shares = []
    for index in np.unique(block[np.isfinite(better)]):
        trials = np.flatnonzero(block == index)
        shares.append(mean(better[trials[len(trials) // 2 :]]))
    return mean(np.array(shares))


def sequences_right(subject: Subject) -> float:
    """Share of sequences of choices that were right throughout, of the last third."""
    right = subject.columns["sequence_right"]
    right = right[np.isfinite(right)]
    return mean(right[-max(1, len(right) // 3) :]) if len(right) else float("nan")


def learned_from_success(subject: Subject) -> float:
    """Share of choices of a target that was rewarded over one never trained, after minus before.

    Blocks of the phases "good_after" and "good_before", in which it is the first of the two.
    """
    return _chose_first(subject, "good_after") - _chose_first(subject, "good_before")


def learned_from_failure(subject: Subject) -> float:
    """Share of choices against a target that failed, for one never trained, after minus before.

    Blocks of the phases "bad_after" and "bad_before", in which it is the first of the two.
    """
    return _chose_first(subject, "bad_before") - _chose_first(subject, "bad_after")


def success_minus_failure(subject: Subject) -> float:
    """learned_from_success minus learned_from_failure."""
    return learned_from_success(subject) - learned_from_failure(subject)


def baseline_sd(subject: Subject) -> float:
    """SD (degrees) of the direction at one third of the distance over the baseline trials.

    About the mean of each target, so each target costs a degree of freedom. Undefined with fewer of
    them than MIN_TRIALS_FOR_SD trials to one target leave, and without a perturbation that ends it.
    """
    baseline = subject.phases["baseline"]
    deviation = subject.from_baseline()[baseline]
    seen = np.isfinite(deviation)
    targets = np.unique(subject.targets()[baseline][seen])
    freedom = np.count_nonzero(seen) - targets.size
    if freedom < MIN_TRIALS_FOR_SD - 1 or len(baseline) == subject.trials:
        return float("nan")
    return float(np.sqrt(np.sum(deviation[seen] ** 2) / freedom))


def perturbed_first_deg(subject: Subject) -> float:
    """Direction at one third of the distance minus the baseline (degrees, counter-clockwise) in the first
    four trials of a perturbation other than a rotation."""
    return mean(subject.from_baseline()[FIRST_TRIALS["perturbed_first_deg"](subject)])


def perturbed_last_deg(subject: Subject) -> float:
    """The same (degrees) in the last fifth of these trials."""
    perturbed, _ = _disturbed(subject)
    return mean(subject.from_baseline()[perturbed[-max(1, round(len(perturbed) / 5)) :]])


def washout_first_deg(subject: Subject) -> float:
    """The same (degrees) in the first four trials after these: the after-effect."""
    return mean(subject.from_baseline()[FIRST_TRIALS["washout_first_deg"](subject)])


def final_fraction(subject: Subject) -> float:
    """Fraction compensated at the end of the reach, second half of the last of several steps."""
    step = _last_of_steps(subject)
    return mean(_fraction(subject, "angle_end")[step[len(step) // 2 :]])


def final_sd(subject: Subject) -> float:
    """SD (degrees) of the direction at the end of the reach over the last of several steps."""
    return _sd(subject.compensation("angle_end")[_last_of_steps(subject)])


def sd_after_failure_minus_success(subject: Subject) -> float:
    """SD (degrees) of the end direction after unrewarded minus after rewarded rotated trials.

    Of what the trial before does not predict: deviations are from the mean at the same rotation (the
    ramp itself is not variability), less their regression on the deviation one trial earlier. A
    failure is mostly a reach far out, so slow wandering alone would look like a rise after failures;
    a step that all failures have in common is a correction and no variability.
    """
    learning = subject.phases["learning"]
    angle = subject.compensation("angle_end")[learning]
    rotation = subject.columns["rotation"][learning]
    reward = subject.outcomes()[learning][:-1]
    for step in np.unique(rotation):
        here = rotation == step
        angle[here] -= mean(angle[here])
    before, now = angle[:-1], angle[1:]
    seen = np.isfinite(before) & np.isfinite(now)
    if not seen.any():
        return float("nan")
    power = np.sum(before[seen] ** 2)
    slope = np.sum(before[seen] * now[seen]) / power if power > 0 else 0.0
    surprise = now - slope * before
    spread = []
    for outcome in (reward == 0.0, reward > 0.0):
        after = surprise[seen & outcome]
        enough = len(after) >= MIN_TRIALS_FOR_SD
        spread.append(np.std(after, ddof=1) if enough else float("nan"))
    return float(spread[0] - spread[1])


def olive_rise(subject: Subject) -> float:
    """Olive rate (Hz) over the `early` trials to targets with a baseline minus its baseline mean."""
    rate = np.where(subject.has_baseline(), subject.columns["olive_rate"], np.nan)
    return mean(rate[early(subject)]) - mean(rate[subject.phases["baseline"]])


def dopamine_reward_minus_failure(subject: Subject) -> float:
    """SNc rate (Hz) in the outcome window, rewarded minus unrewarded rotated trials."""
    learning = subject.phases["learning"]
    rate = subject.columns["dopamine"][learning]
    reward = subject.outcomes()[learning]
    return mean(rate[reward > 0.0]) - mean(rate[reward == 0.0])


def cue_answer_grown(subject: Subject) -> float:
    """Answer (Hz) of SNc to the cue of a sure reward: its rate in the 150 ms from when the target can
    be seen minus that before; last third of the blocks of the phase "rewarded" minus their first 3
    trials."""
    return _grown(subject, "cue_dopamine")


def reward_answer_grown(subject: Subject) -> float:
    """As cue_answer_grown, of SNc's rate in the outcome window minus that before the cue."""
    return _grown(subject, "reward_prediction_error")


def cue_answer_of_reward(subject: Subject) -> float:
    """SNc's answer (Hz) to the cue in the last third of the blocks "rewarded" minus "unrewarded"."""
    return (_last_third(subject, "cue_dopamine", "rewarded") -
            _last_third(subject, "cue_dopamine", "unrewarded"))


def omission_answer(subject: Subject) -> float:
    """SNc's rate (Hz) in the outcome window minus that before the cue, blocks "omitted", minus the same
    in the last third of the blocks "unrewarded", whose target never brought a reward."""
    unrewarded = _last_third(subject, "reward_prediction_error", "unrewarded")
    if np.isnan(unrewarded):
        return unrewarded
    return mean(subject.columns["reward_prediction_error"][_labelled(subject, "omitted")]) - unrewarded


def aim_deg(subject: Subject) -> float:
    """Compensation (degrees) of the aim decoded from premotor spikes, rotated trials 1-12 (`early`)."""
    return mean(_compensation(subject, "aim_angle")[early(subject)])


def implicit_deg(subject: Subject) -> float:
    """Compensation (degrees) of the hand minus that of the aim, `late` trials."""
    difference = _compensation(subject) - _compensation(subject, "aim_angle")
    return mean(difference[late(subject)])


def felt_shift_deg(subject: Subject) -> float:
    """How far (degrees) the hand is felt on the cursor's side of where it is: direction of the felt
    hand minus that of the hand at the end of the reach, `late` trials minus the baseline."""
    if "felt_angle" not in subject.columns:
        return np.nan
    away = wrap(subject.columns["felt_angle"] - subject.columns["angle_end"])
    away[subject.columns["random_sign"]] = np.nan  # the cursor is on no side
    baseline = subject.phases["baseline"]
    return (mean(away[late(subject)]) - mean(away[baseline])) * np.sign(subject.rotation)


def implicit_savings_deg(subject: Subject) -> float:
    """implicit_deg of the second time (blocks of the phase "again") minus that of the first.

    Over as many trials of the first time as there are of the second, from the same trial on.
    """
    difference = _compensation(subject) - _compensation(subject, "aim_angle")
    again, first = _labelled(subject, "again"), subject.phases["learning"]
    last = slice(len(again) - len(again) // 2, len(again))
    return mean(difference[again[last]]) - mean(difference[first[last]])


def _beyond_left(subject: Subject, trials: np.ndarray, washed: bool) -> float:
    """Mean fraction over these trials, less that over the last 12 of the phase "washout" before them.

    A washout after them says nothing of what they began with. Without one before them: NaN if it must have
    been `washed`, else less that over the last 12 of the block just before them.
    """
    if not len(trials):
        return float("nan")
    washout = _labelled(subject, "washout")
    before = washout[washout < trials[0]]
    if not len(before) and not washed and trials[0] > 0:
        block = subject.columns["block"][: trials[0]]
        before = np.flatnonzero(block == block[-1])
    fraction = _fraction(subject)
    return mean(fraction[trials]) - mean(fraction[before[-12:]])


def _chose_first(subject: Subject, phase: str) -> float:
    """Share of choices of the first target in the blocks of this `phase`; NaN without any."""
    trials = _labelled(subject, phase)
    return 1.0 - mean(subject.columns["chose_second"][trials]) if len(trials) else float("nan")


def _last_third(subject: Subject, column: str, phase: str) -> float:
    """Mean of a column over the last third of the trials of the blocks of a phase."""
    trials = _labelled(subject, phase)
    if column not in subject.columns or not len(trials):
        return float("nan")
    return mean(subject.columns[column][trials[-max(1, len(trials) // 3) :]])


def _grown(subject: Subject, column: str) -> float:
    """_last_third of the phase "rewarded" minus the mean over its first 3 trials; NaN where they are
    in part the same."""
    trials = _labelled(subject, "rewarded")
    if column not in subject.columns or len(trials) < 3 + max(1, len(trials) // 3):
        return float("nan")
    return _last_third(subject, column, "rewarded") - mean(subject.columns[column][trials[:3]])


def _cycle(subject: Subject, trials: np.ndarray) -> int:
    """Trials in which each target comes once: as many as there are targets; at least 1."""
    return max(1, len(np.unique(subject.targets()[trials])))


def _disturbed(subject: Subject) -> tuple[np.ndarray, np.ndarray]:
    """The first trials in a row with a perturbation other than a rotation, and those without one that
    follow; none where there is a rotation to learn."""
    there = subject.columns["disturbed"] & ~np.isfinite(subject.rotation)
    edges = np.flatnonzero(np.diff(there, prepend=False, append=False))[:3]
    start, end, again = [*edges, *[subject.trials] * (3 - len(edges))]
    return np.arange(start, end), np.arange(end, again)


def _last_of_steps(subject: Subject) -> np.ndarray:
    """`final_step` where other rotations come before it; else none."""
    step = final_step(subject)
    return step[: 0 if len(step) == len(subject.phases["learning"]) else None]


def _after_learning(subject: Subject) -> np.ndarray:
    """Trials that follow the last one in which a rotation to one side is learned, up to the next
    perturbation."""
    learning = subject.phases["learning"]
    learning = learning[~subject.columns["random_sign"][learning]]
    start = learning[-1] + 1 if len(learning) else subject.trials
    perturbed = (np.nan_to_num(subject.columns["drawn_rotation"]) != 0) | subject.columns["disturbed"]
    return start + np.arange(np.argmax([*perturbed[start:], True]))


def _labelled(subject: Subject, phase: str) -> np.ndarray:
    """Trials of the blocks with this `phase`."""
    return subject.labels.get(phase, np.empty(0, int))


def _sd(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.std(values, ddof=1)) if values.size >= MIN_TRIALS_FOR_SD else float("nan")
