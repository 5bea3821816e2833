"""Which theme a visitor has chosen. Loaded with the web server's own settings, before Django is set up."""

from django.http import HttpRequest

THEMES = ("system", "light", "dark")


def theme_of(request: HttpRequest) -> str:
    theme = request.COOKIES.get("theme", "system")
    return theme if theme in THEMES else "system"
