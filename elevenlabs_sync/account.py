"""Reading what a key may tell of its account besides usage: the plan, the listed API keys, the names of models.

All of it is optional. A key that may not read something leaves it out; a service that does not answer is left to the
reading of usage, which decides about failures. Only an answer that can't be understood ends the sync.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from elevenlabs_sync.client import ElevenLabsClient
from elevenlabs_sync.payloads import read_models, read_service_accounts, read_subscription
from providers.models import Provider, SyncRun
from providers.services.projects import ListedProject, record_listed_projects
from syncing.errors import InvalidKeyError, ProviderError, UnexpectedResponseError
from syncing.runs import note, record_run

logger = logging.getLogger(__name__)

# A listing that is longer is not taken over, not even half of it: what depends on it is only how keys are described.
MAX_LISTED_KEYS = 10_000
MAX_LISTED_MODELS = 1_000
_USED_KEYS_APPEAR = "The list was not taken over; keys appear here once they are used."

# Carries out one call of the client.
Attempt = Callable[[Callable[[], Any]], Any]


def read_account(*, client: ElevenLabsClient, attempt: Attempt, run: SyncRun, clock: Callable[[], datetime]) -> None:
    """Refresh the provider's plan, keys and model names as far as its key may read them.

    Raises UnexpectedResponseError, and whatever ``attempt`` raises of its own.
    """
    provider = run.provider
    record_run(run=run, stage=SyncRun.Stage.ACCOUNT)
    try:
        plan = _permitted(attempt, client.subscription)
        _store_plan(provider, None if plan is None else read_subscription(plan), clock())
        record_run(run=run, stage=SyncRun.Stage.KEYS)
        accounts = _permitted(attempt, client.service_accounts)
        if accounts is not None:
            _store_keys(run, accounts, clock())
        models = _permitted(attempt, client.models)
        if models is not None:
            _store_model_names(run, read_models(models))
    except UnexpectedResponseError:
        raise
    except ProviderError as error:
        logger.info("%s: the account could not be read: %s", provider, error.code)


def _permitted(attempt: Attempt, call: Callable[[], Any]) -> Any:
    """The document, or None where the key may not read it; raises what waiting may help against."""
    try:
        return attempt(call)
    except ProviderError as error:
        if error.retryable or isinstance(error, InvalidKeyError | UnexpectedResponseError):
            raise
        return None


def _store_plan(provider: Provider, plan: dict[str, Any] | None, now: datetime) -> None:
    provider.subscription = plan
    provider.subscription_read_at = now
    provider.currency = (plan or {}).get("currency") or provider.currency
    provider.save(update_fields=["subscription", "subscription_read_at", "currency"])


def _store_keys(run: SyncRun, document: Any, now: datetime) -> None:
    keys = read_service_accounts(document)
    if len(keys) > MAX_LISTED_KEYS:
        note(run, f"ElevenLabs lists {len(keys):,} API keys, more than {MAX_LISTED_KEYS:,}. {_USED_KEYS_APPEAR}")
        return
    listed = [
        ListedProject(
            external_id=key.key_hash,
            name=key.name,
            hint=key.hint,
            is_disabled=key.is_disabled,
            disabled_reason=key.disable_reason,
            expires_at=key.expires_at,
            credit_limit=key.credit_limit,
            credits_used=key.credits_used,
        )
        for key in keys
    ]
    record_listed_projects(provider=run.provider, listed=listed, now=now)
    record_run(run=run, keys_found=len(listed))


def _store_model_names(run: SyncRun, names: dict[str, str]) -> None:
    provider = run.provider
    if len(names) > MAX_LISTED_MODELS:
        note(run, f"ElevenLabs lists {len(names):,} models, more than {MAX_LISTED_MODELS:,}. Their ids are shown.")
        return
    if names != provider.model_names:
        provider.model_names = names
        provider.save(update_fields=["model_names"])
