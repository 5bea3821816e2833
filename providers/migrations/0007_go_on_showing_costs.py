"""Companies with a mark-up showed cost and mark-up so far, and go on until somebody chooses the price alone."""

from django.db import migrations


def keep_showing_costs(apps, schema_editor):
    companies = apps.get_model("providers", "Company").objects
    companies.exclude(markup_percent=None).update(statement_amounts="cost")


class Migration(migrations.Migration):

    dependencies = [
        ("providers", "0006_statement_presentation"),
    ]

    operations = [
        migrations.RunPython(keep_showing_costs, migrations.RunPython.noop),
    ]
