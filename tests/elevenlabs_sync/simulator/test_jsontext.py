"""Numbers reach the wire with every digit."""

import json
from decimal import Decimal

import pytest

from elevenlabs_sync.simulator import jsontext


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0.1", "0.1"),
        ("0.015300", "0.0153"),
        ("100", "100"),
        ("1E+3", "1000"),
        ("0E-7", "0"),
        ("-2.50", "-2.5"),
        ("0.123456789012345678901234567890", "0.12345678901234567890123456789"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
    ],
)
def test_a_decimal_is_written_exactly(number: str, text: str) -> None:
    """A Decimal becomes its own digits, neither rounded nor with an exponent."""
    written = jsontext.encode([Decimal(number)])

    assert written == f"[{text}]"


def test_a_document_survives_the_round_trip() -> None:
    """What was encoded is read back equal, numbers being Decimals."""
    document = {"a": [None, True, 3, Decimal("0.3")], "näme": {'quote"\n': "–<b>"}}

    read = json.loads(jsontext.encode(document), parse_float=Decimal)

    assert read == document


def test_values_without_json_get_their_text_from_default() -> None:
    """Whoever encodes may say what stands for a value of another kind, however deep it lies."""
    written = jsontext.encode({"cost": [{1, 2}]}, default=lambda value: f"<{value}>")

    assert written == '{"cost":[<{1, 2}>]}'


def test_an_unknown_type_is_refused() -> None:
    """A value without a JSON form is an error of the caller."""
    with pytest.raises(TypeError, match="no JSON for object"):
        jsontext.encode([object()])
