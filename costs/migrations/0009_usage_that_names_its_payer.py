"""Tables for usage whose key is what it is about, and which names its payer; filled and put in place by the next two."""

import django.db.models.deletion
from django.db import migrations, models

import costs.fields

FIGURES = [
    ("credits", costs.fields.ScaledDecimalField(null=True, scale=4)),
    ("minutes", costs.fields.ScaledDecimalField(null=True, scale=6)),
    ("requests", models.BigIntegerField(null=True)),
    ("cost", costs.fields.ScaledDecimalField(help_text="In units of the currency.", null=True, scale=10)),
]
# The widest first: PostgreSQL would fill up the gaps between others.
SAID = [
    ("day", models.DateField()),
    ("estimated", models.BooleanField(default=False)),
    (
        "allocated",
        models.BooleanField(
            default=False, help_text="Its figures are a share of what was reported for several together."
        ),
    ),
    ("model", models.CharField(blank=True, help_text="The reported id; empty where none was.", max_length=200)),
    (
        "currency",
        models.CharField(blank=True, help_text="Lower case; empty where the cost is unknown.", max_length=3),
    ),
]


def not_negative(name):
    return models.CheckConstraint(
        condition=models.Q((f"{name}__gte", 0), (name, None), _connector="OR"), name=f"dailyusage_{name}_not_negative"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0008_number_the_statements"),
        ("providers", "0005_plans_in_one_form"),
    ]

    operations = [
        migrations.CreateModel(
            name="ConvertedUsage",
            fields=[
                (
                    "project",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="providers.project",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        help_text="Who pays for the whole row; none where it is unassigned or split.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="providers.company",
                    ),
                ),
                *FIGURES,
                ("updated_at", models.DateTimeField()),
                ("split", models.BooleanField(default=False, help_text="Several companies pay a part of it.")),
                *SAID,
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id", "day", "model", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "daily usage",
                "ordering": ("day", "project", "model"),
                "constraints": [
                    not_negative("credits"),
                    not_negative("minutes"),
                    not_negative("requests"),
                    not_negative("cost"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cost", None), ("currency", "")),
                            models.Q(("cost__isnull", False), models.Q(("currency", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="dailyusage_cost_has_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("company", None), ("split", False), _connector="OR"),
                        name="dailyusage_split_or_whole",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="UsagePart",
            fields=[
                (
                    "project",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="usage_parts",
                        to="providers.project",
                    ),
                ),
                (
                    "company",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="usage_parts",
                        to="providers.company",
                    ),
                ),
                *FIGURES,
                *SAID,
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "project_id",
                        "day",
                        "model",
                        "company_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "ordering": ("day", "project", "model", "company"),
                "indexes": [
                    models.Index(fields=["day", "model"], name="usagepart_day"),
                    models.Index(fields=["company", "day"], name="usagepart_company"),
                ],
            },
        ),
    ]
