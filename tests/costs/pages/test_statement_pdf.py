"""Statements as PDF, read back: what they say, in whose name, and that they say it the same for ever."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.models import Role
from costs.models import Letterhead, Logo
from costs.pages.statement_files import client_files
from costs.statements.letterheads import save_letterhead
from providers.models import Company, Project
from tests.costs.worlds import NOVEMBER, OCTOBER, SEPTEMBER, close, make_acme, path_of, restate
from tests.factories import NOW, TODAY, make_restatement, make_usage, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_engine]

LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20"><rect width="40" height="20" fill="#0f766e"/></svg>'
)


def set_up(**overrides: Any) -> None:
    """The agency's letterhead."""
    fields: dict[str, Any] = {"name": "Northwind Voice", "address": "Main Street 1\nBerlin"} | overrides
    logo = fields.pop("logo", None)
    save_letterhead(letterhead=Letterhead(**fields), logo=logo, now=NOW)


def pdf_of(client: Client, company: Company, month: str = "2026-10") -> PdfReader:
    answer = client.get(f"{path_of(company, month)}statement.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    return PdfReader(io.BytesIO(answer.content))


def text_of(pdf: PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in pdf.pages).split())


def test_pdf_is_a_statement_of_the_agency(signed_in: Client) -> None:
    """Sender, number, period, client, lines, mark-up, total and footer – and nothing of ours or of keys."""
    acme, key = make_acme(statement_amounts=Company.Amounts.COST)
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("1204.50"))
    set_up(email="billing@northwind.example", footer="VAT DE123", logo=Logo(kind="svg", content=LOGO))
    close(OCTOBER)

    pdf = pdf_of(signed_in, acme)

    text = text_of(pdf)
    for words in (
        "Northwind Voice Main Street 1 Berlin billing@northwind.example",
        "Statement October 2026 Acme",
        "Number 2026-0001 Period 1–31 Oct 2026 Date 22 Nov 2026",
        "Eleven v3 1,000 1.5 10 $1,204.50",
        "Cost $1,204.50 Mark-up 20 % $240.90 Total with mark-up $1,445.40",
        "VAT DE123",
        "Page 1 of 1",
    ):
        assert words in text, words
    for hidden in ("Administrate", "Support line", "a91f", "Production"):
        assert hidden not in text, hidden
    assert pdf.metadata is not None
    assert (pdf.metadata.title, pdf.metadata.author) == ("Statement 2026-0001 – Acme", "Northwind Voice")


@pytest.mark.parametrize("name", ["Studio \U0001d4d0", "Acme \ufeffGmbH", "Ꭰcme", "Acme \ue000", "Acme \x07"])
def test_name_that_no_font_can_draw_is_printed_all_the_same(signed_in: Client, name: str) -> None:
    """One client's name, of another alphabet or with invisible signs, keeps no statement of a month from being sent."""
    acme, key = make_acme()
    Company.objects.filter(pk=acme.pk).update(name=name)
    make_usage(project=key, day=OCTOBER, cost=Decimal("1204.50"))

    assert "$1,445.40" in text_of(pdf_of(signed_in, acme))
    assert signed_in.get("/statements/2026-10/statements.zip")["Content-Type"] == "application/zip"


def test_price_only_pdf_tells_neither_cost_nor_mark_up(signed_in: Client) -> None:
    """Whoever downloads it: this is what is sent."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("7.13"))

    text = text_of(pdf_of(signed_in, acme))

    assert "Model Credits Minutes Requests Price Eleven v3 1,000 1.5 10 $8.56" in text
    assert "Total $8.56" in text
    assert not re.search(r"7\.13|ark-up|20 %|ost", text)
    assert "Draft – not closed" in text


def test_pdf_of_a_closed_month_is_the_same_bytes_for_ever(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is renamed, chosen or redesigned since, and whenever it is drawn."""
    acme, key = make_acme(statement_lines=Company.Lines.USE)
    Project.objects.update(label="Support line")
    make_usage(project=key, day=OCTOBER, cost=Decimal(3))
    set_up()
    close(OCTOBER)
    url = f"{path_of(acme)}statement.pdf"
    before = signed_in.get(url).content

    Company.objects.update(name="Other", statement_amounts="cost", statement_lines="total", markup_percent=None)
    Project.objects.update(label="Else")
    set_up(name="Renamed", colour="#ff0000", numbers="X{number}")

    assert signed_in.get(url).content == before
    assert b"Support" not in before  # it is compressed: text is read, not searched for
    assert "Support line" in text_of(PdfReader(io.BytesIO(before)))


def test_keys_and_workspaces_are_named_only_where_that_was_chosen(signed_in: Client) -> None:
    """Some clients ask for it."""
    acme, key = make_acme(statement_lines=Company.Lines.KEY)
    Project.objects.update(name="Support", hint="a91f")
    make_usage(project=key, day=OCTOBER)
    asked = text_of(pdf_of(signed_in, acme))

    Company.objects.update(statement_lines=Company.Lines.MODEL)
    unasked = text_of(pdf_of(signed_in, acme))

    assert f"Support ··a91f ({key.provider.name})" in asked
    assert "a91f" not in unasked
    assert key.provider.name not in unasked


def test_names_from_anywhere_are_printed(signed_in: Client) -> None:
    """Arabic, Hebrew, Chinese, Japanese, Korean, Thai, Hindi, emoji, and what looks like markup of any kind."""
    names = ["株式会社", "한국어", "汉字", "🚀", "ไทย", "<b>x</b>", "#eval(1)", "$x$", "*not bold*", "@ref", "\\n"]
    acme, key = make_acme(name="Acme شركة النور שלום हिन्दी", statement_lines=Company.Lines.USE)
    Project.objects.update(label=" ".join(names))
    make_usage(project=key, day=OCTOBER)

    pdf = pdf_of(signed_in, acme)

    text = text_of(pdf)
    assert [name for name in names if name not in text] == []
    assert pdf.metadata is not None
    assert "شركة النور שלום हिन्दी" in str(pdf.metadata.title)
    # A reader's text of Arabic comes in the order of its glyphs.
    assert set("شركةالنور") <= set(text)
    missing = [font for font in fonts_of(pdf) if "notdef" in font.lower()]
    assert missing == []
    assert {"Arabic", "Hebrew", "CJK", "Emoji", "Thai", "Devanagari"} <= scripts_of(pdf)


def fonts_of(pdf: PdfReader) -> set[str]:
    found: set[str] = set()
    for page in pdf.pages:
        fonts = page["/Resources"]["/Font"]  # type: ignore[index]
        found |= {str(font.get_object()["/BaseFont"]) for font in fonts.values()}
    return found


def scripts_of(pdf: PdfReader) -> set[str]:
    words = ("Arabic", "Hebrew", "CJK", "Emoji", "Thai", "Devanagari")
    return {word for word in words for font in fonts_of(pdf) if word in font}


def test_pdf_is_tagged(signed_in: Client) -> None:
    """As PDF/UA asks: a title to show, a language, a structure with headings and tables, words for the logo."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    set_up(logo=Logo(kind="svg", content=LOGO))

    root: Any = pdf_of(signed_in, acme).trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert {"/H1", "/Table", "/TH", "/TD", "/Figure"} <= structure(root["/StructTreeRoot"])


def structure(node: Any) -> set[str]:
    node = node.get_object()
    kids = node.get("/K", []) if hasattr(node, "get") else []
    kids = kids if isinstance(kids, list) else [kids]
    below = {kind for kid in kids if not isinstance(kid, int) for kind in structure(kid)}
    return below | ({str(node["/S"])} if hasattr(node, "get") and "/S" in node else set())


def test_currencies_marks_and_adjustments_are_on_paper(signed_in: Client) -> None:
    """Estimated, unpriced, a credit with its cause, and a total for each currency – with the notes they need."""
    acme, key = make_acme()
    old = make_usage(project=key, day=SEPTEMBER, model="v3", cost=Decimal(10))
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal(8))
    make_usage(project=key, day=date(2026, 10, 2), model="v3", cost=None)
    make_usage(project=key, day=date(2026, 10, 3), model="flash", cost=Decimal(4), currency="eur", estimated=True)
    close(SEPTEMBER)
    make_restatement(project=key, day=SEPTEMBER, restated_at=NOW + timedelta(hours=1))
    restate(old, Decimal("7.50"))

    text = text_of(pdf_of(signed_in, acme))

    assert "Eleven v3 2,000 3.0 20 $9.60*" in text
    assert "Estimated €4.80" in text
    assert "September 2026 An API key restated, 1 Sep −$3.00" in text
    assert "Adjustments to closed months €0.00 −$3.00" in text
    assert "Total Estimated €4.80 $6.60" in text
    assert "Some usage has no price yet and is not in the total." in text
    assert "Amounts marked “Estimated” come from credits at a set rate." in text


@pytest.mark.parametrize(
    ("decimals", "printed"), [("point", "$1,445.40"), ("comma", "$1.445,40"), ("space", "$1 445,40")]
)
def test_amounts_are_written_as_the_agency_writes_them(signed_in: Client, decimals: str, printed: str) -> None:
    """In lines and in sums."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("1204.50"))
    set_up(decimals=decimals)

    assert text_of(pdf_of(signed_in, acme)).count(printed) == 3


def test_long_statement_numbers_its_pages(signed_in: Client) -> None:
    """With the heading of the table, and whose statement it is, on each; in one file with others each from 1."""
    acme, key = make_acme()
    for number in range(60):
        make_usage(project=key, day=OCTOBER, model=f"model {number}")

    pages = [" ".join(page.extract_text().split()) for page in pdf_of(signed_in, acme).pages]

    assert "Page 1 of 2" in pages[0]
    assert "Page 2 of 2" in pages[1]
    assert pages[1].startswith("Statement October 2026 – Acme Model Credits")


@pytest.mark.parametrize(
    ("chosen", "line"),
    [
        ("model", "Model Credits Minutes Requests Price Eleven v3 2,000 3.0 20 $2.40"),
        ("use", "Use Credits Minutes Requests Price Other usage 1,000 1.5 10 $1.20 Support line 1,000 1.5 10 $1.20"),
        ("total", "Usage Credits Minutes Requests Price All usage 2,000 3.0 20 $2.40"),
    ],
)
def test_lines_are_what_the_company_chose(signed_in: Client, chosen: str, line: str) -> None:
    """Keys without a label are one line; no key's own name is printed."""
    acme, key = make_acme(statement_lines=chosen)
    Project.objects.update(label="Support line", name="prod_tts_1")
    other = Project.objects.create(provider=key.provider, external_id="f" * 64, name="prod_tts_2")
    other.assignments.create().shares.create(company=acme)
    for project in (key, other):
        make_usage(project=project, day=OCTOBER, model="v3", cost=Decimal(1))

    text = text_of(pdf_of(signed_in, acme))

    assert line in text
    assert "prod_tts" not in text


def test_company_viewer_downloads_their_own(client: Client, now: datetime) -> None:
    """Under a name that is the agency's, and nobody else's."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER)
    set_up()
    client.force_login(make_user(role=Role.COMPANY_VIEWER, companies=[acme]))

    answer = client.get(f"{path_of(acme)}statement.pdf")
    other = client.get(f"{path_of(Company.objects.create(name='Globex'))}statement.pdf")

    assert answer["Content-Disposition"] == 'attachment; filename="northwind-voice-statement-2026-10-draft-acme.pdf"'
    assert other.status_code == 404


def test_files_to_send_are_the_client_s_copies(now: datetime) -> None:
    """Each with its name."""
    acme, key = make_acme()
    make_usage(project=key, day=OCTOBER, model="v3", cost=Decimal("7.13"))
    close(OCTOBER)

    (pdf_name, pdf), (csv_name, csv) = client_files(acme, OCTOBER, today=TODAY)

    assert (pdf_name, csv_name) == ("statement-2026-0001-acme.pdf", "statement-2026-0001-acme.csv")
    assert pdf.startswith(b"%PDF-")
    assert csv.decode("utf-8-sig").splitlines() == [
        "company,statement,status,kind,month,model,credits,minutes,requests,price,currency,estimated,reason",
        "Acme,2026-10,closed,usage,2026-10,v3,1000,1.5,10,8.56,usd,false,",
    ]


def test_month_without_usage_is_said(signed_in: Client) -> None:
    """A draft of nothing is still a paper."""
    acme, _key = make_acme(markup_percent=None)

    assert "Acme has no usage in November 2026" in text_of(pdf_of(signed_in, acme, f"{NOVEMBER:%Y-%m}"))
