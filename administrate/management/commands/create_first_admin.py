"""manage.py create_first_admin"""

from typing import Any

from administrate.first_admin import WeakPasswordError, create_first_admin
from core.commands import ProductCommand, bad_input


class Command(ProductCommand):
    help = (
        "Make the first admin while there is no user at all: named ADMIN_USERNAME, with ADMIN_PASSWORD, or with a "
        "generated password that is printed once. Does nothing otherwise."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            admin = create_first_admin()
        except WeakPasswordError as error:
            raise bad_input(str(error)) from None
        if admin is None:
            return
        self.stdout.write(f"Username: {admin.username}")
        if admin.generated_password:
            self.stdout.write(f"Password: {admin.generated_password} (shown only this once)")
