from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("costs", "0013_fill_the_sums"),
    ]

    operations = [
        migrations.DeleteModel("DailyTotal"),
    ]
