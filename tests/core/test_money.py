"""How amounts are written."""

from decimal import Decimal

import pytest

from core.amounts import CURRENCIES
from core.money import SYMBOLS, Money, format_number, to_cents, to_tenth


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"),
        ("0.0000000001", "<$0.01"),
        ("0.0099", "<$0.01"),
        ("0.01", "$0.01"),
        ("0.005", "<$0.01"),
        ("1.005", "$1.01"),
        ("2.675", "$2.68"),
        ("1234.5", "$1,234.50"),
        ("1234567.894999", "$1,234,567.89"),
        ("-3.2", "−$3.20"),
    ],
)
def test_money_is_rounded_half_up_from_its_exact_value(amount: str, text: str) -> None:
    """To cents, with separators; what rounding would hide is "<$0.01"."""
    assert str(Money("usd", Decimal(amount))) == text


@pytest.mark.parametrize("tiny", ["-0", "-0.0", "-0.004"])
def test_no_zero_has_a_sign(tiny: str) -> None:
    """What rounds to zero from below is zero."""
    assert str(to_cents(Decimal(tiny))) == "0.00"
    assert str(to_tenth(Decimal(tiny))) == "0.0"


def test_a_currency_without_a_sign_is_named_by_its_code() -> None:
    """Never shown as dollars."""
    assert str(Money("chf", Decimal(5))) == "CHF 5.00"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (None, 0, "—"),
        (0, 0, "0"),
        (1234567, 0, "1,234,567"),
        (Decimal("0.4"), 0, "<1"),
        (Decimal("2.5"), 0, "3"),
        (Decimal("0.04"), 1, "<0.1"),
    ],
)
def test_numbers_tell_unknown_from_zero(value: Decimal | int | None, digits: int, text: str) -> None:
    """And something from nothing."""
    assert format_number(value, digits) == text


def test_every_currency_has_a_symbol() -> None:
    """Those that amounts may be of are named in one place; each can be shown."""
    assert set(CURRENCIES) == set(SYMBOLS)
