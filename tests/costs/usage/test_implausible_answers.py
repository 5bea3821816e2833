"""An answer that would remove what is settled is held until somebody accepts it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from costs.models import ReadDay
from costs.usage.writing import ImplausibleAnswerError, Written
from tests.costs.usage.answers import NOW, TODAY, stored, usage, write
from tests.factories import make_project, make_provider

pytestmark = pytest.mark.django_db


FIRST_SETTLED = TODAY - timedelta(days=4)


def test_empty_answer_where_rows_stand_is_held() -> None:
    """An empty answer is more likely a mistake than the truth, however young the days."""
    project = make_project()
    write(project.provider, usage(project, day=TODAY), first=TODAY, last=TODAY)

    with pytest.raises(ImplausibleAnswerError, match="empty, but 1 row"):
        write(project.provider, first=TODAY, last=TODAY)

    assert [row[0] for row in stored(project.provider).values()] == [100]


def test_held_answer_does_not_count_as_read() -> None:
    """A held day keeps the moment at which it was really read."""
    project = make_project()
    write(project.provider, usage(project))

    with pytest.raises(ImplausibleAnswerError):
        write(project.provider, read_at=NOW + timedelta(hours=1))

    assert ReadDay.objects.get().read_at == NOW


def test_empty_answer_where_nothing_stands_is_fine() -> None:
    """A new workspace has no usage."""
    assert write(make_provider()) == Written(0, 0, 0)


def test_empty_answer_over_rows_of_zeros_is_fine() -> None:
    """What became zero knowingly is not held again."""
    project = make_project()
    write(project.provider, usage(project))
    write(project.provider, accept_implausible=True)

    assert write(project.provider) == Written(0, 0, 0)


def test_accepted_answer_is_applied() -> None:
    """A person may say that the answer is right."""
    project = make_project()
    write(project.provider, usage(project))

    assert write(project.provider, accept_implausible=True) == Written(0, 1, 0)


@pytest.mark.parametrize(
    ("what", "figures"),
    [
        ("rows", None),
        ("credits", {"credits": Decimal("39.9999")}),
        ("cost", {"cost": Decimal("0.0079999999")}),
        ("cost", {"cost": None}),
        ("credits", {"credits": None}),
    ],
    ids=str,
)
def test_answer_that_removes_over_half_of_old_days_is_held(what: str, figures: dict[str, Any] | None) -> None:
    """Losing more than half of the rows, the credits or the cost of days over three days old needs a look."""
    project = make_project()
    rows = [usage(project, day=FIRST_SETTLED, model=f"m{number}") for number in range(5)]
    window: dict[str, Any] = {"first": FIRST_SETTLED, "last": FIRST_SETTLED}
    write(project.provider, *rows, **window)
    before = stored(project.provider)
    if figures is None:
        # Two rows of five, with all the credits and the cost.
        answer = [
            usage(project, day=FIRST_SETTLED, model=f"m{n}", credits=Decimal(250), cost=Decimal("0.05")) for n in (0, 1)
        ]
    else:
        answer = [usage(project, day=FIRST_SETTLED, model=f"m{n}", **figures) for n in range(5)]

    with pytest.raises(ImplausibleAnswerError, match=f"more than half of the {what}"):
        write(project.provider, *answer, **window)

    assert stored(project.provider) == before


def test_answer_that_removes_exactly_half_is_applied() -> None:
    """Half is not over half."""
    project = make_project()
    write(project.provider, usage(project), usage(project, model="x"))

    written = write(project.provider, usage(project))

    assert written == Written(inserted=0, changed=1, unchanged=1)


def test_loss_on_days_of_the_last_three_is_applied() -> None:
    """Young days are still being restated."""
    project = make_project()
    young = FIRST_SETTLED + timedelta(days=1)
    rows = [usage(project, day=young, model=f"m{number}") for number in range(5)]
    write(project.provider, *rows, first=young, last=young)

    written = write(project.provider, rows[0], first=young, last=young)

    assert written == Written(inserted=0, changed=4, unchanged=1)


def test_growth_elsewhere_does_not_hide_a_loss_of_old_days() -> None:
    """Young days of the same answer don't count towards what stands of the old ones."""
    project = make_project()
    window: dict[str, Any] = {"first": FIRST_SETTLED, "last": TODAY}
    write(project.provider, *(usage(project, day=FIRST_SETTLED, model=f"m{number}") for number in range(5)), **window)

    with pytest.raises(ImplausibleAnswerError):
        write(
            project.provider,
            *(usage(project, day=TODAY, model=f"m{number}", credits=Decimal(10_000)) for number in range(20)),
            **window,
        )


def test_other_providers_rows_do_not_make_an_answer_plausible() -> None:
    """What is compared is the provider's own."""
    mine, other = make_project(), make_project()
    write(mine.provider, *(usage(mine, model=f"m{number}") for number in range(5)))
    write(other.provider, *(usage(other, model=f"m{number}") for number in range(50)))

    with pytest.raises(ImplausibleAnswerError):
        write(mine.provider, usage(mine, model="m0"))
