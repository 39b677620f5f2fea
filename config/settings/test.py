"""Settings of the test suite: PostgreSQL and Redis come from the environment (`make test` sets them)."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

if "PORTAL_DATA_DIR" not in os.environ:
    os.environ["PORTAL_DATA_DIR"] = tempfile.mkdtemp(prefix="portal-test-")
    atexit.register(shutil.rmtree, os.environ["PORTAL_DATA_DIR"], ignore_errors=True)

# Test processes side by side must not empty each other's cache or share files. What they start inherits their places.
_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
if _WORKER and os.environ.get("PORTAL_TEST_WORKER") != _WORKER:
    os.environ["PORTAL_TEST_WORKER"] = _WORKER
    os.environ["PORTAL_DATA_DIR"] = str(Path(os.environ["PORTAL_DATA_DIR"]) / _WORKER)
    if os.environ.get("REDIS_URL"):
        _url = urlsplit(os.environ["REDIS_URL"])
        _number = (int(_url.path.strip("/") or 0) + int(_WORKER.removeprefix("gw"))) % 16
        os.environ["REDIS_URL"] = _url._replace(path=f"/{_number}").geturl()
Path(os.environ["PORTAL_DATA_DIR"]).mkdir(parents=True, exist_ok=True)

from .base import *  # noqa: E402, F403
from .base import DATA_DIR, DATABASES, env  # noqa: E402

DEBUG = False
DEMO = env.bool("PORTAL_DEMO", default=True)
SECRET_KEY = "test-only-secret-key-never-used-elsewhere-0123456789"  # noqa: S105
FIELD_KEY = "test-only-field-key-never-used-elsewhere-0123456789"
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = env.bool("CELERY_EAGER", default=True)
CELERY_TASK_EAGER_PROPAGATES = True
MEDIA_ROOT = Path(DATA_DIR) / "files"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # In a file, as people run it: in memory every thread of a test's server would share one connection.
    DATABASES["default"]["TEST"] = {"NAME": str(Path(DATA_DIR) / "test.sqlite3")}
