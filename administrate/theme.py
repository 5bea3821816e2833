"""How a visitor wants pages to look. Loaded with the web server's own settings, before Django is set up."""

from django.http import HttpRequest

THEMES = ("system", "light", "dark")
ROWS = ("comfortable", "compact")


def theme_of(request: HttpRequest) -> str:
    return _chosen(request, "theme", THEMES)


def rows_of(request: HttpRequest) -> str:
    """How high the rows of tables are."""
    return _chosen(request, "rows", ROWS)


def _chosen(request: HttpRequest, cookie: str, offered: tuple[str, ...]) -> str:
    """What the cookie says; what nobody offers counts as the first."""
    value = request.COOKIES.get(cookie, "")
    return value if value in offered else offered[0]
