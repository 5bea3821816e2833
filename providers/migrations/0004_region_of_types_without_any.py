"""A provider type may have no regions: then there is none to store."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("providers", "0003_assignment_rules")]

    operations = [
        migrations.AlterField(
            model_name="provider",
            name="region",
            field=models.CharField(blank=True, max_length=40),
        ),
    ]
