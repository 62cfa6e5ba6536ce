"""The names of a lab's runs, of their choices and numbers, as the picture and the tables show them."""

from qlr_core.curvature import CURVATURES
from qlr_core.notation import written
from qlr_core.optimizers import optimizer_named
from qlr_core.optimizers.quadratic_lr import DAMPING_RULES
from qlr_core.ranges import ranges_of
from qlr_ui.lab.run_setting import ForkSetting, HasRuns, RunSetting, settings_of

METRIC_LABELS = {"accuracy": "Accuracy", "rmse": "RMSE"}
OPTION_LABELS = {item.name: item.label for item in (*CURVATURES, *DAMPING_RULES)}


def run_labels(state: HasRuns) -> list[str]:
    """A name for every run, forks last: its optimizer, and what sets it apart from others of its kind."""
    return [_filled(template, setting) for template, setting in zip(run_templates(state), settings_of(state), strict=True)]


def run_templates(state: HasRuns) -> list[str]:
    """The names with ``{learning_rate}`` and the like for a number in them, so that a name follows the number."""
    templates = [_template(state.runs, run) for run in state.runs]
    labels = [_filled(template, run) for template, run in zip(templates, state.runs, strict=True)]
    for place, label in enumerate(labels):
        before = labels[:place].count(label)
        if before:
            templates[place] += f" #{before + 1}"
    return templates + [f"{optimizer_named(fork.setting.optimizer).label} from step {fork.step}" for fork in state.forks]


def _filled(template: str, run: RunSetting) -> str:
    numbers = {name: knob.default for name, knob in ranges_of(optimizer_named(run.optimizer).hyper).items()} | dict(run.values)
    return template.format_map({name: written(value) for name, value in numbers.items()})


def _template(runs: tuple[RunSetting, ...], run: RunSetting) -> str:
    spec = optimizer_named(run.optimizer)
    if spec.kind == "first_order":
        return f"{spec.label} {{learning_rate}}"
    if not any(other.optimizer == run.optimizer and other != run for other in runs):
        return spec.label
    knobs = ranges_of(spec.hyper)
    numbers = [f"{knobs[name].symbol} {{{name}}}" for name, _ in run.values[:2]]
    parts = [OPTION_LABELS[option].lower() for _, option in run.choices] + numbers
    return f"{spec.label} ({', '.join(parts)})" if parts else spec.label


def changes(run: RunSetting) -> list[str]:
    """The numbers of a run that are not at their defaults, as "λ₀ 0.1"."""
    knobs = ranges_of(optimizer_named(run.optimizer).hyper)
    return [f"{knobs[name].symbol} {written(value)}" for name, value in run.values]


def fork_text(state: HasRuns, fork: ForkSetting) -> str:
    """What a fork changed, in a few words."""
    before, after = settings_of(state)[fork.parent], fork.setting
    spec = optimizer_named(after.optimizer)
    if before.optimizer != after.optimizer:
        return f"{spec.label} takes over"
    old, knobs = dict(before.values), ranges_of(spec.hyper)
    # What is carried on is λ by now, not λ₀.
    words = [] if fork.carried is None else [f"{knobs[spec.carried].symbol.removesuffix('₀')} {written(fork.carried)}"]
    new = [(name, value) for name, value in after.values if old.get(name) != value and name != spec.carried]
    return ", ".join([*words, *(f"{knobs[name].symbol} {written(value)}" for name, value in new)]) or "as before"
