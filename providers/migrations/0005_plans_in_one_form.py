"""Plans are stored in one form (providers.plan) and no longer as ElevenLabs calls their fields."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

from django.db import migrations

MONTHS = {"monthly_period": 1, "3_month_period": 3, "6_month_period": 6, "annual_period": 12}


def convert(apps, schema_editor):
    for provider in apps.get_model("providers", "Provider").objects.filter(type="elevenlabs"):
        if isinstance(provider.subscription, dict) and "period_months" not in provider.subscription:
            provider.subscription = normalised(provider.subscription)
            provider.save(update_fields=["subscription"])


def normalised(old):
    currency = old.get("currency") if isinstance(old.get("currency"), str) else ""
    reset = whole(old.get("next_character_count_reset_unix"))
    refresh = str(old.get("character_refresh_period") or old.get("billing_period") or "")
    cents = whole(old.get("next_invoice_amount_due_cents"))
    overage = old.get("current_overage")
    return {
        "name": old.get("tier") if isinstance(old.get("tier"), str) else "",
        "status": old.get("status") if isinstance(old.get("status"), str) else "",
        "used": whole(old.get("character_count")),
        "included": whole(old.get("character_limit")),
        "resets_at": datetime.fromtimestamp(reset, tz=UTC).isoformat() if reset and reset < 2**32 else None,
        "period_months": MONTHS.get(refresh, 1),
        "overage": money(overage.get("amount"), overage.get("currency") or "usd") if isinstance(overage, dict) else None,
        "next_invoice": None if cents is None or not currency else money(Decimal(cents).scaleb(-2), currency),
        "currency": currency,
    }


def whole(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def money(amount, currency):
    try:
        value = Decimal(str(amount))
    except InvalidOperation:
        return None
    return {"amount": f"{value:f}", "currency": str(currency).lower()} if value.is_finite() else None


class Migration(migrations.Migration):
    dependencies = [("providers", "0004_region_of_types_without_any")]

    operations = [migrations.RunPython(convert, migrations.RunPython.noop)]
