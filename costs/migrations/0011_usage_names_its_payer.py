"""The new tables take the place of the old ones; attributed usage is a view of them."""

import django.db.models.deletion
from django.db import migrations, models

import costs.fields
from costs.migrations._conversion import settle

COLUMNS = "project_id, day, model, company_id, credits, minutes, requests, cost, currency, estimated, allocated"
# The condition stands outside: PostgreSQL makes one plan of both tables and of what they are joined with only where
# neither half has one of its own.
ATTRIBUTED = f"""
    CREATE VIEW costs_attributedusage AS SELECT {COLUMNS} FROM (
        SELECT {COLUMNS}, split FROM costs_dailyusage UNION ALL SELECT {COLUMNS}, FALSE FROM costs_usagepart
    ) AS part WHERE NOT split
"""
LISTED = f"""
    CREATE VIEW costs_listedusage AS
    SELECT project_id || '/' || day || '/' || model AS id, {COLUMNS}, split, updated_at FROM costs_dailyusage
"""


def rename_primary_key(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER INDEX costs_convertedusage_pkey RENAME TO costs_dailyusage_pkey")


def fields():
    return [
        ("day", models.DateField()),
        ("model", models.CharField(blank=True, help_text="The reported id; empty where none was.", max_length=200)),
        ("credits", costs.fields.ScaledDecimalField(null=True, scale=4)),
        ("minutes", costs.fields.ScaledDecimalField(null=True, scale=6)),
        ("requests", models.BigIntegerField(null=True)),
        ("cost", costs.fields.ScaledDecimalField(help_text="In units of the currency.", null=True, scale=10)),
        (
            "currency",
            models.CharField(blank=True, help_text="Lower case; empty where the cost is unknown.", max_length=3),
        ),
        ("estimated", models.BooleanField(default=False)),
        (
            "allocated",
            models.BooleanField(
                default=False, help_text="Its figures are a share of what was reported for several together."
            ),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0010_fill_usage_that_names_its_payer"),
        ("providers", "0005_plans_in_one_form"),
    ]

    operations = [
        migrations.RunPython(settle, migrations.RunPython.noop),
        migrations.DeleteModel("AttributedUsage"),
        migrations.DeleteModel("DailyUsage"),
        migrations.RenameModel("ConvertedUsage", "DailyUsage"),
        migrations.RunPython(rename_primary_key, migrations.RunPython.noop),
        migrations.AlterField(
            "dailyusage",
            "project",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="usage",
                to="providers.project",
            ),
        ),
        migrations.AddIndex("dailyusage", models.Index(fields=["day", "model"], name="dailyusage_day")),
        migrations.AddIndex(
            "dailyusage",
            models.Index(
                condition=models.Q(("company__isnull", False)), fields=["company", "day"], name="dailyusage_company"
            ),
        ),
        migrations.RunSQL(ATTRIBUTED, "DROP VIEW costs_attributedusage"),
        migrations.RunSQL(LISTED, "DROP VIEW costs_listedusage"),
        migrations.CreateModel(
            name="AttributedUsage",
            fields=[
                *fields(),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id", "day", "model", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="attributed_usage",
                        to="providers.project",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="attributed_usage",
                        to="providers.company",
                    ),
                ),
            ],
            options={
                "managed": False,
                "ordering": ("day", "project", "model", "company"),
                "verbose_name_plural": "attributed usage",
            },
        ),
        migrations.CreateModel(
            name="ListedUsage",
            fields=[
                (
                    "id",
                    models.TextField(help_text="Project, day and model in one.", primary_key=True, serialize=False),
                ),
                *fields(),
                (
                    "project",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="providers.project"
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="providers.company",
                    ),
                ),
                ("split", models.BooleanField()),
                ("updated_at", models.DateTimeField()),
            ],
            options={
                "managed": False,
                "ordering": ("day", "project", "model"),
                "verbose_name": "daily usage",
                "verbose_name_plural": "daily usage",
            },
        ),
    ]
