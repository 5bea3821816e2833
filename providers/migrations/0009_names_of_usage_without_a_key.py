"""Usage without a key has its name from the provider's type. What was stored without one showed the words put in here."""

from django.db import migrations, models


def name_them(apps, schema_editor):
    apps.get_model("providers", "Project").objects.filter(kind="keyless", name="").update(name="No API key (web app)")


class Migration(migrations.Migration):

    dependencies = [
        ("providers", "0008_account_read"),
    ]

    operations = [
        migrations.AlterField(
            model_name="project",
            name="kind",
            field=models.CharField(
                choices=[("key", "API key"), ("keyless", "No API key"), ("account", "Account totals")],
                default="key",
                editable=False,
                max_length=20,
            ),
        ),
        migrations.RunPython(name_them, migrations.RunPython.noop),
    ]
