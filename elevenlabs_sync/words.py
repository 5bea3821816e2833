"""What the product says about ElevenLabs alone: how to get a key, what its figures mean, how it calls things."""

from django.utils.html import format_html

from elevenlabs_sync.client import AGENTS_PERMISSION, ANALYTICS_PERMISSION
from providers.type_words import FigureWords, Guide, TypeWords
from syncing.errors import (
    InvalidKeyError,
    MissingPermissionError,
    ProviderError,
    RateLimitedError,
    UnavailableError,
)
from syncing.words import sentence

WORDS = TypeWords(
    name="ElevenLabs",
    pricing_takes="24 hours",
    name_example="Production ElevenLabs",
    key_help="Starts with “sk_”. Copy it from ElevenLabs and paste it here.",
    new_key_help="Starts with “sk_”. It is tried first, then stored encrypted and never shown again.",
    region_label="Data residency",
    region_help="Global, unless the workspace was made in an isolated region.",
    guide=Guide(
        title="Get a key in ElevenLabs",
        steps=(
            "Sign in to ElevenLabs as an admin of the workspace.",
            format_html("Open <strong>{}</strong>, then <strong>{}</strong>.", "Developers", "API Keys"),
            format_html(
                "Choose <strong>{}</strong>, name it “Administrate”, restrict it, and allow the permissions below.",
                "Create Key",
            ),
            "Copy the key at once – ElevenLabs shows it only this time – and paste it here.",
        ),
        permissions=(
            (ANALYTICS_PERMISSION, "Needed: usage and costs of the whole workspace."),
            ("user_read", "Optional: the plan and its credits."),
            ("models_read", "Optional: the models' names."),
            (AGENTS_PERMISSION, "Optional: voice agents, and what each of them used."),
            ("workspace_read", "Optional, for admins of multi-seat workspaces: keys without usage."),
        ),
    ),
    keyless_name="No API key (web app)",
    keyless_explained="Usage that was made in ElevenLabs' own web app carries no API key.",
    invoice_explained=(
        "Spend is what ElevenLabs reports for usage, whether the plan's credits covered it or not. The next invoice "
        "bills the plan: its fee, and as overage the credits beyond those that it includes. "
        "Tax and discounts may come to it."
    ),
    plan_permission=ANALYTICS_PERMISSION,
    agents_permission=AGENTS_PERMISSION,
    first_usage="Usage appears once API calls are made; new keys can take up to an hour.",
    free_note="Free-plan usage has no dollar cost; costs can take 24 hours.",
    disabled_reasons={
        "trial_ended": "The workspace's trial ended",
        "subscription_downgrade": "The workspace's plan was lowered",
        "exposed_publicly": "The key was found in public",
        "self_disabled": "Somebody of the workspace disabled it",
    },
    urgent_reasons=frozenset({"exposed_publicly"}),
)

FIGURES = {
    "cost": FigureWords("Actual spend as ElevenLabs reports it for your plan and usage."),
    "credits": FigureWords(
        "ElevenLabs credits consumed: characters for text to speech, minutes for speech to text.",
        note="as ElevenLabs counts them",
    ),
    "minutes": FigureWords("Minutes of audio, as ElevenLabs reports them."),
    "requests": FigureWords("Number of API calls.", note="API calls"),
}


def why_not_connected(error: ProviderError) -> str:
    """What stopped the connecting and what to do, in the product's words."""
    match error:
        case InvalidKeyError():
            return (
                "ElevenLabs did not accept this key. Check that you copied all of it and that it hasn't been revoked. "
                "If the workspace has data residency, also try the workspace's data residency."
            )
        case MissingPermissionError(permission=permission):
            return (
                f"the key works but lacks the permission `{permission}`. "
                "Allow it in ElevenLabs (or use a workspace-level key) and try again."
            )
        case RateLimitedError():
            return "ElevenLabs is limiting requests. Your key was not rejected. Wait a minute and try again."
        case UnavailableError():
            return "ElevenLabs did not answer, so the key was not checked. Try again."
        case _:
            return sentence(error, WORDS.name)
