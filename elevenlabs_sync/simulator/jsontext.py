"""JSON text with exact numbers.

The standard encoder only knows binary floating point, in which 0.1 is not 0.1; here a Decimal is written digit by
digit. Reading JSON is no matter of this module.
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal


class Verbatim(str):
    """Text that goes into the JSON as it stands, for what no Python value can express (`1e400000`, `-0.0e5`)."""

    __slots__ = ()


def plain(number: Decimal) -> str:
    """`number` with every digit, without exponent and without padding zeros; NaN and Infinity as Python's json has it.

    `Decimal.normalize` would round to the context's precision, hence the work on the text.
    """
    if not number.is_finite():
        return "NaN" if number.is_nan() else ("-Infinity" if number < 0 else "Infinity")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def encode(document: object) -> str:
    """`document` as compact JSON; Decimals are exact, a `Verbatim` is copied, the rest is as `json.dumps` has it."""
    match document:
        case Verbatim():
            return str(document)
        case Decimal():
            return plain(document)
        case str() | None | bool() | int() | float():
            return json.dumps(document, ensure_ascii=False)
        case Mapping():
            return "{" + ",".join(f"{encode(str(name))}:{encode(value)}" for name, value in document.items()) + "}"
        case Sequence():
            return "[" + ",".join(map(encode, document)) + "]"
        case _:
            raise TypeError(f"no JSON for {type(document).__name__}")
