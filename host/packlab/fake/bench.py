"""A fake pack put on a line as the command line describes it: profile, number of cells, scene,
seed, master, faults. `packlab fake` and the tests begin here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from packlab.errors import PacklabError
from packlab.fake import families
from packlab.fake.base import Fake, Profile
from packlab.fake.line import Line
from packlab.faults import Spec
from packlab.made.readings import Source
from packlab.made.scenarios import Beat
from packlab.made.scenes import SCENES, scene
from packlab.made.story import Story

MASTERS = ("none", "controller", "app")
_LEAST_CELLS = 3


@dataclass(frozen=True)
class Order:
    """What is wanted. master: none, the family's own (controller), or that with an app that reads
    the cells, too. cells: None = as many as the profile has."""

    family: str
    profile: str | None = None
    scene: str = "ride"
    cells: int | None = None
    seed: int = 1
    master: str = "controller"
    faults: tuple[Spec, ...] = ()


def build(order: Order, tap: Callable[[Source], Source] = lambda source: source) -> Line:
    """The line, at time 0. `tap` may stand between each pack and its fake. PacklabError for what
    the family cannot have."""
    profile = families.profile(order.family, order.profile)
    if order.scene not in SCENES:
        known = ", ".join(SCENES)
        raise PacklabError(f"there is no scene '{order.scene:.40}'; use one of {known}")
    stories = [_story(order, profile, number) for number in range(profile.packs)]
    fake: Fake = profile.make([tap(story) for story in stories], Random(f"{order.seed}/fake"))
    master = None
    if order.master != "none" and profile.master is not None:
        master = profile.master(stories[0], Random(f"{order.seed}/master"))
    return Line(
        fake,
        stories[0],
        master,
        baud=profile.baud,
        shared_wire=profile.shared_wire,
        is_scooter=profile.is_scooter,
        faults=order.faults,
        seed=order.seed,
    )


def _story(order: Order, profile: Profile, number: int) -> Story:
    spec = replace(profile.spec, series=_cells(order, profile))
    scenario = scene(order.scene, spec, profile.limits)
    if order.master == "app":
        scenario = replace(scenario, beats=_with_app(scenario.beats))
    return Story(scenario, Random(f"{order.seed}/{number}"))


def _cells(order: Order, profile: Profile) -> int:
    cells = profile.spec.series if order.cells is None else order.cells
    if not _LEAST_CELLS <= cells <= profile.most_cells:
        raise PacklabError(
            f"{order.family} in this profile has room for {_LEAST_CELLS} to {profile.most_cells} "
            f"cells, not {cells}; give --cells within that, or another --profile"
        )
    return cells


def _with_app(beats: tuple[Beat, ...]) -> tuple[Beat, ...]:
    """The same with an app that reads from the beginning."""
    first, *others = beats
    changed = Beat(first.start_s, first.title, first.changes | {"app_reads_cells": True})
    return (changed, *others)
