"""What the simulator says about the workspace itself: subscription, models, service accounts and their keys.

Sources: https://elevenlabs.io/docs/api-reference/user/subscription/get, …/models/list and
…/service-accounts/list. The plan and its limits are made up; the credits used are the sums of the simulated usage.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

from elevenlabs_sync.simulator.access import ALL_PERMISSIONS
from elevenlabs_sync.simulator.cast import MODELS, SERVICE_ACCOUNTS, SimulatedKey
from elevenlabs_sync.simulator.workspace import SimulatedWorkspace

TIER = "scale"
CREDITS_PER_MONTH = 2_000_000
OVERAGE_USD_PER_CREDIT = Decimal("0.00018")
PLAN_CENTS = 33_000


def subscription(workspace: SimulatedWorkspace) -> dict[str, object]:
    """The subscription; its period is the calendar month of the workspace's today."""
    month = workspace.today.replace(day=1)
    used = sum((row.credits for row in workspace.used(month, workspace.today + timedelta(days=1))), Decimal(0))
    over = max(Decimal(0), used - CREDITS_PER_MONTH)
    overage = (over * OVERAGE_USD_PER_CREDIT).quantize(Decimal("0.01"))
    next_month = (month + timedelta(days=31)).replace(day=1)
    return {
        "tier": TIER,
        "status": "active",
        "character_count": used,
        "character_limit": CREDITS_PER_MONTH,
        "max_character_limit_extension": None,
        "max_credit_limit_extension": "unlimited",
        "can_extend_character_limit": True,
        "allowed_to_extend_character_limit": True,
        "next_character_count_reset_unix": _unix(next_month),
        "voice_slots_used": 41,
        "professional_voice_slots_used": 2,
        "professional_voice_slots_used_in_workspace": 2,
        "voice_limit": 660,
        "max_voice_add_edits": 1240,
        "voice_add_edit_counter": 87,
        "professional_voice_limit": 3,
        "can_extend_voice_limit": True,
        "can_use_instant_voice_cloning": True,
        "can_use_professional_voice_cloning": True,
        "currency": workspace.currency,
        "current_overage": {"amount": str(overage), "currency": workspace.currency},
        "billing_period": "monthly_period",
        "character_refresh_period": "monthly_period",
        "next_invoice": {
            "amount_due_cents": PLAN_CENTS + int(overage * 100),
            "subtotal_cents": PLAN_CENTS + int(overage * 100),
            "tax_cents": 0,
            "discount_percent_off": None,
            "discount_amount_off": None,
            "discounts": [],
            "next_payment_attempt_unix": _unix(next_month),
            "payment_intent_status": None,
            "payment_intent_statusses": [],
        },
        "open_invoices": [],
        "has_open_invoices": False,
        "pending_change": None,
    }


def models() -> list[dict[str, object]]:
    """Every model that the cast uses, with its display name."""
    return [
        {
            "model_id": model.model_id,
            "name": model.name,
            "can_be_finetuned": False,
            "can_do_text_to_speech": model.product_type == "text_to_speech",
            "can_do_voice_conversion": False,
            "can_use_style": False,
            "can_use_speaker_boost": False,
            "serves_pro_voices": False,
            "token_cost_factor": Decimal(1),
            "description": "A simulated model.",
            "requires_alpha_access": False,
            "max_characters_request_free_user": 2500,
            "max_characters_request_subscribed_user": 10_000,
            "maximum_text_length_per_request": 10_000,
            "languages": [{"language_id": "en", "name": "English"}],
            "model_rates": {"character_cost_multiplier": Decimal(1)},
            "concurrency_group": "standard",
        }
        for model in MODELS
    ]


def service_accounts(workspace: SimulatedWorkspace) -> dict[str, object]:
    """All service accounts, each with its keys."""
    used = _used_this_month(workspace)
    return {
        "service-accounts": [
            {
                "service_account_user_id": _account_id(workspace, slug),
                "name": name,
                "created_at_unix": _unix(date(2024, 2, 5)),
                "api-keys": _keys_of(workspace, slug, used),
                "default_sharing_groups": [],
            }
            for slug, name in SERVICE_ACCOUNTS.items()
        ]
    }


def api_keys(workspace: SimulatedWorkspace, account_id: str) -> dict[str, object] | None:
    """The keys of one service account, None when there is no such account."""
    for slug in SERVICE_ACCOUNTS:
        if _account_id(workspace, slug) == account_id:
            return {"api-keys": _keys_of(workspace, slug, _used_this_month(workspace))}
    return None


def _used_this_month(workspace: SimulatedWorkspace) -> dict[str | None, Decimal]:
    """Credits by the hash of a key."""
    month = workspace.today.replace(day=1)
    used: dict[str | None, Decimal] = {}
    for row in workspace.used(month, workspace.today + timedelta(days=1)):
        used[row.key_hash] = used.get(row.key_hash, Decimal(0)) + row.credits
    return used


def _keys_of(
    workspace: SimulatedWorkspace, account: str, used: Mapping[str | None, Decimal]
) -> list[dict[str, object]]:
    return [
        _key(workspace, key, used.get(workspace.key_hash(key), Decimal(0)))
        for key in workspace.listed_keys()
        if key.account == account
    ]


def _key(workspace: SimulatedWorkspace, key: SimulatedKey, used: Decimal) -> dict[str, object]:
    disabled = key.disabled_on is not None and key.disabled_on <= workspace.today
    return {
        "name": key.name,
        "hint": workspace.identifier("hint", key.slug)[:4],
        "key_id": workspace.identifier("id", key.slug)[:20],
        "service_account_user_id": _account_id(workspace, key.account or ""),
        "created_at_unix": _unix(key.created_on),
        "is_disabled": disabled,
        "disable_reason": key.disable_reason if disabled else None,
        "permissions": sorted(ALL_PERMISSIONS),
        "character_limit": key.credit_limit,
        "character_count": used,
        "hashed_xi_api_key": workspace.key_hash(key),
        "allowed_ips": None,
        "third_party_disable_allowed": True,
        "platform_limits": None,
        "expires_at_unix": None if key.expires_on is None else _unix(key.expires_on),
    }


def _account_id(workspace: SimulatedWorkspace, slug: str) -> str:
    return workspace.identifier("account", slug)[:28]


def _unix(day: date) -> int:
    return int(datetime.combine(day, time(), tzinfo=UTC).timestamp())
