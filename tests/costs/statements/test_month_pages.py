"""The pages of months: which are open, closing one, and what each company owes."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from costs.models import ClosedMonth, Statement
from costs.statements.closing import close_month
from tests.costs.worlds import (
    AUGUST,
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    close,
    make_acme,
    make_key,
    make_settled,
    path_of,
    reassign,
    restate,
)
from tests.factories import NOW, make_company, make_provider, make_usage, make_user
from tests.pages import cells, page_of, printed, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

SUMS = ("Cost (USD)", "Mark-up (USD)", "Total with mark-up (USD)")


def test_months_are_listed_with_how_they_stand(signed_in: Client) -> None:
    """Newest first, with what is on statements and what is on none."""
    acme, key = make_acme()
    for month in (AUGUST, SEPTEMBER, OCTOBER, NOVEMBER):
        make_usage(project=key, day=month, cost=Decimal(month.month))
        make_usage(project=make_key(None, provider=key.provider), day=month, cost=Decimal(1))
    close_month(month=AUGUST, now=NOW)
    close_month(month=SEPTEMBER, now=NOW, closed_by=make_user(username="erin"))

    rows = cells(signed_in, "/statements/?csv=months", "Status", "Cost on statements (USD)", "Unassigned now (USD)")

    assert list(rows.items()) == [
        ("November 2026", ("Open", "11", "1")),
        ("October 2026", ("Ready to close", "10", "1")),
        ("September 2026", ("Closed 22 Nov 2026, 12:30 UTC by erin", "9", "1")),
        ("August 2026", ("Closed 22 Nov 2026, 12:30 UTC", "8", "1")),
    ]
    assert "October 2026 $10.00 $1.00 Ready to close : October 2026" in page_of(signed_in, "/statements/")
    assert "Close October 2026…" in page_of(signed_in, "/statements/")
    assert page_of(signed_in, f"/companies/{acme.pk}/statements/").count("Draft") == 2


def test_no_months_without_a_provider(signed_in: Client) -> None:
    """Nothing to list, and nothing breaks."""
    assert "Nothing yet. Months appear once a provider is connected." in page_of(signed_in, "/statements/")


def test_months_come_in_pages(signed_in: Client) -> None:
    """Two years on each."""
    make_provider(history_from=date(2023, 1, 1))

    assert "1–24 of 47" in page_of(signed_in, "/statements/")
    assert "January 2023" in page_of(signed_in, "/statements/?page=2")


def test_month_shows_every_company_and_what_is_on_no_statement(signed_in: Client) -> None:
    """With totals, and the link to each statement."""
    _acme, key = make_acme()
    globex = make_company(name="Globex")
    make_usage(project=key, day=OCTOBER, cost=Decimal(10))
    make_usage(project=make_key(globex, provider=key.provider), day=OCTOBER, cost=Decimal(3))
    make_usage(project=make_key(None, provider=key.provider), day=OCTOBER, cost=Decimal("0.25"))

    answer = signed_in.get("/statements/2026-10/")
    page = text_of(answer.content)

    assert "On statements $13.00 2 statements With mark-up $15.00" in page
    assert "Unassigned $0.25 on nobody's statement" in page
    assert printed(signed_in, "/statements/2026-10/", "Company") == [
        ("Acme", "$10.00", "$2.00", "$12.00"),
        ("Globex", "$3.00", "None", "$3.00"),
        ("Total", "$13.00", "$2.00", "$15.00"),
    ]
    assert f'href="{path_of(globex)}"' in answer.content.decode()


def test_closed_month_tells_what_has_changed_since(signed_in: Client) -> None:
    """Until the next statement carries it."""
    _acme, key = make_acme()
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    close(SEPTEMBER)
    reassign(key, make_company(name="Globex"))

    before = page_of(signed_in, "/statements/2026-09/")
    changed = cells(signed_in, "/statements/2026-09/?csv=changed", "Reason", "Change of the cost (USD)")
    close(OCTOBER)
    after = page_of(signed_in, "/statements/2026-09/")

    reason = "Restated, priced late or reassigned since"
    assert "Changed since it was closed" in before
    assert f"Acme −$10.00 {reason}" in before
    assert list(changed.items()) == [("Acme", (reason, "-10")), ("Globex", (reason, "10"))]
    assert "Changed since" not in after
    assert "On statements $10.00" in after


def test_list_of_a_company_matches_its_statements(signed_in: Client) -> None:
    """Frozen months as frozen; the next one with what it carries."""
    acme, key = make_acme()
    usage = make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    make_usage(project=key, day=OCTOBER, cost=Decimal(5))
    make_usage(project=key, day=NOVEMBER, cost=None)
    close(SEPTEMBER)
    restate(usage, Decimal(8))

    rows = cells(signed_in, f"/companies/{acme.pk}/statements/?csv=statements", "Status", *SUMS, "Notes")

    unpriced = "ElevenLabs has not priced this yet; it can take 24 hours"
    notes = ". ".join(f"{figure}: {unpriced}" for figure in ("Cost", "Mark-up", "Total with mark-up"))
    assert list(rows.items()) == [
        ("November 2026", ("Draft", "", "", "", notes)),
        ("October 2026", ("Draft", "3", "0.6", "3.6", "")),
        ("September 2026", ("Closed on 22 Nov 2026", "10", "2", "12", "")),
    ]


def test_company_that_only_has_an_adjustment_is_listed(signed_in: Client) -> None:
    """A month without usage still has a statement then."""
    _acme, key = make_acme(markup_percent=None)
    make_usage(project=key, day=SEPTEMBER, cost=Decimal(10))
    close(SEPTEMBER)
    globex = make_company(name="Globex")
    reassign(key, globex)

    listed = cells(signed_in, f"/companies/{globex.pk}/statements/?csv=statements", "Status", "Cost (USD)")
    assert listed["October 2026"] == ("Draft", "10")
    assert "Adjustments to closed months $10.00 Cost $10.00" in page_of(signed_in, path_of(globex))


# Closing --------------------------------------------------------------------------------------------------------------


def test_month_is_closed_by_one_button(signed_in: Client) -> None:
    """After a page that says what is frozen, what goes on, and what is left out."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, cost=Decimal(10))
    make_usage(project=key, day=OCTOBER, model="late", cost=None)
    make_usage(project=make_key(None, provider=key.provider), day=OCTOBER, cost=Decimal("0.25"))

    asked = page_of(signed_in, "/statements/2026-10/close/")
    done = signed_in.post("/statements/2026-10/close/", follow=True)

    assert "There is $0.25 of unassigned usage, which is on nobody" in asked
    assert "Acme: 1 line of usage has no price yet." in asked
    assert "carried by the statements of November 2026" in asked
    assert done.redirect_chain == [("/statements/2026-10/", 302)]
    assert "October 2026 is closed: 1 statement is frozen." in text_of(done.content)
    closed = ClosedMonth.objects.get()
    assert closed.closed_by is not None
    assert (closed.month, closed.closed_by.username, closed.closed_at) == (OCTOBER, "operator", NOW)


def test_asking_closes_nothing(signed_in: Client) -> None:
    """Only the button does."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)

    signed_in.get("/statements/2026-10/close/")
    signed_in.head("/statements/2026-10/close/")

    assert not ClosedMonth.objects.exists()
    assert signed_in.put("/statements/2026-10/close/").status_code == 405


def test_month_that_has_not_settled_offers_no_button(signed_in: Client) -> None:
    """It says whose days are missing; pressed all the same, it is refused."""
    make_settled(AUGUST, date(2026, 10, 29), name="Production")
    sentence = "Production: 2 days of October 2026 have not been read since they settled."

    asked = signed_in.get("/statements/2026-10/close/")
    pressed = signed_in.post("/statements/2026-10/close/")

    assert sentence in text_of(asked.content)
    assert b"<form class=" not in asked.content[asked.content.index(b"<main") :]
    assert pressed.status_code == 422
    assert f"There is a problem {sentence}" in text_of(pressed.content)
    assert b"<title>Error: " in pressed.content
    assert not ClosedMonth.objects.exists()


def test_month_that_somebody_else_has_closed_leads_to_it(signed_in: Client) -> None:
    """Nothing is done twice."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    close()

    pressed = signed_in.post("/statements/2026-10/close/", follow=True)
    asked = signed_in.get("/statements/2026-10/close/")

    assert "October 2026 is already closed." in text_of(pressed.content)
    assert asked.headers["Location"] == "/statements/2026-10/"
    assert Statement.objects.count() == 1


def test_stranger_is_sent_to_sign_in(client: Client, db: None, now: datetime) -> None:
    """No statement without a sign-in."""
    for path in ("/statements/", "/statements/2026-10/", "/statements/2026-10/close/", "/companies/1/statements/"):
        assert client.get(path).status_code == 302
