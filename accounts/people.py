"""How people are called on pages."""

from django.contrib.auth.models import User


def person(user: User) -> str:
    """The full name where there is one, else the username."""
    return user.get_full_name() or user.get_username()
