"""When a provider's account was last read, and whether that failed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0007_go_on_showing_costs")]

    operations = [
        migrations.AddField(
            "provider",
            "account_read_at",
            models.DateTimeField(
                null=True, editable=False, help_text="When plan, API keys and names of models were last read."
            ),
        ),
        migrations.AddField(
            "provider",
            "account_failure",
            models.CharField(
                max_length=40,
                blank=True,
                editable=False,
                help_text="Why the latest attempt to read them failed: a code.",
            ),
        ),
    ]
