from django.db import migrations


def give_roles(apps, schema_editor):
    """Superusers become Admins, everybody else a Member.

    Until now whoever could sign in could do everything. A Member keeps the daily work – seeing and assigning – and
    loses what handles keys; nobody gains anything. The Django admin is the Admins' now, so staff who aren't lose it.
    """
    User = apps.get_model("auth", "User")
    Membership = apps.get_model("accounts", "Membership")
    Membership.objects.bulk_create(
        Membership(user=user, role="admin" if user.is_superuser else "member")
        for user in User.objects.filter(membership=None)
    )
    User.objects.filter(is_superuser=False, is_staff=True).update(is_staff=False)
    User.objects.filter(is_superuser=True, is_staff=False).update(is_staff=True)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(give_roles, migrations.RunPython.noop)]
