"""Statements as files to keep, to send and to book: PDF, CSV, and what holds a whole month."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from datetime import date

from django.utils.text import slugify

from core.csv_files import csv_text, escape_formula
from core.money import to_cents
from core.months import days_of
from core.table_csv import BYTE_ORDER_MARK
from costs.models import Letterhead
from costs.pages.statement_csv import in_cents, statement_csv
from costs.pages.statement_papers import Paper, paper_of
from costs.pages.statement_pdf import statements_pdf
from costs.pages.statement_tables import figures_on
from costs.statements.client_copy import readers_copy
from costs.statements.contents import Amounts, StatementView
from costs.statements.letterheads import letterhead_of
from costs.statements.reports import MonthReport, company_month
from providers.models import Company, Provider

File = tuple[str, bytes]  # its name and its content

ACCOUNTING = (
    "number",
    "status",
    "date",
    "from",
    "to",
    "company",
    "currency",
    "cost",
    "markup",
    "rounding",
    "total",
    "estimated",
    "unpriced",
)


def client_files(company: Company, month: date, *, today: date) -> tuple[File, File]:
    """What a client receives of a month: its statement as PDF, and the same as CSV, as its own readers see it now."""
    providers = list(Provider.objects.all())
    report = company_month(company, month, providers, today=today)
    paper = paper_of(report, providers, readers_copy(report.sheet))
    letterhead = letterhead_of(paper.sheet.closed)
    return pdf_file([paper], letterhead), csv_file(paper, letterhead)


def pdf_file(papers: Sequence[Paper], letterhead: Letterhead) -> File:
    """One PDF of one or several statements of a month."""
    return file_name(papers, letterhead, "pdf"), statements_pdf(papers, letterhead)


def csv_file(paper: Paper, letterhead: Letterhead) -> File:
    chunks = statement_csv(paper.sheet, shows_keys=False, figures=figures_on(paper.sheet, paper.words))
    return file_name([paper], letterhead, "csv"), f"{BYTE_ORDER_MARK}{''.join(chunks)}".encode()


def zip_file(papers: Sequence[Paper], letterhead: Letterhead) -> File:
    """A PDF for each; the same statements make the same archive."""
    archive, names = io.BytesIO(), set[str]()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for paper in papers:
            name, content = pdf_file([paper], letterhead)
            if name in names:  # drafts have no number, and names may differ in what no file is called
                name = f"{name.removesuffix('.pdf')}-{paper.sheet.company.pk}.pdf"
            names.add(name)
            closed = paper.sheet.closed
            made_at = (closed.closed_at.timetuple() if closed else paper.sheet.month.timetuple())[:6]
            files.writestr(zipfile.ZipInfo(name, made_at), content, zipfile.ZIP_DEFLATED)
    return file_name(papers, letterhead, "zip", is_whole=True), archive.getvalue()


def file_name(papers: Sequence[Paper], letterhead: Letterhead, ending: str, *, is_whole: bool = False) -> str:
    """ "northwind-statement-2026-0012-acme.pdf", of several "northwind-statements-2026-10.pdf"; never our own name.

    A name without a Latin letter leaves nothing; a draft without a number is told apart by the company's id.
    """
    sheet = papers[0].sheet
    if len(papers) > 1 or is_whole:
        words = [letterhead.name, "statements", f"{sheet.month:%Y-%m}"]
    else:
        which = sheet.number or f"{sheet.month:%Y-%m}-{'draft' if papers[0].is_draft else 'not-closed'}"
        words = [letterhead.name, "statement", which, sheet.company_name]
        words += [] if sheet.number or slugify(sheet.company_name) else [str(sheet.company.pk)]
    return f"{'-'.join(slug for word in words if (slug := slugify(word)))[:150].strip('-')}.{ending}"


def accounting_csv(report: MonthReport) -> Iterator[str]:
    """A record per statement and currency for the books, in cents; cost, mark-up and rounding add up to the total.

    The total is what the statement comes to as it is printed, whether or not its client is shown what it is made of.
    """
    yield csv_text([ACCOUNTING])
    for sheet in report.sheets:
        if sheet.amounts:
            yield csv_text(_record(sheet, amounts) for amounts in sheet.amounts)
        elif sheet.lines:  # nothing on it has a price
            yield csv_text([_record(sheet, None)])


def _record(sheet: StatementView, amounts: Amounts | None) -> tuple[str, ...]:
    days = days_of(sheet.month)
    cost = markup = total = rounding = None
    if amounts:
        cost, markup, total = to_cents(amounts.cost), to_cents(amounts.markup), to_cents(amounts.total)
        rounding = total - cost - markup
    return (
        escape_formula(sheet.number),
        "closed" if sheet.closed else "draft",
        sheet.closed.closed_at.date().isoformat() if sheet.closed else "",
        days.first.isoformat(),
        days.last.isoformat(),
        escape_formula(sheet.company_name),
        amounts.currency if amounts else "",
        *(in_cents(amount) for amount in (cost, markup, rounding, total)),
        "true" if amounts and amounts.estimated else "false",
        "true" if sheet.unpriced else "false",
    )
