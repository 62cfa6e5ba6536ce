"""The documentation's gallery, written while the site is built: every optimizer of the registry, with a run to look at.

A hook of MkDocs. An optimizer that is new in the registry has its place, picture included, without a line here.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from mkdocs.structure.files import File, Files
from numpy.typing import NDArray
from picture import Landscape, path_picture

from qlr_core.commands.reference import row_start
from qlr_core.notation import written
from qlr_core.optimizers import OPTIMIZERS
from qlr_core.optimizers.base import OptimizerSpec
from qlr_core.ranges import knobs_with, ranges_of
from qlr_core.surfaces import surface_named
from qlr_core.surfaces.run import default_choices, run_surface
from qlr_core.surfaces.values import landscape
from qlr_ui.theme import style_of

SURFACE = surface_named("rosenbrock")
STEPS = 300
# How many learning rates are tried of an optimizer that has one to tune, over its slider's range.
RATES = 31
# Pixels across a unit of the surface, and points of the landscape in it.
SCALE, POINTS = 100, 50
# Of a picture on the page, in pixels.
WIDTH = 400

INTRODUCTION = f"""# Gallery

<!-- Written by docs/gallery.py from the registry of optimizers. -->

Every optimizer of the registry: its direction d, when to choose it, its choices and its numbers. Each picture is a run of
{STEPS} steps on {SURFACE.label}, {SURFACE.formula} with a = 1 and b = 100, made while this page was built: color is f on a log
scale, lighter is lower, a dot is a step, the ring is where the run starts and the cross is the minimum. One run says nothing of
which method is better: look at how each of them moves. [How to choose](choose.md) goes on from there.

"""


class Shown(NamedTuple):
    """The run that stands for an optimizer: its path, f at both ends, and the learning rate where one was searched for."""

    positions: NDArray[np.float64]
    first_loss: float
    final_loss: float
    learning_rate: float | None


def on_files(files: Files, config: Any) -> Files:
    """Adds the page and its pictures to the files of the site."""
    x, y = SURFACE.window
    ground = landscape(
        SURFACE, SURFACE.default_parameters, SURFACE.window, *(round(POINTS * (high - low)) for low, high in (x, y))
    )
    minima = tuple((float(a), float(b)) for a, b in SURFACE.minima(SURFACE.default_parameters))
    seen = Landscape(ground, SURFACE.window, SCALE, minima)
    page = INTRODUCTION
    for spec in OPTIMIZERS:
        run = None if spec.unavailable() else shown(spec)
        page += entry(spec, run)
        if run is not None:
            style = style_of(spec.name)
            picture = path_picture(seen, run.positions, style.light, _alternative(spec))
            files.append(File.generated(config, f"gallery/{spec.name}.svg", content=picture))
    files.append(File.generated(config, "gallery.md", content=page))
    return files


def shown(spec: OptimizerSpec) -> Shown:
    """A run with the default numbers; of learning rates to tune the one that ends lowest without leaving the picture."""
    rates: tuple[float | None, ...] = (None,)
    if "learning_rate" in ranges_of(spec.hyper):
        rates = ranges_of(spec.hyper)["learning_rate"].spread(RATES)
    return min((_run(spec, rate) for rate in rates), key=lambda run: (_leaves(run), run.final_loss))


def _leaves(run: Shown) -> bool:
    """Whether the path goes where the picture does not reach, or nowhere at all."""
    ends = np.asarray(SURFACE.window)
    return not bool(np.all((run.positions >= ends[:, 0]) & (run.positions <= ends[:, 1])))


def _run(spec: OptimizerSpec, rate: float | None) -> Shown:
    hyper = knobs_with(spec.hyper, **({} if rate is None else {"learning_rate": rate}))
    choices = default_choices(spec.name, SURFACE, {})
    run = run_surface(SURFACE, SURFACE.default_parameters, SURFACE.start, spec.name, choices, hyper, STEPS)
    # A run that has diverged ends highest.
    losses = np.nan_to_num(run.losses[[0, -1]], nan=math.inf)
    return Shown(run.positions, float(losses[0]), float(losses[1]), rate)


def entry(spec: OptimizerSpec, run: Shown | None) -> str:
    """What the gallery says of an optimizer, in Markdown; without a run, why there is none."""
    parts = [f"## {spec.label} {{ #{spec.name} }}", f"{spec.description} The direction is d = `{spec.direction}`."]
    parts.append(f"**When to choose it.** {spec.choose}")
    if run is None:
        parts.append(f"*No picture: where this page was built, it could not run. {spec.unavailable()}*")
    else:
        parts += [f"![{_alternative(spec)}](gallery/{spec.name}.svg){{ width={WIDTH} }}", f"*{_caption(run)}*"]
    if spec.note:
        parts.append(f"**Note.** {spec.note}")
    if spec.choices:
        parts.append("\n".join(["**Choices**", "", *map(_choice, spec.choices)]))
    parts += [f"**Source.** {spec.source}. In code: `qlr.optimizer_named({spec.name!r})`.", _numbers(spec)]
    return "\n\n".join(parts) + "\n\n"


def _alternative(spec: OptimizerSpec) -> str:
    return f"The path of {spec.label} on {SURFACE.label} in {STEPS} steps"


def _caption(run: Shown) -> str:
    x, y = SURFACE.start
    way = f"From ({written(x)}, {written(y)}), where f = {written(run.first_loss)}, to f = {written(run.final_loss, 2)}."
    if run.learning_rate is None:
        return f"{way} All numbers are at their defaults."
    rates = f"of {RATES} rates across its slider the one that ends lowest, those that leave the picture last"
    return f"{way} α = {written(run.learning_rate, 2)}: {rates}. All other numbers are at their defaults."


def _choice(choice: Any) -> str:
    options = ", ".join(f"`{option}`" + (" (default)" if option == choice.default else "") for option in choice.options)
    return f"- {choice.label} `{choice.name}`: {options}. {choice.help}"


def _numbers(spec: OptimizerSpec) -> str:
    """The table of an optimizer's numbers, folded up."""
    rows = [f"{row_start(name, knob)} {knob.help} |" for name, knob in ranges_of(spec.hyper).items()]
    table = ["| name | symbol | default | slider | off | what it does |", "|---|---|---|---|---|---|", *rows]
    return "\n".join([f'??? note "The numbers of {spec.label}"', "", *(f"    {line}" for line in table)])
