"""AdamQLR in plain NumPy float64 with dense matrices, from the formulas alone: what the core is held against."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Vector = np.ndarray
Matrix = np.ndarray
# One number, or one a step.
Numbers = Any


class Problem(NamedTuple):
    """A function of a flat vector: f, ∇f, a dense curvature matrix C, and what float64's rounding may do to Δf."""

    value: Callable[[Vector], float]
    gradient: Callable[[Vector], Vector]
    matrix: Callable[[Vector], Matrix]
    rounding: Callable[[Vector], float]


class Knobs(NamedTuple):
    """The numbers of AdamQLR, with the paper's untuned defaults."""

    initial_damping: float = 1e-3
    damping_decrease: float = 0.5
    damping_increase: float = 2.0
    max_learning_rate: float = np.inf
    min_damping: float = 1e-8
    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    amplification: float = 1.0
    averaging: float = 0.0
    absolute_curvature: float = 0.0
    rounding_multiple: float = 16.0
    max_gradient_norm: float = np.inf
    weight_decay: float = 0.0
    max_update_norm: float = np.inf
    warmup_steps: float = 0.0
    decay_steps: float = np.inf


class Report(NamedTuple):
    """What a step did, by the names of the core's StepInfo, and θ after it; of a run, arrays with the steps first."""

    loss: Numbers
    gradient_norm: Numbers
    direction_norm: Numbers
    slope: Numbers
    curvature: Numbers
    best_learning_rate: Numbers
    learning_rate: Numbers
    damping: Numbers
    next_damping: Numbers
    predicted_change: Numbers
    actual_change: Numbers
    reduction_ratio: Numbers
    reliable: Numbers
    accepted: Numbers
    update_norm: Numbers
    theta: Numbers


class Memory(NamedTuple):
    """What a step leaves to the next, λ and θ apart; a step that is taken back leaves what it found."""

    m: Vector
    v: Vector
    steps: int
    mean_learning_rate: Numbers


def shortened(vector: Vector, longest: float) -> Vector:
    """The vector, scaled down to a length where it is longer."""
    length = np.sqrt(vector @ vector)
    return vector * (longest / length) if length > longest else vector


def envelope(steps_done: int, knobs: Knobs) -> float:
    """The factor of a move: up to 1 over the warm-up, then down half a cosine."""
    if steps_done < knobs.warmup_steps:
        return (steps_done + 1) / knobs.warmup_steps
    if np.isinf(knobs.decay_steps):
        return 1.0
    return 0.5 * (1 + np.cos(np.pi * min((steps_done - knobs.warmup_steps) / knobs.decay_steps, 1.0)))


def step(problem: Problem, theta: Vector, damping: float, memory: Memory, knobs: Knobs, rule: str) -> tuple[Report, Memory]:
    """One step of either damping rule."""
    loss = problem.value(theta)
    g = shortened(problem.gradient(theta), knobs.max_gradient_norm)
    t = memory.steps + 1
    m = knobs.b1 * memory.m + (1 - knobs.b1) * g
    v = knobs.b2 * memory.v + (1 - knobs.b2) * g**2
    d = (m / (1 - knobs.b1**t)) / (np.sqrt(v / (1 - knobs.b2**t)) + knobs.eps)

    slope, curvature = g @ d, d @ problem.matrix(theta) @ d
    q = curvature + damping * (d @ d)
    best = 0.0 if slope == 0 else slope / (abs(q) if knobs.absolute_curvature else q)
    alpha = min(max(best, -knobs.max_learning_rate), knobs.max_learning_rate) * knobs.amplification
    alpha = knobs.averaging * memory.mean_learning_rate + (1 - knobs.averaging) * alpha

    move = shortened(-alpha * d - knobs.weight_decay * theta, knobs.max_update_norm) * envelope(memory.steps, knobs)
    trial = theta + move
    damped = problem.matrix(theta) + damping * np.eye(theta.size)
    predicted = g @ move + 0.5 * move @ damped @ move
    actual = problem.value(trial) - loss
    ratio = actual / predicted if predicted else np.nan
    noise = knobs.rounding_multiple * problem.rounding(theta)
    reliable = not abs(predicted) < noise
    hidden = curvature > 0 and slope**2 / (2 * curvature) >= noise > slope**2 / (2 * abs(q))

    accepted = rule == "reduction_ratio" or actual <= 0
    if rule == "decreasing_loss":
        factor = knobs.damping_decrease if accepted else knobs.damping_increase
    elif (reliable and ratio > 3 / 4) or (not reliable and hidden):
        factor = knobs.damping_decrease
    elif reliable and ratio < 1 / 4:
        factor = knobs.damping_increase
    else:
        factor = 1.0
    next_damping = max(damping * factor, knobs.min_damping)

    report = Report(
        loss, np.sqrt(g @ g), np.sqrt(d @ d), slope, curvature, best, alpha, damping, next_damping, predicted, actual,
        ratio, reliable, accepted, np.sqrt(move @ move), trial if accepted else theta,
    )  # fmt: skip
    return report, Memory(m, v, t, alpha) if accepted else memory


def run(problem: Problem, theta: Vector, knobs: Knobs, rule: str, steps: int) -> Report:
    """Steps from θ; every field of the report is an array with the steps first."""
    damping, memory = knobs.initial_damping, Memory(np.zeros_like(theta), np.zeros_like(theta), 0, 0.0)
    reports = []
    for _ in range(steps):
        report, memory = step(problem, theta, damping, memory, knobs, rule)
        theta, damping = report.theta, report.next_damping
        reports.append(report)
    return Report(*(np.array(column) for column in zip(*reports, strict=True)))
