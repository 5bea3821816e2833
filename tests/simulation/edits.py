"""Changes of the truth while a server runs: restated, late and vanished usage, other prices, another currency.

A workspace has an ordered list of edits, shared by the test that adds to it and the server that answers from it:

    workspace.edits.add(Restate(date(2026, 8, 1), date(2026, 9, 1), key="northwind-ivr", factor=Decimal("1.1")))

Every edit acts on what the edits before it left, and both the answers and `rows()`/`totals()` show the outcome. Edits
are deterministic values; taking one out again undoes it. Those that change keys are in `key_edits`; what goes wrong on
the way to the client is in `faults`.
"""

import threading
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass, replace
from datetime import date
from decimal import Decimal

from elevenlabs_sync.simulator.cast import CAMPAIGN, KEYLESS, KEYS, SimulatedKey
from elevenlabs_sync.simulator.usage import Used

WHOLE = Decimal(1)
MINUTE_DIGITS = Decimal("0.0001")
COST_DIGITS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edit looks at rows: one key on one UTC day, in a workspace whose today is `today`."""

    key: SimulatedKey
    key_hash: str | None
    day: date
    today: date


class Edit:
    """One change of the truth; this one changes nothing."""

    def rows(self, rows: list[Used], _place: Place) -> list[Used]:
        """What is left of the rows of one key on one day."""
        return rows

    def keys(self, keys: tuple[SimulatedKey, ...]) -> tuple[SimulatedKey, ...]:
        """What becomes of the workspace's keys."""
        return keys

    def currency(self, currency: str) -> str:
        """What becomes of the workspace's currency."""
        return currency

    @property
    def of_key(self) -> str | None:
        """The slug of the key that must exist, None where no certain key is meant."""
        return None

    @property
    def new_key(self) -> str | None:
        """The slug of the key that comes into being, if any, and must not exist yet."""
        return None


class WorkspaceEdits:
    """The edits of a workspace in the order in which they act; may be used from any thread."""

    def __init__(self, *edits: Edit) -> None:
        self._lock = threading.Lock()
        self._edits: tuple[Edit, ...] = ()
        self.add(*edits)

    def add(self, *edits: Edit) -> None:
        """Lets `edits` act after those that are there.

        ValueError, and none of them added, when the key of one does not exist, or is to be made and exists already.
        """
        with self._lock:
            together = self._edits
            for edit in edits:
                added = {other.new_key for other in together}
                if edit.new_key is not None and (edit.new_key in added or _is_slug(edit.new_key)):
                    raise ValueError(f"there is a key {edit.new_key} already")
                if edit.of_key is not None and edit.of_key not in added and not _is_slug(edit.of_key):
                    raise ValueError(f"no such key: {edit.of_key}")
                together = (*together, edit)
            self._edits = together

    def remove(self, edit: Edit) -> None:
        """Undoes the first edit that equals `edit`; ValueError when there is none."""
        with self._lock:
            edits = list(self._edits)
            if edit not in edits:
                raise ValueError("no such edit")
            edits.remove(edit)
            self._edits = tuple(edits)

    def clear(self) -> None:
        """Undoes every edit."""
        with self._lock:
            self._edits = ()

    def __iter__(self) -> Iterator[Edit]:
        """The edits as they are at this moment."""
        return iter(self._edits)

    def __len__(self) -> int:
        return len(self._edits)


@dataclass(frozen=True)
class _Selecting(Edit):
    """Acts on the rows of the UTC days `[start, end)`, of one key (its slug) and one model where these are given."""

    start: date = date.min
    end: date = date.max
    _: KW_ONLY
    key: str | None = None
    model: str | None = None

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("start must be before end")

    @property
    def of_key(self) -> str | None:
        return self.key

    def rows(self, rows: list[Used], place: Place) -> list[Used]:
        if not self.start <= place.day < self.end or self.key not in (None, place.key.slug):
            return rows
        changed = (self._change(row, place) if self.model in (None, row.model) else row for row in rows)
        return [row for row in changed if row is not None]

    def _change(self, row: Used, _place: Place) -> Used | None:
        """What becomes of a selected row, None for nothing."""
        return row


@dataclass(frozen=True)
class Restate(_Selecting):
    """Usage turns out to be `factor` times what was said: credits, minutes, requests and, where known, cost."""

    _: KW_ONLY
    factor: Decimal

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_factor(self.factor)

    def _change(self, row: Used, _place: Place) -> Used:
        return replace(
            row,
            credits=(row.credits * self.factor).quantize(WHOLE),
            minutes=(row.minutes * self.factor).quantize(MINUTE_DIGITS),
            requests=int((row.requests * self.factor).quantize(WHOLE)),
            cost=None if row.cost is None else (row.cost * self.factor).quantize(COST_DIGITS),
        )


@dataclass(frozen=True)
class Reprice(_Selecting):
    """The cost becomes `factor` times what it was (what is unpriced stays so), or exactly `cost` for each row."""

    _: KW_ONLY
    factor: Decimal | None = None
    cost: Decimal | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.factor is None) == (self.cost is None):
            raise ValueError("either factor or cost must be given")
        _check_factor(self.factor)

    def _change(self, row: Used, _place: Place) -> Used:
        if self.factor is None:
            return replace(row, cost=self.cost)
        return replace(row, cost=None if row.cost is None else (row.cost * self.factor).quantize(COST_DIGITS))


@dataclass(frozen=True)
class Unprice(_Selecting):
    """The cost is not known: late costs, which come when the edit is removed or the workspace's today is `until`."""

    _: KW_ONLY
    until: date = date.max

    def _change(self, row: Used, place: Place) -> Used:
        return replace(row, cost=None) if place.today < self.until else row


@dataclass(frozen=True)
class Hide(_Selecting):
    """The rows are not there: vanished ones, or late ones, which come as `Unprice` has it for costs.

    Without any argument the whole workspace is empty.
    """

    _: KW_ONLY
    until: date = date.max

    def _change(self, row: Used, place: Place) -> Used | None:
        return None if place.today < self.until else row


@dataclass(frozen=True)
class AddUsage(Edit):
    """More usage of a key (its slug; "keyless" for the web app) on a day, on top of what it has of that model.

    The figures are used as they are, so they may have any number of digits. A cost of None is one not priced yet.
    """

    key: str
    day: date
    model: str
    _: KW_ONLY
    credits: Decimal = Decimal(0)
    minutes: Decimal = Decimal(0)
    requests: int = 0
    cost: Decimal | None = Decimal(0)
    product_type: str = "text_to_speech"

    @property
    def of_key(self) -> str | None:
        return self.key

    def rows(self, rows: list[Used], place: Place) -> list[Used]:
        if (place.key.slug, place.day) != (self.key, self.day):
            return rows
        there = next((row for row in rows if row.model == self.model), None)
        if there is None:
            return [*rows, self._row(place)]
        cost = None if there.cost is None or self.cost is None else there.cost + self.cost
        more = replace(
            there,
            credits=there.credits + self.credits,
            minutes=there.minutes + self.minutes,
            requests=there.requests + self.requests,
            cost=cost,
        )
        return [more if row is there else row for row in rows]

    def _row(self, place: Place) -> Used:
        return Used(
            slug=self.key,
            key_hash=place.key_hash,
            key_name=None if place.key.keyless else place.key.name,
            day=self.day,
            model=self.model,
            product_type=self.product_type,
            credits=self.credits,
            minutes=self.minutes,
            requests=self.requests,
            cost=self.cost,
        )


@dataclass(frozen=True)
class ChangeCurrency(Edit):
    """From now on all money, past days included, is told in another currency, `factor` of it for one of the old."""

    to: str
    factor: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        _check_factor(self.factor)

    def currency(self, _currency: str) -> str:
        return self.to

    def rows(self, rows: list[Used], _place: Place) -> list[Used]:
        if self.factor == 1:
            return rows
        return [
            row if row.cost is None else replace(row, cost=(row.cost * self.factor).quantize(COST_DIGITS))
            for row in rows
        ]


USAGE_EDITS: tuple[type[Edit], ...] = (Restate, Reprice, Unprice, Hide, AddUsage, ChangeCurrency)


def _is_slug(slug: str) -> bool:
    """Whether a key of the cast, of whatever year, or the web app has this slug."""
    year = slug.removeprefix(CAMPAIGN)
    return slug in {key.slug for key in (*KEYS, KEYLESS)} or (slug != year and year.isascii() and year.isdigit())


def _check_factor(factor: Decimal | None) -> None:
    if factor is not None and not (factor.is_finite() and factor >= 0):
        raise ValueError("factor must be a number from 0 on")
