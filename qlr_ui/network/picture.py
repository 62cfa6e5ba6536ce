"""From runs of small networks to what the step player draws: plain arrays and sentences."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from qlr_core.networks.outcome import network_outcome
from qlr_core.networks.pictures import CURVE_POINTS, Frames, picture_reach, picture_side
from qlr_core.networks.problem import NetworkProblem, network_problem, rows_a_step
from qlr_core.networks.run import NetworkRun
from qlr_ui.lab.labels import METRIC_LABELS
from qlr_ui.lab.picture import about_run, fork_options, log_above_floor, opening_view, ranges_by_optimizer
from qlr_ui.lab.run_setting import not_installed
from qlr_ui.network.state import NetworkState
from qlr_ui.player import (
    CurveView,
    DigitsView,
    NetworkLesson,
    NetworkPlayerRun,
    PlaneView,
    RunAbout,
    RunFrames,
    RunPlane,
    RunRest,
    columns_of,
    encode_network,
)

# The pixels of the packaged digits go from 0 to this.
_DIGITS_MAXIMUM = 16.0


@dataclass(frozen=True)
class Rest:
    """Where the player rests between two frames: a run by its place, and the frame of that step."""

    place: int
    frame: Frames


def network_picture(
    state: NetworkState,
    runs: list[NetworkRun],
    view: Mapping[str, str],
    rest: Rest | None = None,
    revision: int = 0,
    sentence: tuple[str, str] | None = None,
) -> bytes:
    """The player's payload; ``view`` is what a link says of what is seen, ``sentence`` what to look for."""
    problem = network_problem(state.lab)
    drawn = tuple(_run(problem, run, _about(state, place, run), _frame_of(rest, place)) for place, run in enumerate(runs))
    lesson = NetworkLesson(
        title=problem.dataset.label,
        formula=formula(problem),
        metric=METRIC_LABELS[problem.dataset.metric],
        frame_steps=runs[0].record.frames.step,
        view=_view(problem),
        runs=drawn,
        ranges=ranges_by_optimizer(state),
        state=opening_view(view, [run.about.id for run in drawn]),
        fork_options=fork_options(not_installed),
        revision=revision,
        sentence=sentence,
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


def _frame_of(rest: Rest | None, place: int) -> Frames | None:
    return rest.frame if rest is not None and rest.place == place else None


def _run(problem: NetworkProblem, run: NetworkRun, about: RunAbout, rest: Frames | None) -> NetworkPlayerRun:
    record, info = run.record, run.record.info
    # The last frame starts no step.
    moments = [jax.tree.map(lambda leaf: leaf[:-1], record.frames), *([] if rest is None else [rest])]

    def known(column: NDArray[np.float32], measured: Callable[[Frames], NDArray[np.float32]]) -> NDArray[np.float32]:
        """A column of every step, filled at the moments where the optimizer itself does not evaluate it."""
        filled = column.copy()
        for moment in moments:
            filled[moment.step] = np.where(np.isnan(column[moment.step]), measured(moment), column[moment.step])
        return filled

    path = np.full((len(info.loss) + 1, 2), np.nan, np.float32)
    path[record.path_step] = record.path
    filled = info._replace(
        curvature=known(info.curvature, lambda moment: moment.curvature),
        predicted_change=known(info.predicted_change, lambda moment: moment.predicted_change),
        actual_change=known(info.actual_change, lambda moment: moment.ratio_same * moment.predicted_change),
    )
    return NetworkPlayerRun(
        about=about,
        position=path[:-1],
        final=(float(path[-1, 0]), float(path[-1, 1]), float(record.frames.train_loss[-1]), float(info.next_damping[-1])),
        plane=_plane(run),
        frames=_frames(run, record.frames),
        picture=_picture(problem, record.frames),
        rest=None if rest is None else RunRest(int(rest.step[0]), _frames(run, rest), _picture(problem, rest)),
        **columns_of(filled),
    )


def _picture(problem: NetworkProblem, frames: Frames) -> NDArray[Any] | None:
    return frames.picture if problem.dataset.view != "none" else None


def _about(state: NetworkState, place: int, run: NetworkRun) -> RunAbout:
    outcome = network_outcome(run)
    return replace(
        about_run(state, place, run.legs, run.curvature),
        cost_per_step=float(run.record.info.cost[-1]),
        seconds_per_step=run.seconds_per_step,
        status="diverged" if outcome.diverged else "finished",
        status_step=outcome.step if outcome.diverged else None,
        status_text=outcome.message if outcome.diverged else "",
    )


def _plane(run: NetworkRun) -> RunPlane:
    record = run.record
    log_loss, floor = log_above_floor(record.plane_loss)
    x, y = ((float(ticks[0]), float(ticks[-1])) for ticks in (record.plane_x, record.plane_y))
    return RunPlane(x, y, log_loss, floor, (float(record.explained[0]), float(record.explained[1])))


def _frames(run: NetworkRun, frames: Frames) -> RunFrames:
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
