"""Reading what a key may tell of its account besides usage: the plan, the listed API keys, the names of models."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from providers.models import Provider, SyncRun
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RefusedError,
    UnexpectedResponseError,
)
from syncing.reader import Call, Reader
from syncing.runs import note, record_run
from syncing.storing import (
    learn_agent_usage,
    note_account,
    store_listed_agents,
    store_listed_keys,
    store_model_names,
    store_plan,
)
from syncing.words import possessive

logger = logging.getLogger(__name__)

Part = TypeVar("Part")

# An hourly sync leaves the account alone for so long: who connects, asks or syncs by night wants to know it anew.
READ_AGAIN_AFTER = timedelta(hours=24)


def account_is_due(run: SyncRun, *, now: datetime) -> bool:
    """Whether the sync begins with the account.

    An hourly one does so only where that failed the last time, or was a day ago – also by a clock that ran ahead.
    """
    provider = run.provider
    if run.trigger != SyncRun.Trigger.HOURLY or provider.account_failure or provider.account_read_at is None:
        return True
    return not now - READ_AGAIN_AFTER < provider.account_read_at <= now


def read_account(reader: Reader, *, run: SyncRun, label: str, attempt: Call, clock: Callable[[], datetime]) -> None:
    """Refresh the provider's plan, keys and model names as far as its key may read them.

    All of it is optional: a provider that does not answer is left to the reading of usage, which decides about
    failures. Only an answer that can't be understood ends the sync. Either way the failure is kept, and the next sync
    tries again. ``attempt`` carries out one request, without repeating it; ``label`` is what the provider's type is
    called.
    Raises UnexpectedResponseError, and whatever ``attempt`` raises of its own.
    """
    record_run(run=run, stage=SyncRun.Stage.ACCOUNT)
    try:
        store_plan(run, _permitted(attempt, reader.plan), now=clock())
        record_run(run=run, stage=SyncRun.Stage.KEYS)
        if (keys := _permitted(attempt, reader.listed_keys)) is not None:
            store_listed_keys(run, keys, label=label, now=clock())
        if (names := _permitted(attempt, reader.model_names)) is not None:
            store_model_names(run, names, label=label)
        _read_agents(reader, run=run, label=label, now=clock())
    except ProviderError as error:
        note_account(run, failure=error.code, now=clock())
        if isinstance(error, UnexpectedResponseError):
            raise
        logger.info("%s: the account could not be read: %s", run.provider, error.code)
    else:
        note_account(run, failure="", now=clock())


def _read_agents(reader: Reader, *, run: SyncRun, label: str, now: datetime) -> None:
    """Refresh the agents. Whatever is wrong with their listing is a remark: usage is right without them."""
    try:
        agents = reader.listed_agents()
    except (MissingPermissionError, RefusedError) as refusal:
        permission = refusal.permission if isinstance(refusal, MissingPermissionError) else ""
        if learn_agent_usage(run, Provider.AgentUsage.NO_PERMISSION) and permission:
            note(
                run,
                f"The API key lacks the permission {permission} to list agents. Usage is not divided by agent.",
            )
    except UnexpectedResponseError as error:
        note(run, f"{possessive(label)} list of agents could not be understood: {error.reason}. It was not taken over.")
    except ProviderError as error:  # there is no such listing, or not now
        logger.info("%s: its agents could not be read: %s", run.provider, error.code)
    else:
        if run.provider.agent_usage == Provider.AgentUsage.NO_PERMISSION:
            learn_agent_usage(run, Provider.AgentUsage.UNKNOWN)
        if agents is not None:
            store_listed_agents(run, agents, label=label, now=now)


def _permitted(attempt: Call, read: Callable[[], Part | None]) -> Part | None:
    """What ``read`` returns, or None where the key may not read it; raises what waiting may help against."""
    try:
        part: Part | None = attempt(read)
    except ProviderError as error:
        if error.retryable or isinstance(error, InvalidKeyError | UnexpectedResponseError):
            raise
        return None
    return part
