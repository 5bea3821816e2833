"""The state of every provider: what it spent in some days, whether they were read, how many keys wait for a company."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.days import DateRange
from costs.reports import breakdowns
from costs.reports.totals import Totals, all_usage, main_currency
from costs.usage.coverage import Reading, coverage_by_provider, joint_coverage
from providers.keys import count_keys_and_agents
from providers.models import Provider


@dataclass(frozen=True)
class ProviderState:
    provider: Provider
    status: Provider.Status
    totals: Totals
    reading: Reading
    unassigned_keys: int
    unassigned_agents: int


@dataclass(frozen=True)
class ProvidersReport:
    """Every provider in the order of the database, and the sums of all."""

    states: tuple[ProviderState, ...]
    total: Totals
    reading: Reading
    currency: str  # of a total that is zero

    @property
    def unassigned_keys(self) -> int:
        return sum(state.unassigned_keys for state in self.states)

    @property
    def unassigned_agents(self) -> int:
        return sum(state.unassigned_agents for state in self.states)


def providers_report(days: DateRange, *, now: datetime) -> ProvidersReport:
    """Usage is that of ``days``; statuses and companies are those of ``now``."""
    today = now.date()
    providers = list(Provider.objects.all())
    spend = breakdowns.provider_breakdown(all_usage().between(days.first, days.last), providers)
    counts = count_keys_and_agents(today)
    coverages = coverage_by_provider(providers, days, today=today)
    lacks = any(known.unread for known in coverages.values())
    return ProvidersReport(
        states=tuple(
            ProviderState(
                provider=provider,
                status=provider.status(now),
                totals=line.totals,
                reading=coverages[provider.pk].reading,
                unassigned_keys=counts.keys.unassigned_by_provider.get(provider.pk, 0),
                unassigned_agents=counts.agents.unassigned_by_provider.get(provider.pk, 0),
            )
            for provider, line in zip(providers, spend.lines, strict=True)
        ),
        total=spend.total,
        reading=Reading.PART if lacks else joint_coverage(coverages.values()).reading,
        currency=main_currency(spend.total, providers),
    )
