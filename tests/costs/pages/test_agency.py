"""Settings → Agency: who may change it, what it takes, and what becomes of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AuditEntry, Role
from costs.models import ClosedMonth, Letterhead, Logo
from costs.statements.letterheads import letterhead_of
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_acme
from tests.factories import make_usage, make_user
from tests.pages import page_of, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

URL = "/settings/agency/"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 2"><script>1</script><rect width="4" height="2"/></svg>'


def fields(**overrides: Any) -> dict[str, Any]:
    return {
        "name": "Northwind Voice",
        "address": "Main Street 1\r\nBerlin",
        "email": "billing@northwind.example",
        "footer": "VAT DE123",
        "colour": "#0f766e",
        "decimals": "comma",
        "numbers": "{year}-{number}",
    } | overrides


def svg() -> SimpleUploadedFile:
    return SimpleUploadedFile("logo.svg", SVG, "image/svg+xml")


def test_agency_is_saved_and_recorded(signed_in: Client) -> None:
    """With what has changed, before and after."""
    answer = signed_in.post(URL, fields(logo_file=svg()), follow=True)

    assert "Your agency is saved." in text_of(answer.content)
    present = Letterhead.objects.present()
    assert (present.name, present.decimals, present.colour) == ("Northwind Voice", "comma", "#0f766e")
    entry = AuditEntry.objects.get(action="agency.changed")
    assert entry.new["name"] == "Northwind Voice"
    assert "Northwind Voice" in signed_in.get(URL).content.decode()


def test_same_again_makes_no_new_one(signed_in: Client) -> None:
    """A letterhead is a row for every change, and none for a click."""
    signed_in.post(URL, fields(logo_file=svg()))
    signed_in.post(URL, fields())
    signed_in.post(URL, fields(footer=""))

    assert Letterhead.objects.count() == 2
    assert Letterhead.objects.present().logo is not None


def test_logo_can_be_removed(signed_in: Client) -> None:
    """Then it is nowhere to be fetched."""
    signed_in.post(URL, fields(logo_file=svg()))
    before = signed_in.get(f"{URL}logo/").status_code

    signed_in.post(URL, fields(removes_logo="on"))

    assert (before, signed_in.get(f"{URL}logo/").status_code) == (200, 404)


def test_logo_is_served_so_that_nothing_in_it_can_run(signed_in: Client) -> None:
    """Sanitised, typed, sandboxed; and to nobody who is not signed in."""
    signed_in.post(URL, fields(logo_file=svg()))

    answer = signed_in.get(f"{URL}logo/")

    assert answer["Content-Type"] == "image/svg+xml"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert b"script" not in answer.content
    assert Client().get(f"{URL}logo/").status_code == 302


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"logo_file": SimpleUploadedFile("a.gif", b"GIF89a")}, "Send the logo as PNG or SVG."),
        ({"numbers": "{year}"}, "Statement numbers need {number} once."),
        ({"colour": "red"}, "Give a colour as #1f4e9e."),
        ({"email": "nobody"}, "Enter a valid email address."),
        ({"footer": "x" * 501}, "at most 500 characters"),
        ({"footer": "sk_" + "1f2e3d4c" * 6}, "API key"),
    ],
)
def test_what_cannot_be_is_refused(signed_in: Client, wrong: dict[str, Any], sentence: str) -> None:
    """With a sentence at its field, and nothing is saved."""
    answer = signed_in.post(URL, fields(**wrong))

    assert answer.status_code == 422
    assert sentence in text_of(answer.content)
    assert b"<title>Error: " in answer.content
    assert not Letterhead.objects.exists()


def test_only_admins_change_it(client: Client, db: None, now: object) -> None:
    """It is nothing of a Member's daily work."""
    client.force_login(make_user(role=Role.MEMBER))

    assert client.get(URL).status_code == 403
    assert "Agency" not in page_of(client, "/settings/")


def test_month_keeps_the_letterhead_with_which_it_was_closed(signed_in: Client) -> None:
    """One that was closed before there was any has none of its own, and is printed with the present one."""
    _acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    close(SEPTEMBER)
    signed_in.post(URL, fields())

    close(OCTOBER)
    signed_in.post(URL, fields(name="Renamed"))

    october, september = ClosedMonth.objects.all()
    assert letterhead_of(september).name == "Renamed"
    assert letterhead_of(october).name == "Northwind Voice"


@pytest.mark.parametrize(
    ("numbers", "text"),
    [("{year}-{number}", "2026-0012"), ("INV {number}", "INV 0012"), ("{month}/{year}/{number}", "10/2026/0012")],
)
def test_numbers_are_written_as_chosen(numbers: str, text: str) -> None:
    """Any other brace is only a brace."""
    assert Letterhead(numbers=numbers).number(12, date(2026, 10, 1)) == text
    assert Letterhead(numbers=f"{numbers} {{0.__class__}}").number(12, date(2026, 10, 1)) == f"{text} {{0.__class__}}"


def test_logo_says_what_it_is() -> None:
    """By its kind alone."""
    assert [Logo(kind=kind).content_type for kind in ("png", "svg")] == ["image/png", "image/svg+xml"]


def test_company_s_choices_are_offered_and_recorded(signed_in: Client) -> None:
    """On the page that edits it."""
    acme, _key = make_acme()
    url = f"/companies/{acme.pk}/edit/"

    page = page_of(signed_in, url)
    sent = {"name": "Acme", "markup_percent": "20", "statement_amounts": "cost", "statement_lines": "use"}
    signed_in.post(url, sent)

    assert "What the client sees" in page
    acme.refresh_from_db()
    assert (acme.statement_amounts, acme.statement_lines) == ("cost", "use")
    assert AuditEntry.objects.get(action="company.changed").new == {
        "statement_amounts": "cost",
        "statement_lines": "use",
    }
