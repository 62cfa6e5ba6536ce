"""A run's legs, and whose settings they have: two walks through the same forks that must agree."""

from hypothesis import given
from hypothesis import strategies as some

from qlr_core.optimizers import optimizer_named
from qlr_core.ranges import knobs_with
from qlr_ui.lab.legs import legs_of, owners_of
from qlr_ui.lab.run_setting import ForkSetting, RunSetting, settings_of
from qlr_ui.surface.state import LabState

STEPS = 4  # few, so that forks often begin where others do


@some.composite
def labs(draw: some.DrawFn) -> LabState:
    """Runs and forks that all have numbers of their own, by which a leg is known."""
    count = draw(some.integers(1, 2))
    names = draw(some.lists(some.sampled_from(("adam_qlr", "adam")), min_size=count + 1, max_size=count + 5))
    rates = {"adam_qlr": "initial_damping", "adam": "learning_rate"}
    settings = [RunSetting(name, (), ((rates[name], 0.1 + place / 100),)) for place, name in enumerate(names)]
    forks = tuple(
        ForkSetting(draw(some.integers(0, place - 1)), draw(some.integers(0, STEPS)), setting)
        for place, setting in enumerate(settings[count:], start=count)
    )
    return LabState(runs=tuple(settings[:count]), forks=forks)


@given(labs())
def test_every_leg_has_the_numbers_of_the_run_that_owns_it(state: LabState) -> None:
    def choices_of(setting: RunSetting) -> tuple[tuple[str, str], ...]:
        return optimizer_named(setting.optimizer).resolved(setting.choices)

    settings, legs, owners = settings_of(state), legs_of(state, choices_of), owners_of(state)
    assert len(legs) == len(owners) == len(settings)
    for place, (history, owned) in enumerate(zip(legs, owners, strict=True)):
        made = [settings[owner] for owner in owned]
        assert [leg.hyper for leg in history] == [
            knobs_with(optimizer_named(setting.optimizer).hyper, **dict(setting.values)) for setting in made
        ]
        assert owned[-1] == place
        # A leg is where its owner's own begins.
        assert [leg.step for leg in history] == [legs[owner][-1].step for owner in owned]
