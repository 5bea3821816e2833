"""The colours of charts: the same for a company everywhere, and told apart by everybody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations, pairwise
from math import dist
from random import Random

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from costs.pages.colours import SLOTS, Look, looks, slots_of
from costs.reports.series import Series

Colour = tuple[float, ...]
# What is seen with full colour vision and without red, green or blue cones (Machado and others, 2009).
VISIONS = (
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
)


def of(*groups: object) -> list[Series]:
    return [Series(str(group), {}, group) for group in groups]


def linear(colour: str) -> Colour:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return tuple(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)


def luminance(colour: str) -> float:
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear(colour), strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def oklab(rgb: Iterable[float]) -> Colour:
    """Coordinates in which distances are as large as they look."""
    red, green, blue = (min(max(part, 0), 1) for part in rgb)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    middle = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def seen(colour: str) -> list[Colour]:
    rgb = linear(colour)
    return [oklab(sum(a * b for a, b in zip(row, rgb, strict=True)) for row in vision) for vision in VISIONS]


def palette(theme: int) -> list[str]:
    """The style sheet's colours, of the light theme (0) or the dark one (1)."""
    css = (django_settings.BASE_DIR / "templates" / "static" / "administrate" / "base.css").read_text()
    found = re.findall(r"--series-\w+: light-dark\((#\w{6}), (#\w{6})\)", css)
    assert len(found) == SLOTS + 2
    return [pair[theme] for pair in found]


@given(st.sets(st.integers(1, 60), min_size=1, max_size=10), st.randoms())
@settings(max_examples=50)
def test_a_company_has_one_colour_in_every_chart(drawn: set[int], random: Random) -> None:
    """Of sixty, whatever else is drawn and in which order; neighbours are told apart by stripes."""
    pks = sorted(drawn)
    random.shuffle(pks)

    found = looks(of(*pks), "company_id")

    assert [look.colour for look in found] == [looks(of(pk), "company_id")[0].colour for pk in pks]
    assert all(one != other for one, other in pairwise(found))


def test_companies_of_one_colour_in_a_chart_are_striped() -> None:
    """The largest is plain; the fourth begins anew."""
    found = looks(of(25, 1, 2, 13, 37), "company_id")

    assert found == [Look("1"), Look("1", "thin"), Look("2"), Look("1", "wide"), Look("1")]


def test_no_two_of_twelve_keys_share_a_colour() -> None:
    """Ids that ask for the same one are told apart; the earlier one keeps it."""
    slots = slots_of([1, 13, 25, 2, 14, 26, 3, 15, 27, 4, 16, 28])

    assert sorted(slots.values()) == list(range(1, SLOTS + 1))
    assert slots[1] == 1


def test_what_is_unassigned_and_the_rest_have_neutral_colours() -> None:
    """Of their own."""
    found = looks([*of(1, None), Series("Other", {}, is_rest=True)], "company_id")

    assert found == [Look("1"), Look("unassigned"), Look("other")]


def test_a_model_has_the_same_colour_after_a_restart() -> None:
    """Its colour comes from its name, by a sum that is the same in every process."""
    assert slots_of(["eleven_flash_v2_5"]) == {"eleven_flash_v2_5": 6}


@pytest.mark.parametrize(("theme", "surface"), [(0, "#ffffff"), (1, "#0d1117")])
def test_colours_are_told_apart_by_colour_blind_people(theme: int, surface: str) -> None:
    """From each other and from the page, in both themes."""
    shades = palette(theme)

    assert min(contrast(shade, surface) for shade in shades) >= 3
    nearest = min(
        dist(*pair) for one, other in combinations(shades, 2) for pair in zip(seen(one), seen(other), strict=True)
    )
    assert nearest > 0.065
