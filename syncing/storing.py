"""Storing what a reader has found out. The engine calls this while it holds the claim on the provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Exists, OuterRef

from core.prepared import Given, PreparedQuery
from core.wording import count
from costs.models import CONVERSATIONS_SETTLE_AFTER, ConversationDay, DailyUsage, end_of
from costs.usage.writing import Usage, write_usage_of_held
from providers.models import Project, Provider, SyncRun
from providers.services.projects import ListedProject, projects_for_usage, record_listed_projects
from syncing.reader import KEY, AgentCalls, ConversationDays, ListedAgent, ListedKey, Reading, UsageRow
from syncing.runs import note, record_run
from syncing.windows import Window
from syncing.words import possessive

# A listing that is longer is not taken over, not even half of it: what depends on it is only how keys are described.
MAX_LISTED_KEYS = 10_000
MAX_LISTED_AGENTS = 10_000
MAX_LISTED_MODELS = 1_000
MAX_NOTED_COLUMNS = 20
_USED_KEYS_APPEAR = "The list was not taken over; keys appear here once they are used."


def note_account(run: SyncRun, *, failure: str, now: datetime) -> None:
    """Remember that the account was read, or the code of the error that prevented it."""
    provider = run.provider
    provider.account_failure = failure
    provider.account_read_at = provider.account_read_at if failure else now
    provider.save(update_fields=["account_failure", "account_read_at"])


def store_plan(run: SyncRun, plan: dict[str, Any] | None, *, now: datetime) -> None:
    """Store the plan as it is now (None: unknown) and the currency that it names."""
    provider = run.provider
    provider.subscription = plan
    provider.subscription_read_at = now
    provider.currency = (plan or {}).get("currency") or provider.currency
    provider.save(update_fields=["subscription", "subscription_read_at", "currency"])


def store_listed_keys(run: SyncRun, keys: Sequence[ListedKey], *, label: str, now: datetime) -> None:
    """Store a project for each listed key, unless there are too many for a page; then the run has a remark."""
    if len(keys) > MAX_LISTED_KEYS:
        note(run, f"{label} lists {len(keys):,} API keys, more than {MAX_LISTED_KEYS:,}. {_USED_KEYS_APPEAR}")
        return
    listed = [
        ListedProject(
            external_id=key.external_id,
            name=key.name,
            hint=key.hint,
            is_disabled=key.is_disabled,
            disabled_reason=key.disabled_reason,
            expires_at=key.expires_at,
            credit_limit=key.credit_limit,
            credits_used=key.credits_used,
        )
        for key in keys
    ]
    record_listed_projects(provider=run.provider, listed=listed, now=now)
    record_run(run=run, keys_found=len(listed))


def store_listed_agents(run: SyncRun, agents: Sequence[ListedAgent], *, label: str, now: datetime) -> None:
    """Store a project for each listed agent, unless there are too many; then the run has a remark.

    One whose id is that of a key is left out, with a remark too.
    """
    if len(agents) > MAX_LISTED_AGENTS:
        note(
            run, f"{label} lists {len(agents):,} agents, more than {MAX_LISTED_AGENTS:,}. The list was not taken over."
        )
        return
    listed = [
        ListedProject(agent.external_id, agent.name, tags=agent.tags, is_archived=agent.is_archived) for agent in agents
    ]
    left_out = record_listed_projects(provider=run.provider, listed=listed, now=now, kind=Project.Kind.AGENT)
    if left_out:
        note(run, f"{count(len(left_out), 'agent')} with the id of an API key left out of {possessive(label)} list.")


class KnownProject(NamedTuple):
    """What a sync needs of a project that is stored already."""

    pk: int
    kind: str
    name: str
    is_listed: bool


_KNOWN: PreparedQuery[tuple[str, int, str, str, datetime | None]] = PreparedQuery(
    lambda: (
        Project.objects.filter(provider=Given("provider", BigIntegerField()))
        .order_by()
        .values_list("external_id", "pk", "kind", "name", "listed_at")
    )
)


def known_projects(provider: Provider) -> dict[str, KnownProject]:
    """All projects by external id: one that is gone keeps its history."""
    return {
        key: KnownProject(pk, kind, name, is_listed=listed_at is not None)
        for key, pk, kind, name, listed_at in _KNOWN.ask(provider=provider.pk)
    }


def _ids_of_projects(
    provider: Provider, reading: Reading, known: Mapping[str, KnownProject]
) -> Mapping[str | None, int]:
    """The project ids for what usage names; what is not ``known`` yet, or has got a name, is stored."""
    names = {row.external_id: row.key_name for row in reading.rows}
    of_usage = {key: known.get(Project.KEYLESS_ID if key is None else key) for key in names}
    if all(one and (one.is_listed or names[key] in {"", one.name}) for key, one in of_usage.items()):
        return {key: one.pk for key, one in of_usage.items() if one}
    kinds = {row.external_id: row.kind for row in reading.rows}
    return projects_for_usage(provider=provider, names=names, kinds=kinds)


def standing_usage(provider: Provider, window: Window) -> list[UsageRow]:
    """What is stored of these days, reported figures alone."""
    stored = DailyUsage.objects.for_provider(provider).between(window.first, window.last).used()
    return [
        UsageRow(
            external_id=None if row.project.kind == Project.Kind.KEYLESS else row.project.external_id,
            key_name="",
            day=row.day,
            model=row.model,
            credits=row.credits,
            minutes=row.minutes,
            requests=row.requests,
            cost=None if row.estimated else row.cost,
            currency="" if row.estimated else row.currency,
            kind=KEY if row.project.kind == Project.Kind.KEYLESS else row.project.kind,
            allocated=row.allocated,
        )
        for row in stored.select_related("project")
    ]


def kept_conversations(provider: Provider, window: Window) -> ConversationDays:
    """What is kept of the window's days whose conversations need not be read again."""
    kept = ConversationDay.objects.for_provider(provider).between(window.first, window.last)
    return {
        day.day: {
            agent: AgentCalls(calls, seconds, *(None if amount is None else Decimal(amount) for amount in amounts))
            for agent, (calls, seconds, *amounts) in day.agents.items()
        }
        for day in kept
        if day.read_at >= end_of(day.day) + CONVERSATIONS_SETTLE_AFTER
    }


def _store_conversations(provider: Provider, reading: Reading) -> None:
    ConversationDay.objects.bulk_create(
        (
            ConversationDay(
                provider=provider,
                day=day,
                read_at=reading.read_at,
                agents={
                    agent: [calls.calls, calls.seconds, *(_as_text(amount) for amount in (calls.credits, calls.cost))]
                    for agent, calls in agents.items()
                },
            )
            for day, agents in reading.conversations.items()
        ),
        update_conflicts=True,
        unique_fields=["provider", "day"],
        update_fields=["read_at", "agents"],
    )


def _as_text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _mark_allocated(provider: Provider) -> None:
    """Let agents say whether some of their usage is a share by conversations."""
    shares = DailyUsage.objects.filter(project=OuterRef("pk"), allocated=True).used()
    agents = Project.objects.for_provider(provider).agents().annotate(has_shares=Exists(shares))
    agents.filter(has_shares=True, is_allocated=False).update(is_allocated=True)
    agents.filter(has_shares=False, is_allocated=True).update(is_allocated=False)


def learn_agent_usage(run: SyncRun, found: Provider.AgentUsage) -> bool:
    """Remember whether usage names agents; whether that is another answer than before."""
    provider = run.provider
    if provider.agent_usage == found:
        return False
    provider.agent_usage = found
    provider.save(update_fields=["agent_usage"])
    return True


def store_model_names(run: SyncRun, names: Mapping[str, str], *, label: str) -> None:
    """Store the names of models by id, unless there are absurdly many; then the run has a remark."""
    provider = run.provider
    if len(names) > MAX_LISTED_MODELS:
        note(run, f"{label} lists {len(names):,} models, more than {MAX_LISTED_MODELS:,}. Their ids are shown.")
        return
    if names != provider.model_names:
        provider.model_names = dict(names)
        provider.save(update_fields=["model_names"])


def names_something_new(provider: Provider, reading: Reading, known: Collection[str]) -> bool:
    """Whether usage names an API key that is not ``known``, or a model that no listing named and that is not stored.

    What the provider's own listing says of these – a key's characters and state, a model's name – is worth asking for.
    """
    if any(row.external_id is not None and row.external_id not in known for row in reading.rows):
        return True
    models = {row.model for row in reading.rows if row.model} - provider.model_names.keys()
    if not models:
        return False
    used = DailyUsage.objects.for_provider(provider).between(reading.window.first, reading.window.last)
    return not models <= set(used.filter(model__in=models).order_by().values_list("model", flat=True).distinct())


def store_reading(run: SyncRun, reading: Reading, *, held: Provider, known: Mapping[str, KnownProject]) -> None:
    """The usage of some whole days, what the answer showed besides, and the run's progress.

    Called within one transaction that has locked the provider's row and read it as ``held``; ``known`` are its projects
    as they were before. Raises costs.usage.writing.ImplausibleAnswerError and core.sums.TotalTooLargeError.
    """
    provider = run.provider
    if reading.cost_from != provider.cost_from:
        provider.cost_from = reading.cost_from
        provider.save(update_fields=["cost_from"])
    if reading.tells_agents is not None:
        told = Provider.AgentUsage.TOLD if reading.tells_agents else Provider.AgentUsage.NOT_TOLD
        learn_agent_usage(run, told)
    for remark in reading.remarks:
        note(run, remark)
    project_ids = _ids_of_projects(provider, reading, known)
    written = write_usage_of_held(
        held=held,
        first=reading.window.first,
        last=reading.window.last,
        rows=[
            Usage(
                project_id=project_ids[row.external_id],
                day=row.day,
                model=row.model,
                credits=row.credits,
                minutes=row.minutes,
                requests=row.requests,
                cost=row.cost,
                currency=row.currency,
                allocated=row.allocated,
            )
            for row in reading.rows
        ],
        read_at=reading.read_at,
        run=run,
        accept_implausible=run.accepts_implausible,
    )
    if reading.conversations:
        _store_conversations(provider, reading)
    if provider.allocates_by_conversations or any(row.allocated for row in reading.rows):
        _mark_allocated(provider)
    _learn_currency(run, reading)
    record_run(
        run=run,
        days_done=run.days_done + len(reading.window),
        rows_read=run.rows_read + len(reading.rows),
        rows_inserted=run.rows_inserted + written.inserted,
        rows_changed=run.rows_changed + written.changed,
        rows_unchanged=run.rows_unchanged + written.unchanged,
    )


def _learn_currency(run: SyncRun, reading: Reading) -> None:
    """What the usage is paid in, where the plan did not tell: the pages' zeros need a currency too."""
    provider = run.provider
    if not provider.currency:
        provider.currency = next((row.currency for row in reading.rows if row.currency), "")
        provider.save(update_fields=["currency"])


def note_columns(run: SyncRun, columns: frozenset[str], *, label: str) -> None:
    """Remark once on each column that answers have gained; it is ignored."""
    provider = run.provider
    new = sorted(columns - set(provider.noted_columns))[:MAX_NOTED_COLUMNS]
    if not new:
        return
    provider.noted_columns = sorted({*provider.noted_columns, *new})
    provider.save(update_fields=["noted_columns"])
    note(run, f"{possessive(label)} answer has columns that are not read: {', '.join(new)}.")
