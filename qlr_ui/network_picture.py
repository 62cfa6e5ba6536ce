"""From runs of small networks to what the step player draws: plain arrays and sentences."""

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from qlr_core.network_lab import NetworkProblem, network_problem, rows_a_step
from qlr_core.network_outcome import network_outcome
from qlr_core.network_pictures import CURVE_POINTS, picture_reach, picture_side
from qlr_core.network_run import NetworkRun
from qlr_core.optimizers import optimizer_named
from qlr_ui.labels import OPTION_LABELS, fork_text, run_labels
from qlr_ui.network_state import NetworkState
from qlr_ui.player import (
    CurveView,
    DigitsView,
    NetworkLesson,
    NetworkPlayerRun,
    PlaneView,
    PlayerFork,
    RunFrames,
    RunPlane,
    encode_network,
)
from qlr_ui.run_picture import fork_options, log_above_floor, opening_view, set_numbers
from qlr_ui.run_setting import not_installed
from qlr_ui.theme import style_of

METRICS = {"accuracy": "Accuracy", "rmse": "RMSE"}
# The pixels of the packaged digits go from 0 to this.
_DIGITS_MAXIMUM = 16.0


def network_picture(state: NetworkState, runs: list[NetworkRun], view: Mapping[str, str]) -> bytes:
    """The player's payload; ``view`` is what a link says of the step, the focus and the layers."""
    problem, seen, drawn = network_problem(state.lab), Counter(), []
    for place, (run, label) in enumerate(zip(runs, run_labels(state), strict=True)):
        optimizer = run.legs[-1].optimizer
        drawn.append(_run(state, problem, place, label, run, seen[optimizer]))
        seen[optimizer] += 1
    lesson = NetworkLesson(
        title=problem.dataset.label,
        formula=formula(problem),
        metric=METRICS[problem.dataset.metric],
        frame_steps=runs[0].record.frames.step,
        view=_view(problem),
        runs=tuple(drawn),
        state=opening_view(view, [run.id for run in drawn]),
        fork_options=fork_options(not_installed),
    )
    return encode_network(lesson)


def formula(problem: NetworkProblem) -> str:
    """The network and its batches in a line: MLP 2–32–2 tanh · 162 parameters · batch 64 of 240."""
    lab, rows = problem.lab, len(problem.data.train.inputs)
    widths = (int(np.prod(problem.dataset.input_shape)), *lab.hidden, problem.dataset.outputs)
    shape = "–".join(map(str, widths)) + (f" {lab.activation}" if lab.hidden else "")
    batch = f"full batch of {rows}" if rows_a_step(problem) == rows else f"batch {lab.batch_size} of {rows}"
    return f"MLP {shape} · {lab.parameters:,} parameters · {batch}"


def _view(problem: NetworkProblem) -> PlaneView | DigitsView | CurveView | None:
    data, reach = problem.data, picture_reach(problem)
    if problem.dataset.view == "plane":
        window, classes = (-reach, reach), problem.dataset.outputs
        points = np.concatenate([data.train.inputs, data.validation.inputs])
        labels = np.concatenate([data.train.targets, data.validation.targets])
        return PlaneView(window, window, picture_side(classes), classes, points, labels, len(data.train.inputs))
    if problem.dataset.view == "digits":
        pixels = (data.input_mean + data.input_scale * data.validation.inputs) * (255 / _DIGITS_MAXIMUM)
        images = np.round(np.clip(pixels, 0, 255)).astype(np.uint8).reshape(len(pixels), -1)
        return DigitsView(images, data.validation.targets, problem.dataset.outputs)
    if problem.dataset.view == "curve":
        inputs = data.input_mean + data.input_scale * np.linspace(-reach, reach, CURVE_POINTS, dtype=np.float32)
        x = data.input_mean + data.input_scale * data.train.inputs
        return CurveView(inputs, np.concatenate([x, data.target_mean + data.target_scale * data.train.targets], axis=1))
    return None


def _run(
    state: NetworkState, problem: NetworkProblem, place: int, label: str, run: NetworkRun, occurrence: int
) -> NetworkPlayerRun:
    leg, record, outcome = run.legs[-1], run.record, network_outcome(run)
    spec, style, info = optimizer_named(leg.optimizer), style_of(leg.optimizer, occurrence), record.info
    fork = state.forks[place - len(state.runs)] if place >= len(state.runs) else None
    path = np.full((len(info.loss) + 1, 2), np.nan, np.float32)
    path[record.path_step] = record.path
    predicted = _at_frames(run, info.predicted_change, record.frames.predicted_change)
    return NetworkPlayerRun(
        id=f"r{place}",
        label=label,
        optimizer=leg.optimizer,
        kind=spec.kind,
        color_light=style.light,
        color_dark=style.dark,
        dash=style.dash,
        position=path[:-1],
        loss=info.loss,
        slope=info.slope,
        curvature=_at_frames(run, info.curvature, record.frames.curvature),
        learning_rate=info.learning_rate,
        damping=info.damping,
        predicted_change=predicted,
        actual_change=_at_frames(run, info.actual_change, record.frames.ratio_same * record.frames.predicted_change),
        reduction_ratio=info.reduction_ratio,
        gradient_norm=info.gradient_norm,
        direction_norm=info.direction_norm,
        update_norm=info.update_norm,
        reliable=info.reliable,
        accepted=info.accepted,
        final=(float(path[-1, 0]), float(path[-1, 1]), float(record.frames.train_loss[-1]), float(info.next_damping[-1])),
        cost_per_step=float(info.cost[-1]),
        seconds_per_step=run.seconds_per_step,
        status="diverged" if outcome.diverged else "finished",
        status_step=outcome.step if outcome.diverged else None,
        status_text=outcome.message,
        plane=_plane(run),
        frames=_frames(run),
        picture=record.frames.picture if problem.dataset.view != "none" else None,
        fork=PlayerFork(f"r{fork.parent}", fork.step, fork_text(state, fork)) if fork else None,
        curvature_label=OPTION_LABELS[run.curvature],
        **set_numbers(leg.optimizer, leg.choices, leg.hyper),
    )


def _at_frames(run: NetworkRun, column: NDArray[np.float32], at_frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """A column of every step, filled at the frames where the optimizer itself does not evaluate it."""
    steps, filled = run.record.frames.step[:-1], column.copy()
    filled[steps] = np.where(np.isnan(column[steps]), at_frames[:-1], column[steps])
    return filled


def _plane(run: NetworkRun) -> RunPlane:
    record = run.record
    log_loss, floor = log_above_floor(record.plane_loss)
    x, y = ((float(ticks[0]), float(ticks[-1])) for ticks in (record.plane_x, record.plane_y))
    return RunPlane(x, y, log_loss, floor, (float(record.explained[0]), float(record.explained[1])))


def _frames(run: NetworkRun) -> RunFrames:
    frames = run.record.frames
    # The end of the run starts no step, so that its slice is NaN whatever is taken from it.
    here = np.append(run.record.info.loss, np.nan)[frames.step]
    return RunFrames(
        train_loss=frames.train_loss,
        validation_loss=frames.validation_loss,
        train_metric=frames.train_metric,
        validation_metric=frames.validation_metric,
        ratio_same=frames.ratio_same,
        ratio_fresh=frames.ratio_fresh,
        ratio_full=frames.ratio_full,
        slice_low=frames.slice_low,
        slice_high=frames.slice_high,
        slice_change=frames.slice - here[:, None],
    )
