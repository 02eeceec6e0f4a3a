"""Settings of an instance. What differs between instances comes from the environment; see docs/interfaces.md."""

from pathlib import Path

from csp.constants import NONE, SELF

from rtcc_geo import environment, native

BASE_DIR = Path(__file__).resolve().parent.parent
ORIGIN = environment.origin("RTCC_ORIGIN")
STATE_FOLDER = Path(environment.required("RTCC_STATE"))
OWN_DOOR = environment.optional("RTCC_OWN_DOOR", ORIGIN.url)
TLS_AUTHORITY = environment.optional("RTCC_TLS_AUTHORITY")
TLS_CERTIFICATE = environment.optional("RTCC_TLS_CERTIFICATE")
METRICS_TOKEN = environment.optional("RTCC_METRICS_TOKEN")

SECRET_KEY = environment.required("RTCC_SECRET_KEY")
# Keys of before: what they signed or encrypted can still be read.
SECRET_KEY_FALLBACKS = environment.several("RTCC_SECRET_KEY_FALLBACKS")
DEBUG = False
ALLOWED_HOSTS = [ORIGIN.host, "localhost", "127.0.0.1"]
CSRF_TRUSTED_ORIGINS = [ORIGIN.url]

POSITION_RETENTION = environment.duration("RTCC_POSITION_RETENTION", "90d")
QUEUE_FULL_AFTER = environment.duration("RTCC_QUEUE_FULL_AFTER", "60s")
AUDIT_HEADS = environment.optional("RTCC_AUDIT_HEADS")
LAYER_CATALOG = "rtcc_geo.catalog.LAYERS"
DATA_CLASSES = "rtcc_geo.catalog.DATA_CLASSES"
NOT_REMOVED_BY_AGE = "rtcc_geo.catalog.NOT_REMOVED_BY_AGE"

INSTALLED_APPS = [
    "apps.geo",
    "apps.processes",
    "apps.audit",
    "apps.accounts",
    "apps.layers",
    "apps.retention",
    "apps.boundaries",
    "apps.tracks",
    "apps.units",
    "apps.incidents",
    "apps.ingest",
    "apps.geofences",
    "apps.live",
    "apps.console",
    "apps.pipeline",
    "apps.demo",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "apps.audit.apps.AuditedAdmin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.gis",
    "django.contrib.postgres",
]
MIDDLEWARE = [
    "rtcc_geo.logs.RequestLog",
    "rtcc_geo.headers.PageHeaders",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "rtcc_geo.sending.Sending",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.audit.middleware.ActingMiddleware",
    "apps.audit.refusals.RefusalMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "apps.accounts.guard.Guard",
]
ROOT_URLCONF = "rtcc_geo.urls"
ASGI_APPLICATION = "rtcc_geo.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

native.use_wheels_data()
GDAL_LIBRARY_PATH = native.library("pyogrio", "libgdal-*.so*")
GEOS_LIBRARY_PATH = native.library("shapely", "libgeos_c-*.so*")
DATABASES = {
    "default": {
        "ENGINE": "django.contrib.gis.db.backends.postgis",
        "HOST": environment.required("RTCC_PGHOST"),
        "PORT": environment.required("RTCC_PGPORT"),
        "USER": environment.required("RTCC_PGUSER"),
        "NAME": environment.required("RTCC_PGDATABASE"),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 8, "timeout": 10}},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = environment.required("RTCC_REDIS_URL")
CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=")

AUTH_USER_MODEL = "accounts.Member"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
LOGIN_URL = "account_login"
# What pages ask again and again while nobody is at the desk.
ASKED_BY_PAGES = ["/accounts/session/", "/health/"]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "apps.accounts.sign_in.SignIn"
ACCOUNT_RATE_LIMITS = {"login_failed": "4/m/ip"}
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
MFA_ADAPTER = "apps.accounts.second_factor.SecondFactor"
MFA_FORMS = {"authenticate": "apps.accounts.forms.CodeForm", "reauthenticate": "apps.accounts.forms.CodeAgainForm"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1
MFA_TOTP_ISSUER = f"RTCC Geo {ORIGIN.host}"
SOCIALACCOUNT_ADAPTER = "apps.accounts.oidc.Federation"
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True}}
SOCIALACCOUNT_EMAIL_REQUIRED = SOCIALACCOUNT_STORE_TOKENS = False
SESSION_ENGINE = "apps.accounts.session_store"
# Pages on which people administer: only after a sign-in of the last minutes, and with a second factor.
ADMINISTRATION = ["/admin/", "/audit/", "/retention/", "/health/", "/accounts/workstation/"]
# What ends with a member who is cut off: functions of (member, at=), each in its transaction.
ENDS_WITH_MEMBER = ["apps.accounts.sessions.end_all", "apps.accounts.tokens.revoke_all"]
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ORIGIN.url.startswith("https")
DATA_UPLOAD_MAX_MEMORY_SIZE = FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 10
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 365 * 86_400 if ORIGIN.url.startswith("https") else 0
# Nothing inline, nothing from elsewhere; the map draws its pictures of symbols from memory.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "connect-src": [SELF],
        "font-src": [SELF],
        "worker-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "rtcc_geo.errors.answer",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "RTCC Geo",
    "DESCRIPTION": "Layers, boards and their history, under the viewer's grants.",
    "VERSION": "0.1.0",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

STATIC_URL = "/static/"
STATICFILES_DIRS = [folder for folder in [BASE_DIR / "static" / "dist"] if folder.is_dir()]
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
LOG_FORMAT = environment.choice("RTCC_LOG_FORMAT", ("line", "json"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "rtcc_geo.logs.Lines"},
    },
    "handlers": {"stderr": {"class": "rtcc_geo.discreet.DiscreetHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "httpx": {"level": "WARNING"},
        "celery": {"level": "WARNING"},
        # Uvicorn and Django bring handlers of their own, which would write whatever was asked for.
        **{name: {"handlers": [], "propagate": True} for name in ("uvicorn", "uvicorn.error", "uvicorn.asgi", "django")},
        "uvicorn.access": {"handlers": [], "propagate": False},
    },
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
