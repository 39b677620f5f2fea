"""As in production but for TLS and for the demo's generator of data; servers come from the environment."""

from config.settings.base import *  # noqa: F403
from config.settings.base import env

DEBUG = False
DEMO = True
SECRET_KEY = env.str("SECRET_KEY")
FIELD_KEY = env.str("FIELD_KEY")
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.urls"
WHITENOISE_USE_FINDERS = True
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"handlers": [], "level": "ERROR"}}
