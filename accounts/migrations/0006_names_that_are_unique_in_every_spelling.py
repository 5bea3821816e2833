import unicodedata
from collections import defaultdict

from django.db import migrations, models


def give_keys(apps, schema_editor):
    """Everybody's name as a key. Of people who differ in capitals alone the one in small letters has it, or the first.

    Each other one keeps the name as it is spelled for a key, and goes on signing in with exactly that.
    """
    Membership = apps.get_model("accounts", "Membership")
    same = defaultdict(list)
    for membership in Membership.objects.select_related("user").order_by("user__pk"):
        same[key_of(membership.user.username)].append(membership)
    for key, memberships in same.items():
        holder = next((each for each in memberships if each.user.username == key), memberships[0])
        for membership in memberships:
            membership.name_key = key if membership is holder else membership.user.username
            membership.save(update_fields=["name_key"])


def key_of(username):
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", username).casefold())


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_two_factor_due_at")]
    operations = [
        migrations.AddField("membership", "name_key", models.CharField(max_length=450, null=True)),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
        migrations.AlterField(
            "membership",
            "name_key",
            models.CharField(
                max_length=450, unique=True, help_text="The username in whatever spelling; accounts.names makes it."
            ),
        ),
    ]
