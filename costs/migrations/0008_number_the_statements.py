"""Statements that were closed before they had numbers get them: by month and, within a month, by company name."""

from django.db import migrations, models


def number_statements(apps, schema_editor):
    Statement = apps.get_model("costs", "Statement")
    rows = Statement.objects.order_by("closed_month__month").select_related("closed_month")
    ordered = sorted(rows, key=lambda row: (row.closed_month.month, row.company_name.casefold(), row.pk))
    for serial, row in enumerate(ordered, start=1):
        row.serial = serial
        row.number = f"{row.closed_month.month:%Y}-{serial:04}"
    Statement.objects.bulk_update(ordered, ["serial", "number"], batch_size=500)


class Migration(migrations.Migration):

    dependencies = [
        ("costs", "0007_statement_presentation"),
    ]

    operations = [
        migrations.RunPython(number_statements, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="statement",
            name="serial",
            field=models.PositiveIntegerField(help_text="Without gaps, by month and company name.", unique=True),
        ),
        migrations.AlterField(
            model_name="statement",
            name="number",
            field=models.CharField(help_text="As it is printed.", max_length=80),
        ),
    ]
