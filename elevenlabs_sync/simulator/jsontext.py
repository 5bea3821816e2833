"""JSON text with exact numbers.

The standard encoder only knows binary floating point, in which 0.1 is not 0.1; here a Decimal is written digit by
digit. Reading JSON is no matter of this module.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal


def plain(number: Decimal) -> str:
    """`number` with every digit, without exponent and without padding zeros; NaN and Infinity as Python's json has it.

    `Decimal.normalize` would round to the context's precision, hence the work on the text.
    """
    if not number.is_finite():
        return "NaN" if number.is_nan() else ("-Infinity" if number < 0 else "Infinity")
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def no_json(value: object) -> str:
    """Refuses a value that has no JSON."""
    raise TypeError(f"no JSON for {type(value).__name__}")


def encode(document: object, default: Callable[[object], str] = no_json) -> str:
    """`document` as compact JSON; Decimals are exact, the rest is as `json.dumps` has it.

    `default` gives the JSON text of values that have none of their own.
    """
    match document:
        case Decimal():
            return plain(document)
        case str() | None | bool() | int() | float():
            return json.dumps(document, ensure_ascii=False)
        case Mapping():
            fields = (f"{encode(str(name))}:{encode(value, default)}" for name, value in document.items())
            return "{" + ",".join(fields) + "}"
        case Sequence():
            return "[" + ",".join(encode(value, default) for value in document) + "]"
        case _:
            return default(document)
