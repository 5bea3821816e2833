"""Totals of companies; until they are made, of every span that there is, its sums by provider count."""

import costs.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('costs', '0017_lines_by_key'),
        ('providers', '0013_lines_by_key'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChangedSpan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('span', models.PositiveSmallIntegerField(choices=[(1, 'Day'), (2, 'Week'), (3, 'Month')])),
                ('day', models.DateField(help_text='The first.')),
            ],
        ),
        migrations.CreateModel(
            name='CompanyModelTotal',
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
        ),
        migrations.CreateModel(
            name='CompanyTotal',
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
            ],
        ),
        migrations.AddIndex(
            model_name='companysum',
            index=models.Index(condition=models.Q(('span', 1), ('unpriced_rows__gt', 0)), fields=['day', 'provider'], name='companysum_unpriced'),
        ),
        migrations.AddIndex(
            model_name='changedspan',
            index=models.Index(fields=['span', 'day'], name='changedspan_day'),
        ),
        migrations.AddField(
            model_name='companymodeltotal',
            name='company',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='providers.company'),
        ),
        migrations.AddField(
            model_name='companytotal',
            name='company',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='providers.company'),
        ),
        migrations.AddIndex(
            model_name='companymodeltotal',
            index=models.Index(fields=['span', 'day'], name='companymodeltotal_day'),
        ),
        migrations.AddIndex(
            model_name='companymodeltotal',
            index=models.Index(fields=['model', 'span', 'day'], name='companymodeltotal_model'),
        ),
        migrations.AddIndex(
            model_name='companymodeltotal',
            index=models.Index(fields=['company', 'span', 'day'], name='companymodeltotal_company'),
        ),
        migrations.AddIndex(
            model_name='companytotal',
            index=models.Index(fields=['span', 'day'], name='companytotal_day'),
        ),
        migrations.RunSQL(
            'INSERT INTO costs_changedspan (span, day) SELECT DISTINCT span, day FROM costs_companysum',
            migrations.RunSQL.noop,
        ),
    ]
