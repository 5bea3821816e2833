"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from alerts.models import Severity
from alerts.services.raising import ReportTo
from providers.models import Company, Provider

if TYPE_CHECKING:
    from alerts.rules.world import World


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is the case.

    ``occurrence`` tells this time from others: the same one is told of once, so it holds what it is about and since
    when, or of which period. Sentences are for colleagues; what a company's own viewers are told is written apart,
    names no other company, no provider and no key, and is empty where they are told nothing.
    """

    occurrence: str
    title: str
    sentences: tuple[str, ...]
    path: str
    provider: Provider | None = None
    company: Company | None = None
    severity: Severity | None = None  # where it is another than the rule's
    facts: Mapping[str, Any] = field(default_factory=dict)
    client_title: str = ""
    client_sentences: tuple[str, ...] = ()
    client_path: str = ""
    says_how_far: bool = False  # figures reach, itself
    is_about_unassigned: bool = False  # how much belongs to no company needs no sentence of its own


@dataclass(frozen=True)
class Limit:
    """The number that an Admin may change: "90" with the unit "% of its limit"."""

    default: Decimal
    unit: str
    least: Decimal = Decimal(1)
    most: Decimal = Decimal(1_000_000)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """``text`` is read by people: when they are told, in a sentence. ``find`` is asked at every evaluation."""

    slug: str  # "<noun>.<what>", also the type that webhooks are told
    label: str
    text: str
    severity: Severity
    find: Callable[[World, Decimal], Iterable[Finding]]
    limit: Limit | None = None
    is_on_at_first: bool = True  # as long as nobody has chosen
    report_to: ReportTo | None = None  # it is a report, which brings what was asked for instead of a warning
    is_event: bool = False  # it happened, and does not end by not being found any more
