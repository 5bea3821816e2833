"""By piece, each in a transaction of its own: interrupted, it goes on where it was."""

from django.db import migrations

from costs.migrations._conversion import fill


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("costs", "0009_usage_that_names_its_payer"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
