"""What every page's template may use: the theme, whether this is the embedded default, the provider types' words."""

from django.conf import settings
from django.http import HttpRequest

from costs.pages.words import words_for

THEMES = ("system", "light", "dark")


def site(request: HttpRequest) -> dict[str, object]:
    theme = request.COOKIES.get("theme", "system")
    return {
        "theme": theme if theme in THEMES else "system",
        "embedded": settings.EMBEDDED,
        "words": words_for(),  # of all installed types; pages about fewer bring their own
    }
