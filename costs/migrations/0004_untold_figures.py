"""Count, beside each day's sums, the rows that do not tell a figure; the sums are made anew from what they add up."""

from django.db import migrations, models

DAILY_SUMS = """
    INSERT INTO costs_dailytotal
        (day, provider_id, company_id, model, currency, credits, minutes, requests, cost, unpriced_rows, estimated_rows,
        untold_credits, untold_minutes, untold_requests)
    SELECT part.day, project.provider_id, part.company_id, part.model, part.currency,
        SUM(part.credits), SUM(part.minutes), SUM(part.requests), SUM(part.cost),
        COUNT(CASE WHEN part.currency = '' AND (part.credits > 0 OR part.minutes > 0 OR part.requests > 0
            OR (part.credits IS NULL AND part.minutes IS NULL AND part.requests IS NULL)) THEN 1 END),
        COUNT(CASE WHEN part.estimated AND part.cost > 0 THEN 1 END),
        COUNT(CASE WHEN part.credits IS NULL AND (part.minutes > 0 OR part.requests > 0 OR part.cost > 0
            OR (part.minutes IS NULL AND part.requests IS NULL AND part.cost IS NULL)) THEN 1 END),
        COUNT(CASE WHEN part.minutes IS NULL AND (part.credits > 0 OR part.requests > 0 OR part.cost > 0
            OR (part.credits IS NULL AND part.requests IS NULL AND part.cost IS NULL)) THEN 1 END),
        COUNT(CASE WHEN part.requests IS NULL AND (part.credits > 0 OR part.minutes > 0 OR part.cost > 0
            OR (part.credits IS NULL AND part.minutes IS NULL AND part.cost IS NULL)) THEN 1 END)
    FROM costs_attributedusage AS part JOIN providers_project AS project ON project.id = part.project_id
    GROUP BY part.day, project.provider_id, part.company_id, part.model, part.currency
"""


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0003_statements"),
    ]

    operations = [
        migrations.AddField("dailytotal", "untold_credits", models.IntegerField(default=0)),
        migrations.AddField("dailytotal", "untold_minutes", models.IntegerField(default=0)),
        migrations.AddField("dailytotal", "untold_requests", models.IntegerField(default=0)),
        migrations.RunSQL("DELETE FROM costs_dailytotal", migrations.RunSQL.noop),
        migrations.RunSQL(DAILY_SUMS, migrations.RunSQL.noop),
    ]
