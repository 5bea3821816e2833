"""Settings, read top to bottom: environment, mode, secrets, database, queue, web, sign-in, sync.

Two modes. *Embedded* (neither DATABASE_URL nor REDIS_URL is set): one process on one machine, SQLite and an in-memory
queue, everything it keeps in DATA_DIR. *Production* (both are set): PostgreSQL, Redis, separate processes.
Whatever is missing or contradictory stops the start with one sentence (ImproperlyConfigured). The file is long because
it is the whole of them, and nothing else: how a variable is read and checked is administrate.environment's.
"""

import os
import sqlite3
import sys
from pathlib import Path
from urllib.parse import urlsplit

from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from administrate import __version__
from administrate.data_dir import prepare_home
from administrate.environment import Environment, is_https_or_loopback, with_password
from administrate.hopeless import flaw_of_encryption_keys, flaw_of_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = __version__

# Every process comes by here before it writes anything – database, exports, logs: for its owner alone. Only what
# collectstatic makes is for others, as the web may run as another user than who built it.
if sys.argv[1:2] != ["collectstatic"]:
    os.umask(0o077)

env = Environment()
env.read_env(BASE_DIR / ".env")

# --- Mode -------------------------------------------------------------------------------------------------------------

LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]

database_url = env.str("DATABASE_URL", "")
REDIS_URL = with_password(env.str("REDIS_URL", ""), env.str("REDIS_PASSWORD", ""))
EMBEDDED = not database_url and not REDIS_URL
if bool(database_url) != bool(REDIS_URL):
    missing, present = ("REDIS_URL", "DATABASE_URL") if database_url else ("DATABASE_URL", "REDIS_URL")
    raise ImproperlyConfigured(
        f"{present} is set but {missing} is not: set both (production) or neither (everything in one process)."
    )

DEBUG = env.bool("DEBUG", False)
PORT = env.int("PORT", 8000)
DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "var"))).expanduser().resolve()

# --- Secrets ----------------------------------------------------------------------------------------------------------

if EMBEDDED:
    env.read_env(prepare_home(DATA_DIR))
for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
    if not env.str(name, ""):
        raise ImproperlyConfigured(f"{name} is not set: production needs it in the environment (see .env.example).")
SECRET_KEY = env.str("SECRET_KEY")
# Fernet keys; the first encrypts, all decrypt. core.secrets is the only reader.
ENCRYPTION_KEYS = [key.strip() for key in env.list("ENCRYPTION_KEYS") if key.strip()]
if not DEBUG and (flaw := flaw_of_secret_key(SECRET_KEY) or flaw_of_encryption_keys(ENCRYPTION_KEYS)):
    raise ImproperlyConfigured(flaw)

# The first user, made by `manage.py run` or `manage.py create_first_admin` while there is no user at all.
ADMIN_USERNAME = env.str("ADMIN_USERNAME", "admin")
ADMIN_PASSWORD = env.str("ADMIN_PASSWORD", "")

# What Prometheus shows at /metrics, which is closed without it.
METRICS_TOKEN = env.str("METRICS_TOKEN", "")

# --- Applications -----------------------------------------------------------------------------------------------------

# Ours; a provider type is one of them.
OUR_APPS = [
    "administrate",
    "accounts",
    "alerts",
    "api",
    "elevenlabs_sync",
    "syncing",
    "costs",
    "providers",
]
INSTALLED_APPS = [
    *OUR_APPS,
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "csp",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "administrate.requests.identify",
    "administrate.requests.answer_head_without_a_body",
    # Headers for every answer, whoever gives it.
    "administrate.requests.harden",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "administrate.requests.answer_probes",
    "api.middleware.answer_programs",
    "administrate.requests.answer_redirects_in_place",
    "administrate.requests.refuse_what_no_browser_sends",
    "administrate.large_answers.bound_large_answers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.audit.recording.remember_request",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "accounts.middleware.AccessMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "administrate.large_totals.refuse_large_totals",
]

ROOT_URLCONF = "administrate.urls"
WSGI_APPLICATION = "administrate.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["core.templatetags.names"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "administrate.context.site",
                "accounts.context.navigation",
                "alerts.context.unread_alerts",
            ],
        },
    },
]

# SQLite 3.39 brought IS DISTINCT FROM, which the write path shares with PostgreSQL.
if EMBEDDED and sqlite3.sqlite_version_info < (3, 39):
    raise ImproperlyConfigured(f"Python's SQLite is {sqlite3.sqlite_version}; Administrate needs 3.39 or newer.")

# --- Database ---------------------------------------------------------------------------------------------------------

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if EMBEDDED:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "administrate.sqlite3",
            # Opening the file, and writing its log back as the last one closes it, takes longer than most requests.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 20,
                # A transaction that first reads and then writes would fail at once when another one writes meanwhile;
                # taking the write lock at its start makes it wait instead.
                "transaction_mode": "IMMEDIATE",
                # After a backfill the log gives its disk space back but for 64 MB, though connections stay open.
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
                "PRAGMA journal_size_limit=67108864;",
            },
        }
    }
else:
    database = env.db_url_config(database_url)
    # A restarted server costs a reconnect, not an error page; one that is out of reach a few seconds, not minutes.
    database |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    database["OPTIONS"] = {"connect_timeout": 5, **database.get("OPTIONS", {})}
    # Apart from the address it may come from a file, and hold what an address can't.
    if database_password := env.str("DATABASE_PASSWORD", ""):
        database["PASSWORD"] = database_password
    DATABASES = {"default": database}

# The database keeps the sign-in throttle's counters: shared by all processes, and a loss of Redis does not reset them.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "administrate_cache",
        # Beyond it entries are thrown away: few enough to be counted quickly, and more than somebody who wants to make
        # the throttle forget can bring about in the minutes that it remembers.
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    },
    # What API tokens have asked within this minute (api.rates): forgotten without harm.
    "rates": (
        {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": "administrate-rates",
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        }
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "rates"}
    ),
}

# --- Queue ------------------------------------------------------------------------------------------------------------

CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        # Well above the hard time limit: a task that outlives it would be delivered twice.
        "visibility_timeout": 2 * 60 * 60,
        "socket_connect_timeout": 3,
        "socket_timeout": 10,
    }
    if REDIS_URL
    # How often the worker looks into this process's queue, in seconds: kombu's own second is one that people wait.
    else {"polling_interval": 0.2}
)
# Workers take from both in turn: what is watched, and what is told of it, waits in no line of a thousand syncs.
CELERY_TASK_QUEUES: dict[str, dict[str, str]] = {"celery": {}, "alerts": {}}
CELERY_TASK_ROUTES = {"alerts.tasks.*": {"queue": "alerts"}}
CELERY_TASK_IGNORE_RESULT = True
# Messages are acknowledged as their task begins: a sync is a row as well, and the sweep brings back what dies with its
# worker. One that is still unacknowledged when Redis goes away ends a Celery 5.7 worker with an AttributeError.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 30 * 60
CELERY_TASK_TIME_LIMIT = 32 * 60
CELERY_TIMEZONE = "UTC"
# Publishing fails within seconds when the broker is away: the run is a row as well, and the sweep enqueues it later.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_BEAT_SCHEDULE = {
    "sync-every-hour": {
        "task": "syncing.tasks.enqueue_hourly_syncs",
        "schedule": crontab(minute="0"),
    },
    "re-sync-every-night": {
        "task": "syncing.tasks.enqueue_nightly_syncs",
        "schedule": crontab(hour="2", minute="30"),
    },
    # Also the catch-up: whatever a restart, a lost broker or a stopped beat left undone is taken up within a minute.
    # In one process it is also how the worker learns of what a command has asked for.
    "sweep": {
        "task": "syncing.tasks.sweep",
        "schedule": 10.0 if EMBEDDED else 60.0,
        "options": {"expires": 55},
    },
    # Likewise of budgets and alerts: what an act's message should have brought about, and what is due again.
    "watch": {
        "task": "alerts.tasks.sweep",
        "schedule": 10.0 if EMBEDDED else 30.0,
        "options": {"expires": 25},
    },
    "add-up-companies": {
        "task": "costs.tasks.add_up_companies",
        "schedule": 60.0 if EMBEDDED else 300.0,
        "options": {"expires": 55},
    },
    "sum-up-failed-sign-ins": {
        "task": "accounts.tasks.sum_up_failures",
        "schedule": crontab(minute="1"),
    },
    "clean-up-every-night": {
        "task": "administrate.tasks.clean_up",
        "schedule": crontab(hour="3", minute="40"),
    },
}
CELERY_BEAT_SCHEDULER = "administrate.clock:MemoryScheduler"
# So that `celery inspect ping` can ask whether it ticks.
CELERY_BEAT_ENABLE_REMOTE_CONTROL = True

# --- Web --------------------------------------------------------------------------------------------------------------

ALLOWED_HOSTS = LOOPBACK_NAMES if EMBEDDED else env.list("ALLOWED_HOSTS", default=LOOPBACK_NAMES)
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# A site that answers only to loopback names never leaves the machine and may speak plain HTTP. Every other one is
# served through a TLS proxy that sets X-Forwarded-Proto.
LOOPBACK_ONLY = set(ALLOWED_HOSTS) <= set(LOOPBACK_NAMES)
if not LOOPBACK_ONLY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # Being built into browsers binds every subdomain, and can't be taken back for months: only for who asks for it.
    SECURE_HSTS_PRELOAD = env.bool("HSTS_PRELOAD", False)
    SILENCED_SYSTEM_CHECKS = ["security.W021"]
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not LOOPBACK_ONLY
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
CSRF_FAILURE_VIEW = "administrate.views.csrf_failure"
# 10,000 selected keys are a form somebody may send; a body of megabytes is not.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 12_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

STATIC_URL = "static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATICFILES_DIRS = [BASE_DIR / "templates" / "static"]
collected = BASE_DIR / "staticfiles"
STATIC_ROOT = None
if not EMBEDDED and ((collected / "staticfiles.json").exists() or sys.argv[1:2] == ["collectstatic"]):
    STATIC_ROOT = collected
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
else:
    # Nothing was collected (the embedded default needs no such step): served from where they are installed, unhashed.
    WHITENOISE_USE_FINDERS = True

DEFAULT_EXCEPTION_REPORTER = "administrate.error_reports.NoQueryReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "administrate.error_reports.NoValuesFilter"

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = ["administrate.formats"]  # how dates are written where no template says it
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# --- Sign-in ----------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.NamesValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {"change_password": "accounts.forms.NewPasswordForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
# What acts on people, keys and closed months asks who it is once so many seconds have passed since signing in, or since
# it last asked (accounts.confirming). As long as a piece of work: nobody is asked twice while they connect workspaces.
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# accounts.throttle takes the place of allauth's, by which strangers could keep everybody at their address out.
ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None}
MFA_RATE_LIMITS = {"webauthn_login": None}

# A session ends so long after its last use, and so long after signing in. accounts.sessions keeps it in the database.
SESSION_ENGINE = "accounts.sessions"
SESSION_IDLE_HOURS = env.int_between("SESSION_IDLE_HOURS", 12, 1, 1000)
SESSION_MAX_DAYS = env.int_between("SESSION_MAX_DAYS", 14, 1, 1000)

MFA_ADAPTER = "accounts.adapters.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "authenticate": "accounts.second_step.CodeForm",
    "reauthenticate": "accounts.second_step.ConfirmCodeForm",
    "add_webauthn": "accounts.passkeys.AddPasskeyForm",
    "authenticate_webauthn": "accounts.passkeys.SecondStepForm",
    "login_webauthn": "accounts.passkeys.SignInForm",
    "reauthenticate_webauthn": "accounts.passkeys.ConfirmForm",
}
MFA_TOTP_ISSUER = "Administrate"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # no e-mail is sent, so none is ever verified

# Who must have a second factor, and how many days they have to set one up (accounts.requiring).
REQUIRE_TWO_FACTOR = env.str("REQUIRE_TWO_FACTOR", "") or "none"
REQUIRE_TWO_FACTOR_GRACE_DAYS = env.int_between("REQUIRE_TWO_FACTOR_GRACE_DAYS", 7, 0, 365)
if REQUIRE_TWO_FACTOR not in {"none", "admins", "all"}:
    raise ImproperlyConfigured(f"REQUIRE_TWO_FACTOR must be none, admins or all, not “{REQUIRE_TWO_FACTOR}”.")

# Whose X-Forwarded-For is believed. Without it every address is the connection's own (accounts.addresses).
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")

# Single sign-on by an OpenID Connect provider: off unless all three are set (accounts.single_sign_on).
OIDC_NAME = env.str("OIDC_NAME", "single sign-on")
OIDC_ISSUER = env.str("OIDC_ISSUER", "").rstrip("/")
oidc_parts = [OIDC_ISSUER, env.str("OIDC_CLIENT_ID", ""), env.str("OIDC_CLIENT_SECRET", "")]
OIDC_ENABLED = all(oidc_parts)
if any(oidc_parts) and not OIDC_ENABLED:
    raise ImproperlyConfigured("Single sign-on needs OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, all three.")
if OIDC_ENABLED and not is_https_or_loopback(OIDC_ISSUER):
    raise ImproperlyConfigured("OIDC_ISSUER must be an https address (http only for a loopback host).")
if OIDC_ENABLED:  # otherwise no process loads the HTTP client that it brings
    INSTALLED_APPS.append("allauth.socialaccount.providers.openid_connect")
SOCIALACCOUNT_ADAPTER = "accounts.single_sign_on.SingleSignOnAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
SOCIALACCOUNT_PROVIDERS = (
    {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": OIDC_NAME,
                    "client_id": oidc_parts[1],
                    "secret": oidc_parts[2],
                    "settings": {"server_url": OIDC_ISSUER},
                }
            ],
        }
    }
    if OIDC_ENABLED
    else {}
)

# --- Sync -------------------------------------------------------------------------------------------------------------

SYNC_BACKFILL_DAYS = env.int_between("SYNC_BACKFILL_DAYS", 365, 1, 2000, " days")
SYNC_TRAILING_DAYS = env.int_between("SYNC_TRAILING_DAYS", 7, 1, 2000, " days")

# For tests against a stand-in: replaces the Global host. No other address can be called, whatever a person types.
ELEVENLABS_BASE_URL = env.str("ELEVENLABS_BASE_URL", "").rstrip("/")
if ELEVENLABS_BASE_URL and not is_https_or_loopback(ELEVENLABS_BASE_URL):
    raise ImproperlyConfigured("ELEVENLABS_BASE_URL must be an https address (http only for a loopback host).")

# --- Data keeping -----------------------------------------------------------------------------------------------------

# Days; 0 keeps them for ever. administrate.retention deletes what is older, once a day.
AUDIT_KEEP_DAYS = env.days_or_for_ever("AUDIT_KEEP_DAYS", 730)
SYNC_RUN_KEEP_DAYS = env.days_or_for_ever("SYNC_RUN_KEEP_DAYS", 90)

# --- Alerts -----------------------------------------------------------------------------------------------------------

# Where people reach this site, without a slash at the end: mails and webhooks link to its pages.
SITE_URL = (
    env.str("SITE_URL", "").rstrip("/")
    or next((origin.rstrip("/") for origin in CSRF_TRUSTED_ORIGINS if "*" not in origin), "")
    or (f"http://localhost:{PORT}" if LOOPBACK_ONLY else f"https://{ALLOWED_HOSTS[0].lstrip('.')}")
)
if urlsplit(SITE_URL).scheme not in {"http", "https"} or not urlsplit(SITE_URL).hostname:
    raise ImproperlyConfigured(f"SITE_URL must be an address like https://costs.example.com, not “{SITE_URL}”.")

# The mail server: smtp://user:password@host:587, smtp+tls:// for STARTTLS, smtp+ssl:// for TLS from the start. Without
# it nothing is mailed.
MAIL_IS_SET_UP = bool(env.str("EMAIL_URL", ""))
try:
    mail_server = env.email_url_config(env.str("EMAIL_URL", "") or "dummymail://")
except (KeyError, ValueError):
    raise ImproperlyConfigured(
        "EMAIL_URL must be an address like smtp+tls://user:password@mail.example.com:587."
    ) from None
EMAIL_BACKEND = mail_server["EMAIL_BACKEND"]
EMAIL_HOST = mail_server.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = mail_server.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = mail_server.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = mail_server.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = bool(mail_server.get("EMAIL_USE_TLS"))
EMAIL_USE_SSL = bool(mail_server.get("EMAIL_USE_SSL"))
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "") or f"Administrate <administrate@{urlsplit(SITE_URL).hostname}>"

# Whether webhooks may be posted to addresses that are not on the public internet, and over plain http.
ALLOW_PRIVATE_WEBHOOKS = env.bool("ALLOW_PRIVATE_WEBHOOKS", False)

# --- Logs -------------------------------------------------------------------------------------------------------------

LOG_FORMAT = env.str("LOG_FORMAT", "") or ("line" if EMBEDDED else "json")
if LOG_FORMAT not in {"line", "json"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be line (for people) or json (for machines), not {LOG_FORMAT}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"()": "administrate.logs.LineFormatter"},
        "json": {"()": "administrate.logs.JsonFormatter"},
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        **{app: {"level": "INFO"} for app in OUR_APPS},
        # A line a request is for those who collect it.
        "administrate.requests": {"level": "WARNING" if EMBEDDED else "INFO"},
        # The in-memory queue has no address, which kombu finds worth a warning at every start.
        "kombu.connection": {"level": "ERROR" if EMBEDDED else "WARNING"},
        # httpx logs each address at INFO; ours carry no secret, but they are noise.
        "httpx": {"level": "WARNING"},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # What was refused or not found stands in the request's own line.
        "django.request": {"level": "ERROR"},
        # Likewise, and with a traceback for everybody who tries the address of the machine.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.DisallowedModelAdminLookup": {"level": "CRITICAL"},
    },
}
