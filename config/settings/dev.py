"""The way `make run` runs: embedded database and broker unless DATABASE_URL / REDIS_URL say otherwise."""

from .base import *  # noqa: F403
from .base import DATA_DIR, env
from .keys import local_key

DEBUG = env.bool("DEBUG", default=False)
DEMO = env.bool("PORTAL_DEMO", default=True)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
SECRET_KEY = env.str("SECRET_KEY", default="") or local_key(DATA_DIR, "secret_key")
FIELD_KEY = env.str("FIELD_KEY", default="") or local_key(DATA_DIR, "field_key")
# Served by the portal itself without collectstatic, so that a second start stays quick.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
