"""Days in a row that were read after they had settled, so that nobody has to look at each."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models


SETTLES = timedelta(days=8)  # after the beginning of the day


def join_settled_days(apps, schema_editor):
    ReadDay, SettledDays = apps.get_model("costs", "ReadDay"), apps.get_model("costs", "SettledDays")
    settled_at = models.ExpressionWrapper(models.F("day") + SETTLES, output_field=models.DateTimeField())
    ReadDay.objects.filter(read_at__gte=settled_at).update(is_within=True)
    spans = []
    days = ReadDay.objects.filter(is_within=True).order_by("provider", "day").values_list("provider_id", "day")
    for provider_id, day in days.iterator():
        if spans and (spans[-1].provider_id, spans[-1].last) == (provider_id, day - timedelta(days=1)):
            spans[-1].last = day
        else:
            spans.append(SettledDays(provider_id=provider_id, first=day, last=day))
    SettledDays.objects.bulk_create(spans, batch_size=1000)


class Migration(migrations.Migration):

    dependencies = [
        ('costs', '0015_conversation_days'),
        ('providers', '0011_shares_by_conversations'),
    ]

    operations = [
        migrations.CreateModel(
            name='SettledDays',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first', models.DateField()),
                ('last', models.DateField()),
            ],
            options={
                'verbose_name_plural': 'settled days',
                'ordering': ('provider', 'first'),
            },
        ),
        migrations.AddField(
            model_name='readday',
            name='is_within',
            field=models.BooleanField(default=False, help_text='Whether SettledDays hold it.'),
        ),
        migrations.AddIndex(
            model_name='readday',
            index=models.Index(condition=models.Q(('is_within', False)), fields=['provider', 'day'], name='readday_single'),
        ),
        migrations.AddField(
            model_name='settleddays',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='settled_days', to='providers.provider'),
        ),
        migrations.AddConstraint(
            model_name='settleddays',
            constraint=models.UniqueConstraint(fields=('provider', 'first'), name='settleddays_unique'),
        ),
        migrations.RunPython(join_settled_days, migrations.RunPython.noop),
    ]
