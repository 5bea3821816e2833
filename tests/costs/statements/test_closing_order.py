"""Which months can be closed at all, which one is offered first, and what a person is told before."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from core.months import months_between
from costs.models import ClosedMonth
from costs.pages.closing_words import status_label
from costs.statements.closing import State, month_statuses, next_to_close
from providers.models import Provider
from tests.costs.worlds import (
    AUGUST,
    LATER,
    OCTOBER,
    SEPTEMBER,
    close,
    make_acme,
    make_key,
    make_settled,
    not_closable,
    status,
)
from tests.factories import NOW, TODAY, make_company, make_read_days, make_usage
from tests.pages import page_of
from tests.providers.commands import refused, run

pytestmark = pytest.mark.django_db

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
BEHIND = "can't be closed any more"


def offered() -> date | None:
    providers = list(Provider.objects.all())
    found = next_to_close(month_statuses(months_between(JUNE, OCTOBER), providers=providers, now=NOW))
    return found.month if found else None


# What was not read ----------------------------------------------------------------------------------------------------


def test_month_between_others_that_was_never_read_is_not_closed(now: datetime) -> None:
    """A day of June was read again on demand, and July lies before the history: ElevenLabs may know usage of it."""
    provider = make_settled(AUGUST, TODAY, name="Production")
    make_read_days(provider=provider, first=JUNE, last=JUNE, read_at=LATER)
    make_usage(project=make_key(make_company(), provider=provider), day=JUNE)

    assert (status(JULY).state, status_label(status(JULY)), status(JULY).resync) == (
        State.WAITING,
        "Not read",
        (provider,),
    )
    with not_closable("31 days of July 2026 have not been read"):
        close(JULY)
    assert not ClosedMonth.objects.exists()


def test_command_says_what_was_not_read(now: datetime, db: None) -> None:
    """In one line, and what to do."""
    provider = make_settled(AUGUST, TODAY, name="Production")
    make_usage(project=make_key(make_company(), provider=provider), day=JUNE)

    said = refused("close_month", "--month", "2026-07", code=1)

    assert "Production: 31 days of July 2026 have not been read: its history begins on 1 Aug 2026." in said
    assert "Re-sync them on its page, under Manage." in said


def test_page_says_what_was_not_read_and_leads_there(signed_in: Client) -> None:
    """With a button for each workspace that nothing reads by itself."""
    provider = make_settled(AUGUST, TODAY, name="Production")
    make_usage(project=make_key(make_company(), provider=provider), day=JUNE)

    page = signed_in.get("/statements/2026-07/close/").content.decode()

    assert "31 days of July 2026 have not been read" in page
    assert f'href="/providers/{provider.pk}/resync/?from=2026-07-01&amp;to=2026-07-31"' in page


def test_month_that_was_read_by_hand_is_closed(now: datetime) -> None:
    """Whatever the history of the workspace: it is the reading that counts."""
    provider = make_settled(AUGUST, TODAY)
    make_read_days(provider=provider, first=JULY, last=date(2026, 7, 31), read_at=LATER)
    make_usage(project=make_key(make_company(), provider=provider), day=JULY)

    assert status(JULY).state is State.READY


# Which one is offered -------------------------------------------------------------------------------------------------


def test_first_month_with_usage_is_offered() -> None:
    """Not the empty ones before it, nor a later one."""
    provider = make_settled(JUNE, TODAY)
    make_usage(project=make_key(make_company(), provider=provider), day=AUGUST)

    assert offered() == AUGUST


def test_latest_settled_month_is_offered_where_none_has_usage() -> None:
    """There is nothing that would be left behind."""
    make_settled(JUNE, TODAY)

    assert offered() == OCTOBER


def test_next_month_is_offered_once_one_is_closed() -> None:
    """Whether it has usage or not."""
    provider = make_settled(JUNE, TODAY)
    make_usage(project=make_key(make_company(), provider=provider), day=OCTOBER)
    close(JULY)

    assert offered() == AUGUST


# What a person is told ------------------------------------------------------------------------------------------------


def test_page_names_the_months_that_are_left_behind(signed_in: Client) -> None:
    """And those of them whose usage will be on no statement."""
    _acme, key = make_acme()
    make_usage(project=key, day=SEPTEMBER)
    make_usage(project=key, day=OCTOBER)

    page = page_of(signed_in, "/statements/2026-10/close/").replace("&#x27;", "'")

    assert (
        "Closing begins with October 2026: August 2026 and September 2026 can't be closed any more after it, "
        "nor can any month before. Usage of September 2026 will be on no statement." in page
    )


def test_page_names_many_months_by_the_first_and_the_last(signed_in: Client) -> None:
    """As there is none between them that is not meant."""
    make_settled(JUNE, TODAY)

    page = page_of(signed_in, "/statements/2026-10/close/").replace("&#x27;", "'")

    assert "Closing begins with October 2026: June 2026 to September 2026 can't be closed any more" in page


@pytest.mark.parametrize("month", ["2026-08", "2026-10"])
def test_nothing_is_left_behind_by_the_first_month_or_by_the_next(signed_in: Client, month: str) -> None:
    """August is the first that is known; October follows what is closed."""
    make_acme()
    if month == "2026-10":
        close(SEPTEMBER)

    page = page_of(signed_in, f"/statements/{month}/close/").replace("&#x27;", "'")

    assert "will be frozen" in page
    assert BEHIND not in page


def test_command_names_what_it_leaves_behind_and_what_is_unassigned(now: datetime, db: None) -> None:
    """On standard error."""
    _acme, key = make_acme()
    make_usage(project=make_key(None, provider=key.provider), day=OCTOBER, cost=Decimal("0.25"))

    code, out, err = run("close_month", "--month", "2026-10")

    assert (code, out) == (0, "October 2026 is closed: 0 statements.\n")
    assert "Closing begins with October 2026: August 2026 and September 2026 can't be closed any more" in err
    assert "There is $0.25 of unassigned usage, which is on nobody's statement." in err


def test_unassigned_money_is_warned_of_before_closing(signed_in: Client) -> None:
    """Among the warnings, in every currency that it has."""
    _acme, key = make_acme()
    nobodys = make_key(None, provider=key.provider)
    make_usage(project=nobodys, day=OCTOBER, cost=Decimal("0.25"))
    make_usage(project=nobodys, day=OCTOBER, model="other", cost=Decimal(3), currency="eur")

    page = signed_in.get("/statements/2026-10/close/").content.decode()

    assert "There is €3.00 and $0.25 of unassigned usage" in page[page.index("notice--warn") : page.index("figures")]


def test_month_that_holds_only_unknown_usage_is_offered_first() -> None:
    """Something was used there that tells no figure at all."""
    key = make_key(make_company(), provider=make_settled(AUGUST))
    make_usage(project=key, day=SEPTEMBER, cost=None, credits=None, minutes=None, requests=None)

    assert offered() == SEPTEMBER
