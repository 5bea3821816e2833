"""Faults and edits from JSON, so that another process, or a command line, can command a simulator.

    {"fault": "ErrorStatus", "arguments": {"status": 429}, "path_prefix": "/v1/workspace", "times": 2, "after": 1}
    {"edit": "Restate", "arguments": {"start": "2026-08-01", "end": "2026-09-01", "factor": "1.1"}}

Names and arguments are those of `faults`, `drift`, `edits` and `key_edits`. Dates are ISO text and Decimals text or
whole numbers, since a JSON number with a fraction was rounded by whoever wrote it.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from types import NoneType, UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from tests.simulation import edits, key_edits
from tests.simulation.drift import DRIFTS
from tests.simulation.edits import Edit
from tests.simulation.faults import FAULTS, Fault, FaultQueue

Made = TypeVar("Made")

FAULTS_BY_NAME: Mapping[str, Callable[..., Fault]] = {make.__name__: make for make in (*FAULTS, *DRIFTS)}
EDITS_BY_NAME: Mapping[str, Callable[..., Edit]] = {
    make.__name__: make for make in (*edits.USAGE_EDITS, *key_edits.KEY_EDITS)
}


class CommandError(ValueError):
    """The command is not understood; the text says why."""


def signature(make: Callable[..., object]) -> str:
    """A fault or an edit with the names of its arguments, for help texts."""
    return f"{make.__name__}({', '.join(inspect.signature(make).parameters)})"


@dataclass(frozen=True)
class FaultCommand:
    """A fault and when it acts, as `FaultQueue.add` has it."""

    path_prefix: str
    fault: Fault
    times: int | None
    after: int

    def add_to(self, queue: FaultQueue) -> None:
        """Adds the fault to the queue."""
        queue.add(self.path_prefix, self.fault, self.times, after=self.after)


def read_fault(document: object) -> FaultCommand:
    """The fault that a JSON document describes; CommandError when it does not."""
    fields = _fields(document, {"fault", "arguments", "path_prefix", "times", "after"})
    path_prefix = _value(str, fields.get("path_prefix", "/v1/"), "path_prefix")
    times = _value(int | None, fields.get("times", 1), "times")
    after = _value(int, fields.get("after", 0), "after")
    if times is not None and times < 1:
        raise CommandError("times: must be at least 1, or null for always")
    if after < 0:
        raise CommandError("after: must not be negative")
    return FaultCommand(path_prefix, _fault(fields), times, after)


def read_edit(document: object) -> Edit:
    """The edit that a JSON document describes; CommandError when it does not."""
    fields = _fields(document, {"edit", "arguments"})
    return _made(EDITS_BY_NAME, "edit", fields)


def _fault(fields: Mapping[str, object]) -> Fault:
    return _made(FAULTS_BY_NAME, "fault", fields)


def _fields(document: object, known: set[str]) -> Mapping[str, object]:
    if not isinstance(document, dict):
        raise CommandError("not a JSON object")
    if unknown := sorted(document.keys() - known):
        raise CommandError(f"unknown: {', '.join(unknown)} (known are {', '.join(sorted(known))})")
    return document


def _made(kinds: Mapping[str, Callable[..., Made]], what: str, fields: Mapping[str, object]) -> Made:
    """Calls the kind that `fields[what]` names with `fields["arguments"]`."""
    name, arguments = fields.get(what), fields.get("arguments", {})
    if not isinstance(name, str) or name not in kinds:
        raise CommandError(f"{what}: must be one of {', '.join(kinds)}")
    if not isinstance(arguments, dict):
        raise CommandError("arguments: must be a JSON object")
    make = kinds[name]
    hints = get_type_hints(make.__init__ if isinstance(make, type) else make)  # type: ignore[misc]
    parameters = inspect.signature(make).parameters
    given = {
        argument: _value(hints.get(argument, object), value, argument)
        for argument, value in arguments.items()
        if argument in parameters
    }
    if unknown := sorted(arguments.keys() - given.keys()):
        raise CommandError(f"{name} has no {', '.join(unknown)}, only {', '.join(parameters)}")
    try:
        return make(**given)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{name}: {error}") from None


def _value(hint: Any, value: object, where: str) -> Any:
    """`value` as what the type hint asks for; CommandError when it can't be."""
    hints = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if value is None and NoneType in hints:
        return None
    wanted = next(option for option in hints if option is not NoneType)
    try:
        read = _read(wanted, value)
    except CommandError:
        raise
    except (ValueError, InvalidOperation):
        read = None
    if read is None and wanted is not object:
        name = getattr(wanted, "__name__", str(wanted))
        raise CommandError(f"{where}: {value!r} is no {name}")
    return read


def _read(wanted: Any, value: object) -> object:
    """`value` as `wanted`, None when it is something else."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if wanted is object:
        return value
    if wanted is date:
        return date.fromisoformat(value) if isinstance(value, str) else None
    if wanted is Decimal:
        return Decimal(value) if is_number or isinstance(value, str) else None  # type: ignore[arg-type]
    if wanted is float:
        return value if is_number or isinstance(value, float) else None
    if wanted is int:
        return value if is_number else None
    if wanted is Fault:
        return _fault(_fields(value, {"fault", "arguments"}))
    container = get_origin(wanted)
    if container is Mapping:
        return value if isinstance(value, dict) and all(isinstance(text, str) for text in value.values()) else None
    if container is Sequence:
        return value if isinstance(value, list) and all(isinstance(text, str) for text in value) else None
    return value if isinstance(value, wanted) else None
