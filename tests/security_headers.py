"""What Mozilla's HTTP Observatory scores, as one list of complaints: empty is its top grade.

The rules were written down from its published scoring table; nothing is asked on the network.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx

HALF_A_YEAR = 15_768_000
GOOD_REFERRER_POLICIES = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}


def complaints(answer: httpx.Response) -> list[str]:
    """What is wrong with the headers of an answer that came over HTTPS."""
    return [*_policy(answer), *_transport(answer), *_others(answer), *_cookies(answer)]


def _policy(answer: httpx.Response) -> Iterator[str]:
    directives = {
        words[0]: words[1:]
        for directive in answer.headers.get("content-security-policy", "").split(";")
        if (words := directive.split())
    }
    if directives.get("default-src") != ["'none'"]:
        yield "CSP: default-src is not 'none'"
    for name, sources in directives.items():
        if loose := [source for source in sources if source not in {"'none'", "'self'"}]:
            yield f"CSP: {name} allows {' '.join(loose)}"
    for name, expected in (("base-uri", "'none'"), ("frame-ancestors", "'none'"), ("form-action", "'self'")):
        if directives.get(name) != [expected]:
            yield f"CSP: {name} is not {expected}"


def _transport(answer: httpx.Response) -> Iterator[str]:
    words = [word.strip() for word in answer.headers.get("strict-transport-security", "").split(";")]
    ages = [int(word.removeprefix("max-age=")) for word in words if word.startswith("max-age=")]
    if not ages or ages[0] < HALF_A_YEAR:
        yield "HSTS: too short or missing"
    if "includeSubDomains" not in words:
        yield "HSTS: not for subdomains"
    if "preload" in words:
        yield "HSTS: to be preloaded, which nobody asked for"


def _others(answer: httpx.Response) -> Iterator[str]:
    for name, good in (
        ("x-content-type-options", {"nosniff"}),
        ("x-frame-options", {"DENY"}),
        ("referrer-policy", GOOD_REFERRER_POLICIES),
        ("cross-origin-resource-policy", {"same-origin"}),
        ("cross-origin-opener-policy", {"same-origin"}),
    ):
        if answer.headers.get(name) not in good:
            yield f"{name}: {answer.headers.get(name)}"
    if "camera=()" not in answer.headers.get("permissions-policy", ""):
        yield "permissions-policy: missing"
    if "access-control-allow-origin" in answer.headers:
        yield "CORS: others may read it"


def _cookies(answer: httpx.Response) -> Iterator[str]:
    for cookie in answer.headers.get_list("set-cookie"):
        attributes = {word.strip().lower() for word in cookie.split(";")[1:]}
        if not {"secure", "httponly"} <= attributes or not attributes & {"samesite=lax", "samesite=strict"}:
            yield f"cookie {cookie.split('=')[0]}: {sorted(attributes)}"
