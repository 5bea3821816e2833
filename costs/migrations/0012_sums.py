"""Sums by day, week and month of companies, models and keys, in place of those by day, company and model."""

import costs.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('costs', '0011_usage_names_its_payer'),
        ('providers', '0008_account_read'),
    ]

    operations = [
        migrations.CreateModel(
            name='CompanySum',
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
                ('company', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='providers.company')),
                ('provider', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='providers.provider')),
            ],
        ),
        migrations.CreateModel(
            name='KeySum',
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
                ('company', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='providers.company')),
                ('project', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='providers.project')),
                ('provider', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='providers.provider')),
            ],
        ),
        migrations.CreateModel(
            name='ModelSum',
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
                ('provider', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='providers.provider')),
            ],
        ),
        migrations.AddIndex(
            model_name='companysum',
            index=models.Index(fields=['provider', 'span', 'day'], name='companysum_provider'),
        ),
        migrations.AddIndex(
            model_name='companysum',
            index=models.Index(fields=['span', 'day'], name='companysum_day'),
        ),
        migrations.AddIndex(
            model_name='companysum',
            index=models.Index(fields=['company', 'span', 'day'], name='companysum_company'),
        ),
        migrations.AddIndex(
            model_name='keysum',
            index=models.Index(fields=['provider', 'span', 'day'], name='keysum_provider'),
        ),
        migrations.AddIndex(
            model_name='keysum',
            index=models.Index(fields=['span', 'day'], name='keysum_day'),
        ),
        migrations.AddIndex(
            model_name='keysum',
            index=models.Index(fields=['company', 'span', 'day'], name='keysum_company'),
        ),
        migrations.AddIndex(
            model_name='keysum',
            index=models.Index(fields=['model', 'span', 'day'], name='keysum_model'),
        ),
        migrations.AddIndex(
            model_name='keysum',
            index=models.Index(fields=['project', 'span', 'day'], name='keysum_project'),
        ),
        migrations.AddIndex(
            model_name='modelsum',
            index=models.Index(fields=['provider', 'span', 'day'], name='modelsum_provider'),
        ),
        migrations.AddIndex(
            model_name='modelsum',
            index=models.Index(fields=['span', 'day'], name='modelsum_day'),
        ),
    ]
