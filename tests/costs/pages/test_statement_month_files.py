"""A month's statements as one PDF, as a ZIP and for the books; and from one client to the next."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal

import pytest
from django.test import Client
from pypdf import PdfReader

from providers.models import Company, Project
from tests.costs.worlds import OCTOBER, SEPTEMBER, close, make_acme, make_key, path_of, restate
from tests.factories import make_company, make_usage
from tests.pages import download

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]


@pytest.fixture
def acme(signed_in: Client) -> Company:
    """Acme, Bco and Cco used something in October, Dco did not."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, cost=Decimal("1.004"))
    make_usage(project=key, day=date(2026, 10, 2), cost=Decimal("1.004"))
    for name in ("Cco", "Bco"):
        make_usage(project=make_key(make_company(name=name), provider=key.provider), day=OCTOBER, cost=Decimal(2))
    make_company(name="Dco")
    return acme


def test_all_as_one_file(signed_in: Client, acme: Company) -> None:
    """By name, each with pages of its own."""
    close(OCTOBER)

    answer = signed_in.get("/statements/2026-10/statements.pdf")

    assert answer["Content-Disposition"] == 'attachment; filename="statements-2026-10.pdf"'
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages]
    assert [("2026-0001" in one, "Acme" in one) for one in pages] == [(True, True), (False, False), (False, False)]
    assert all("Page 1 of 1" in page for page in pages)


def test_all_in_an_archive(signed_in: Client, acme: Company) -> None:
    """A file each, named by number and client, and the same bytes each time."""
    close(OCTOBER)

    first, second = (signed_in.get("/statements/2026-10/statements.zip").content for _ in range(2))

    names = zipfile.ZipFile(io.BytesIO(first)).namelist()
    assert names == [f"statement-2026-000{place}-{name}.pdf" for place, name in enumerate(("acme", "bco", "cco"), 1)]
    assert first == second


def test_drafts_of_alike_names_are_files_of_their_own(signed_in: Client, acme: Company) -> None:
    """What tells the companies apart may be nothing that a file can be called."""
    other = make_company(name="Acme!")
    make_usage(project=make_key(other, provider=Project.objects.earliest("pk").provider), day=OCTOBER)

    names = zipfile.ZipFile(io.BytesIO(signed_in.get("/statements/2026-10/statements.zip").content)).namelist()

    assert names[:2] == ["statement-2026-10-draft-acme.pdf", f"statement-2026-10-draft-acme-{other.pk}.pdf"]


def test_month_before_the_first_closed_one_is_no_draft(signed_in: Client, acme: Company) -> None:
    """It can't be closed any more, and its papers say so."""
    make_usage(project=Project.objects.earliest("pk"), day=date(2026, 8, 5))
    close(SEPTEMBER)

    pdf = PdfReader(io.BytesIO(signed_in.get("/statements/2026-08/statements.pdf").content))

    text = " ".join(pdf.pages[0].extract_text().split())
    assert "August 2026 was never closed: closing began with September 2026." in text
    assert "raft" not in text


def test_books_get_a_record_per_statement_and_currency(signed_in: Client, acme: Company) -> None:
    """In cents that add up across; what has no price yet says so."""
    key = Project.objects.earliest("pk")
    make_usage(project=key, day=date(2026, 10, 3), cost=Decimal("5.005"), currency="eur")
    make_usage(project=key, day=date(2026, 10, 4), model="late", cost=None)
    close(OCTOBER)

    rows = download(signed_in, "/statements/2026-10/accounting.csv")

    assert [(row["number"], row["company"], row["currency"], row["total"]) for row in rows] == [
        ("2026-0001", "Acme", "eur", "6.01"),
        ("2026-0001", "Acme", "usd", "2.41"),
        ("2026-0002", "Bco", "usd", "2.00"),
        ("2026-0003", "Cco", "usd", "2.00"),
    ]
    euros = {name: rows[0][name] for name in ("date", "from", "to", "cost", "markup", "rounding", "unpriced")}
    assert euros == {
        "date": "2026-11-22",
        "from": "2026-10-01",
        "to": "2026-10-31",
        "cost": "5.01",
        "markup": "1.00",
        "rounding": "0.00",
        "unpriced": "true",
    }


def test_draft_has_no_number(signed_in: Client, acme: Company) -> None:
    """It gets one when it is closed."""
    rows = download(signed_in, "/statements/2026-10/accounting.csv")

    assert {(row["number"], row["status"], row["date"]) for row in rows} == {("", "draft", "")}


def test_month_without_statements_has_no_files(signed_in: Client, acme: Company) -> None:
    """Its page says so."""
    for name in ("pdf", "zip"):
        assert signed_in.get(f"/statements/2026-08/statements.{name}").headers["Location"] == "/statements/2026-08/"


def test_one_client_leads_to_the_next(signed_in: Client, acme: Company) -> None:
    """By name, among those with a statement of the month."""
    bco = Company.objects.get(name="Bco")

    page = signed_in.get(path_of(bco)).content.decode()

    assert f'<a href="{path_of(acme)}" rel="prev">' in page
    assert f'<a href="{path_of(Company.objects.get(name="Cco"))}" rel="next">' in page
    assert "Dco" not in page


def test_numbers_have_no_gaps(signed_in: Client) -> None:
    """From month to month, also where a company has an adjustment alone, and after a refusal."""
    acme, key = make_acme()
    old = make_usage(project=key, day=SEPTEMBER, cost=Decimal(5))
    make_usage(project=make_key(make_company(name="Bco"), provider=key.provider), day=SEPTEMBER)
    close(SEPTEMBER)
    restate(old, Decimal(7))
    signed_in.post("/statements/2026-11/close/")

    close(OCTOBER)

    numbers = list(acme.statements.order_by("serial").values_list("number", flat=True))
    assert numbers == ["2026-0001", "2026-0003"]
    assert Company.objects.get(name="Bco").statements.get().number == "2026-0002"
