"""Answers that a test changes before they are sent: any document, and any text in place of a value."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from elevenlabs_sync.simulator.routes import USAGE_PATH
from tests.simulation import FaultySimulator, faults
from tests.simulation.calls import post_usage, usage_body
from tests.simulation.faults import Verbatim

BODY = usage_body(date(2026, 9, 1), date(2026, 9, 8))


def drop_cost(document: Any) -> Any:
    at = document["columns"].index("total_cost")
    for part in ("columns", "column_types", "column_units"):
        del document[part][at]
    for row in document["rows"]:
        del row[at]
    return document


def first_cost(value: object) -> Callable[[Any], Any]:
    def change(document: Any) -> Any:
        document["rows"][0][document["columns"].index("total_cost")] = value
        return document

    return change


def test_a_transform_can_drop_a_column(server: FaultySimulator) -> None:
    """The changed document is what travels."""
    server.faults.add(USAGE_PATH, faults.Transform(drop_cost))

    document = post_usage(server, BODY).json()

    assert "total_cost" not in document["columns"]
    assert {len(row) for row in document["rows"]} == {len(document["columns"])}


def test_a_transform_changes_one_answer_only(server: FaultySimulator) -> None:
    """The truth behind the answers is not touched by changing one of them."""
    before = post_usage(server, BODY).content
    server.faults.add(USAGE_PATH, faults.Transform(drop_cost))

    changed, after = post_usage(server, BODY).content, post_usage(server, BODY).content

    assert changed != before
    assert after == before


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (Verbatim("1e400000"), "1e400000"),
        (Decimal("-0.5"), "-0.5"),
        (Decimal("0.123456789012345678901234567891"), "0.123456789012345678901234567891"),
        ("12,5", '"12,5"'),
        (None, "null"),
    ],
)
def test_a_transform_can_inject_any_number(server: FaultySimulator, value: object, text: str) -> None:
    """Whatever a cell is made, exactly that text is on the wire."""
    server.faults.add(USAGE_PATH, faults.Transform(first_cost(value)))

    answer = post_usage(server, BODY).text

    first_row = answer[answer.index('"rows":[[') :].split("]", 1)[0]
    assert f",{text}," in first_row


def test_a_transform_leaves_errors_alone(server: FaultySimulator) -> None:
    """A refused request is answered as ever, transform or not."""
    server.faults.add(USAGE_PATH, faults.Transform(drop_cost))

    response = post_usage(server, {})

    assert response.status_code == 422


def test_a_failing_transform_is_a_500(server: FaultySimulator, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake in a test's own transform is answered and logged, not swallowed."""
    server.faults.add(USAGE_PATH, faults.Transform(lambda document: document["nothing"]))

    response = post_usage(server, BODY)

    assert response.status_code == 500
    assert "KeyError" in caplog.text
