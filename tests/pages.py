"""What a browser gets: a page as it reads, and downloads as rows."""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from decimal import Decimal
from html import unescape
from typing import Any

from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from pypdf import PdfReader


def text_of(page: bytes) -> str:
    """The page as it reads: without tags, scripts and runs of blanks."""
    html = re.sub(r"<script.*?</script>", " ", page.decode(), flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", re.sub(r"</?bdi>", "", html))).split())


def page_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return text_of(response.content)


def figure(page: str, label: str, *, until: str) -> str:
    """What stands between two words of a page's text."""
    beginning = page.index(label) + len(label)
    return page[beginning : page.index(until, beginning)].strip()


def lines_of(response: HttpResponseBase) -> list[list[str]]:
    """A download's lines with its headings; it must be streamed, UTF-8 that says so, and a file to save."""
    assert isinstance(response, StreamingHttpResponse)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="administrate-')
    content = response.getvalue()
    assert content.startswith(codecs.BOM_UTF8)
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    assert {len(line) for line in lines} == {len(lines[0])}
    return lines


def download(client: Client, url: str) -> list[dict[str, str]]:
    """A download's rows by heading, each of which must be there once."""
    heads, *rows = lines_of(client.get(url))
    assert len(set(heads)) == len(heads)
    return [dict(zip(heads, row, strict=True)) for row in rows]


def printed(client: Client, url: str, heading: str) -> list[tuple[str, ...]]:
    """The rows, as they read, of the page's one table whose first heading is ``heading``.

    For what a file doesn't hold: sums, and amounts in cents.
    """
    return rows_under(client.get(url).content.decode(), heading)


def rows_under(html: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the one table of ``html`` whose first heading is ``heading``."""
    tables = [
        [
            tuple(text_of(cell.encode()) for cell in re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL))
            for row in re.findall(r"<tr\b.*?</tr>", table, re.DOTALL)
        ]
        for table in re.findall(r"<table\b.*?</table>", html, re.DOTALL)
    ]
    [lines] = [lines for lines in tables if lines[0][0] == heading]
    return lines[1:]


def cells(client: Client, url: str, *names: str) -> dict[str, tuple[str, ...]]:
    """A download's cells under the headings ``names``, by the first cell of the row, which no other row may have."""
    rows = download(client, url)
    found = {next(iter(row.values())): tuple(row[name] for name in names) for row in rows}
    assert len(found) == len(rows)
    return found


def column(rows: Iterable[Mapping[str, str]], name: str) -> list[str]:
    return [row[name] for row in rows]


def sums(rows: Iterable[Mapping[str, str]], name: str) -> dict[str, Decimal]:
    """The sums of a column of money by currency – of its columns "name (USD)", "name (EUR)" … – without zeros."""
    found: dict[str, Decimal] = {}
    for row in rows:
        for head, cell in row.items():
            if match := re.fullmatch(rf"{re.escape(name)} \(([A-Z]{{3}})\)", head):
                currency = match[1].lower()
                found[currency] = found.get(currency, Decimal(0)) + Decimal(cell or 0)
    return {currency: amount for currency, amount in found.items() if amount}


def file_name(response: HttpResponseBase) -> str:
    return response["Content-Disposition"].removeprefix('attachment; filename="').removesuffix('"')


def content_of(response: Any) -> str:
    """Whatever was answered, as text; of a PDF what it says, and what is told about it."""
    content = b"".join(response)
    if response["Content-Type"] == "application/zip":
        return " ".join(zipfile.ZipFile(io.BytesIO(content)).namelist())
    if response["Content-Type"] != "application/pdf":
        return content.decode()
    pdf = PdfReader(io.BytesIO(content))
    return " ".join([str(pdf.metadata), *(page.extract_text() for page in pdf.pages)])
