"""Settings shared by every way of running the portal.

One reader (`env`) for everything that comes from outside. `dev`, `test` and `prod` build on this.
"""

from datetime import timedelta
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# Everything the running portal writes: database file, private files, broker messages, generated keys.
DATA_DIR = Path(env.str("PORTAL_DATA_DIR", default=str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.admin",
    "django.forms",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_filters",
    "django_htmx",
    "rules",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    "django_celery_beat",
    "django_celery_results",
    "core",
    "accounts",
    "districts",
    "planners",
    "projects",
    "worklogs",
    "evaluations",
    "portal",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.middleware.RequestContextMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.SessionLimitsMiddleware",
    "accounts.middleware.PrivateResponseMiddleware",
    "districts.middleware.MembershipMiddleware",
    "accounts.middleware.StandingMiddleware",
    "axes.middleware.AxesMiddleware",
    "core.draft_clearing.DraftClearingMiddleware",
    "core.middleware.AuditMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "core.nav.frame",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "accounts.backends.PortalBackend",
]
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/home/"

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = "Asia/Shanghai"
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# Third-party assets come from npm at set-up (package-lock.json) and are served by the portal itself, file by file.
# Icons are inlined by `{% icon %}`, so they are read from here and not served.
NODE_MODULES = BASE_DIR / "node_modules"
VENDOR_STATIC = {
    "vendor/tabler/css/tabler.min.css": "@tabler/core/dist/css/tabler.min.css",
    "vendor/tabler/css/tabler.min.css.map": "@tabler/core/dist/css/tabler.min.css.map",
    "vendor/tabler/js/tabler.min.js": "@tabler/core/dist/js/tabler.min.js",
    "vendor/tabler/js/tabler.min.js.map": "@tabler/core/dist/js/tabler.min.js.map",
    "vendor/echarts/echarts.common.min.js": "echarts/dist/echarts.common.min.js",
}
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "core.static_storage.StaticStorage"},
}
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "core.staticfinders.VendorFinder",
]
WHITENOISE_ALLOW_ALL_ORIGINS = False
# Private files are streamed by the app that owns them; there is no media URL.
MEDIA_ROOT = DATA_DIR / "files"

# --- database, cache, broker: embedded unless told otherwise -------------------------------------
_DATABASE_URL = env.str("DATABASE_URL", default="")
if _DATABASE_URL:
    DATABASES = {"default": env.db_url_config(_DATABASE_URL)}
    if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
        DATABASES["default"]["ENGINE"] = "core.postgres"
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "portal.sqlite3",
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 20,
                # Take the write lock at BEGIN: a read that later writes would otherwise fail at once, not wait.
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA cache_size=-32000;",
            },
        }
    }
ATOMIC_REQUESTS = False

REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    CACHES = {"default": {"BACKEND": "core.caching.RedisCache", "LOCATION": REDIS_URL}}
    CELERY_BROKER_URL = REDIS_URL
    # A dead broker must not hold a request: the row is written, the sweeper wakes the worker later.
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "socket_connect_timeout": 2,
        "socket_timeout": 5,
        "max_retries": 1,
        "interval_start": 0,
        "interval_max": 0.2,
        "visibility_timeout": 6 * 3600,
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    CELERY_BROKER_URL = "filesystem://localhost"  # kombu warns at each start of a name that is missing
    _QUEUE = DATA_DIR / "broker"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_QUEUE / "queue"),
        "data_folder_out": str(_QUEUE / "queue"),
        "control_folder": str(_QUEUE / "control"),
        "store_processed": False,
    }
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db" if REDIS_URL else "django.contrib.sessions.backends.db"

CELERY_RESULT_BACKEND = "django-db"
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TIMEZONE = TIME_ZONE
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The broker only wakes workers; the job row is the truth, so a publish must fail fast and quietly.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_BEAT_SCHEDULE = {
    "sweep-jobs": {"task": "core.tasks.sweep_jobs", "schedule": 10.0, "options": {"expires": 10}},
    "seal-audit": {"task": "core.tasks.seal_audit", "schedule": 15.0, "options": {"expires": 15}},
    # The quick run looks near the end of the chain; once a night the whole table is looked at.
    "seal-audit-full": {
        "task": "core.tasks.seal_audit",
        "schedule": crontab(hour=2, minute=10),
        "kwargs": {"full": True},
    },
    # Names and streets follow on a change's effective day; the rest is dated and needs no job.
    "settle-unit-changes": {"task": "districts.tasks.settle_unit_changes", "schedule": crontab(hour=0, minute=5)},
    "clear-sessions": {"task": "accounts.tasks.clear_sessions", "schedule": crontab(hour=3, minute=40)},
    "sweep-pending-photos": {"task": "worklogs.tasks.sweep_pending_photos", "schedule": crontab(hour=3, minute=10)},
    # A change wakes a worker itself; this takes what a lost message left behind.
    "recount-touched": {"task": "worklogs.tasks.recount_touched", "schedule": 30.0, "options": {"expires": 30}},
    "check-touched": {"task": "worklogs.tasks.check_touched", "schedule": 30.0, "options": {"expires": 30}},
    "monthly-reports": {"task": "worklogs.tasks.monthly_reports", "schedule": crontab(hour=6, minute=20)},
    "sweep-field": {"task": "projects.tasks.sweep_field", "schedule": crontab(hour=6, minute=35)},
    "sweep-consultations": {"task": "projects.tasks.sweep_consultations", "schedule": crontab(hour=6, minute=40)},
    "remind-raters": {"task": "evaluations.tasks.remind_raters", "schedule": crontab(hour=7, minute=10)},
    "recount-tallies": {"task": "worklogs.tasks.recount_all", "schedule": crontab(hour=2, minute=30)},
    "sweep-adoption": {"task": "projects.tasks.sweep_adoption", "schedule": crontab(hour=6, minute=30)},
}

# --- answers to opinions -------------------------------------------------------------------------
# Habits of showing and telling, no policy: terms come from the policy pack alone, and without one nothing is late.
REVIEW = {
    # A share of fewer items than this is marked as one over few cases (projects/adoption.py).
    "few_items": env.int("PORTAL_REVIEW_FEW_ITEMS", default=5),
    # How many workdays before its day a matter is shown in amber, and its people are reminded.
    "remind_workdays": env.int("PORTAL_REVIEW_REMIND_WORKDAYS", default=3),
    # Workdays after which an answer that nobody re-inspected, or a report that nobody took up, is reminded of once.
    "waiting_workdays": env.int("PORTAL_REVIEW_WAITING_WORKDAYS", default=3),
    # Workdays over the day after which a late answer is told to the bureau, and then to the district's leaders too.
    "escalate_workdays": env.list("PORTAL_REVIEW_ESCALATE_WORKDAYS", cast=int, default=[1, 6]),
}

# --- plausibility of work logs -------------------------------------------------------------------
# Limits of detection, no policy: what lies beyond is pointed out to whoever confirms, with the limit beside it; nothing
# is refused, counted or deducted (docs/decisions/plausibility.md; explained in worklogs/plausibility/limits.py).
PLAUSIBILITY = {
    "sitting_minutes": env.int("PORTAL_CHECK_SITTING_MINUTES", default=30),
    "sitting_days": env.int("PORTAL_CHECK_SITTING_DAYS", default=6),
    "place_km": env.float("PORTAL_CHECK_PLACE_KM", default=10),
    "place_photos": env.int("PORTAL_CHECK_PLACE_PHOTOS", default=3),
    "photo_days": env.int("PORTAL_CHECK_PHOTO_DAYS", default=0),
    "photo_bits": env.int("PORTAL_CHECK_PHOTO_BITS", default=7),
}

# --- project review --------------------------------------------------------------------------------
# When the portal reminds, no policy: how long a term is stands in the pack. Workdays left at which an answer counts as
# soon due, and workdays over at which the lead and the bureau hear of it (projects/services/reminders.py).
REVIEW_REMINDERS = {
    "soon_workdays": env.int("PORTAL_REVIEW_SOON_WORKDAYS", default=2),
    "long_over_workdays": env.int("PORTAL_REVIEW_LONG_OVER_WORKDAYS", default=5),
}

# --- accounts ------------------------------------------------------------------------------------
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
MFA_FORMS = {
    "authenticate": "accounts.forms.AuthenticateForm",
    "reauthenticate": "accounts.forms.CodeReauthenticateForm",
    "activate_totp": "accounts.forms.ActivateTOTPForm",
}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGOUT_REDIRECT_URL = "/accounts/login/"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# Guessing a password is axes' business (below); these stop spraying from one address and guessing inside a session.
ACCOUNT_RATE_LIMITS = {
    "login": "120/m/ip",
    "login_failed": "30/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
}
# The address is the one the server saw. Behind a proxy, say how many hops to trust (PORTAL_PROXY_COUNT).
PROXY_COUNT = env.int("PORTAL_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = PROXY_COUNT
MFA_ADAPTER = "accounts.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "责任规划师工作平台"
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_TOLERANCE = 1
# Roles that reach nothing without a second factor (not asked of the invented people of the demo).
MFA_REQUIRED_ROLES = env.list("PORTAL_MFA_ROLES", default=["sysadmin", "secadmin", "auditor"])

# Lock-out: by user name, written whichever way, whether or not such a user exists; no header changes it.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # it wants the address counted too; see accounts.lockout for why not
AXES_USERNAME_CALLABLE = "accounts.lockout.client_username"
AXES_CLIENT_IP_CALLABLE = "accounts.lockout.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_USERNAME_FORM_FIELD = "login"
AXES_SENSITIVE_PARAMETERS = ["login", "username", "ip_address", "oldpassword", "password1", "password2", "code"]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False

# Passwords: a named profile. 等保 2.0 8.1.4.1 asks for complexity and regular change; ASVS 5.0 6.2 forbids both and asks
# for length. One installation answers to one of them.
PASSWORD_PROFILE = env.str("PORTAL_PASSWORD_PROFILE", default="dengbao")
PASSWORD_PROFILES = {
    "dengbao": {"min_length": 8, "classes": 3, "history": 5, "max_age_days": 90},
    "asvs": {"min_length": 12, "classes": 1, "history": 0, "max_age_days": None},
}
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "accounts.validators.ProfileLengthValidator"},
    {"NAME": "accounts.validators.ComplexityValidator"},
    {"NAME": "accounts.validators.HistoryValidator"},
    {"NAME": "accounts.validators.NotPersonalValidator"},
    {"NAME": "accounts.validators.NotCommonValidator"},
]

# Sessions end after a while without use, and after a working day however busy.
SESSION_IDLE_SECONDS = env.int("PORTAL_SESSION_IDLE_SECONDS", default=30 * 60)
SESSION_ABSOLUTE_SECONDS = env.int("PORTAL_SESSION_ABSOLUTE_SECONDS", default=12 * 3600)
SESSION_COOKIE_AGE = SESSION_ABSOLUTE_SECONDS
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- the frame of every page ---------------------------------------------------------------------
PORTAL_NAME = "责任规划师工作平台"
# Where the public reaches the portal: printed in documents as the address (and QR code) of their verification page.
PUBLIC_URL = env.str("PORTAL_PUBLIC_URL", default="http://127.0.0.1:8000")
# Keys that older ciphertext of identity numbers and phones was written with (see core.crypto).
FIELD_KEYS_OLD = env.list("FIELD_KEYS_OLD", default=[])
# Optional virus scanner, as a command to which a file's path is added; 0 clean, 1 infected.
FILE_SCAN_COMMAND = env.list("PORTAL_FILE_SCAN_COMMAND", default=[])

# --- demo: invented people, printed password, overlay policies; never in production -----------------
DEMO = False
# Second half of the demo logins and the place each stands for.
DEMO_PLACES = {"bj": "东城", "tz": "通州", "jc": "晋城", "lc": "聊城"}

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 4000

X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# Own files only: no inline script or style, no frame, no other host. Images may be data: (QR codes, Tabler's icons).
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "core.views.errors.csrf_failure"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    # Logins are in the audit log; axes would repeat each in four lines.
    "loggers": {
        "axes": {"level": "WARNING"},
        # Several lines for each page of each PDF otherwise.
        **{name: {"level": "ERROR"} for name in ("weasyprint", "fontTools")},
    },
}
