"""Totals by model and by provider; until they are made, of every span that there is, the sums that they are of count."""

import costs.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('costs', '0018_company_totals'),
        ('providers', '0013_lines_by_key'),
    ]

    operations = [
        migrations.CreateModel(
            name='ModelTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.PositiveSmallIntegerField(choices=[(1, 'Day'), (2, 'Week'), (3, 'Month')])),
                ('day', models.DateField(help_text='The first.')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('credits', costs.fields.ScaledDecimalField(null=True, scale=4)),
                ('minutes', costs.fields.ScaledDecimalField(null=True, scale=6)),
                ('requests', models.BigIntegerField(null=True)),
                ('cost', costs.fields.ScaledDecimalField(null=True, scale=10)),
                ('unpriced_rows', models.IntegerField(default=0)),
                ('estimated_rows', models.IntegerField(default=0)),
                ('untold_credits', models.IntegerField(default=0)),
                ('untold_minutes', models.IntegerField(default=0)),
                ('untold_requests', models.IntegerField(default=0)),
                ('model', models.CharField(blank=True, max_length=200)),
            ],
            options={
                'indexes': [models.Index(fields=['span', 'day'], name='modeltotal_day')],
            },
        ),
        migrations.CreateModel(
            name='ProviderTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.PositiveSmallIntegerField(choices=[(1, 'Day'), (2, 'Week'), (3, 'Month')])),
                ('day', models.DateField(help_text='The first.')),
                ('currency', models.CharField(blank=True, max_length=3)),
                ('credits', costs.fields.ScaledDecimalField(null=True, scale=4)),
                ('minutes', costs.fields.ScaledDecimalField(null=True, scale=6)),
                ('requests', models.BigIntegerField(null=True)),
                ('cost', costs.fields.ScaledDecimalField(null=True, scale=10)),
                ('unpriced_rows', models.IntegerField(default=0)),
                ('estimated_rows', models.IntegerField(default=0)),
                ('untold_credits', models.IntegerField(default=0)),
                ('untold_minutes', models.IntegerField(default=0)),
                ('untold_requests', models.IntegerField(default=0)),
                ('provider', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='providers.provider')),
            ],
            options={
                'indexes': [models.Index(fields=['span', 'day'], name='providertotal_day'), models.Index(fields=['provider', 'span', 'day'], name='providertotal_provider')],
            },
        ),
        migrations.RunSQL(
            'INSERT INTO costs_changedspan (span, day) SELECT DISTINCT span, day FROM costs_companysum',
            migrations.RunSQL.noop,
        ),
    ]
