"""What every page's template may use: the theme, whether this is the embedded default, the provider types' words."""

from django.conf import settings
from django.http import HttpRequest

from administrate.theme import rows_of, theme_of
from costs.pages.words import words_for


def site(request: HttpRequest) -> dict[str, object]:
    return {
        "theme": theme_of(request),
        "table_rows": rows_of(request),
        "embedded": settings.EMBEDDED,
        "words": words_for(),  # of all installed types; pages about fewer bring their own
    }
