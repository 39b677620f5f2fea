"""Production: refuses to start unsafely, and says what to set."""

from django.core.exceptions import ImproperlyConfigured

from .base import *  # noqa: F403
from .base import env

DEBUG = False
DEMO = False


# Words of keys that stand in documents, examples and tests.
_KNOWN = ("change", "insecure", "example", "test-only", "secret")


def _secret(name: str) -> str:
    value = env.str(name, default="")
    if len(value) < 32 or len(set(value)) < 8 or any(word in value.lower() for word in _KNOWN):
        raise ImproperlyConfigured(f"{name} 未设置或过弱：请设置至少 32 个字符的随机值（环境变量 {name}）。")
    return value


def _strict_bool(name: str, default: bool) -> bool:
    raw = env.str(name, default=str(default))
    if raw.lower() not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name} 只能是 true 或 false，现在是“{raw}”。")
    return raw.lower() == "true"


for _name in ("DEBUG", "PORTAL_DEMO"):
    if _strict_bool(_name, False):
        raise ImproperlyConfigured(f"生产环境不允许 {_name}=true。")
SECRET_KEY = _secret("SECRET_KEY")
FIELD_KEY = _secret("FIELD_KEY")
if SECRET_KEY == FIELD_KEY:
    raise ImproperlyConfigured("SECRET_KEY 与 FIELD_KEY 不能相同。")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS 未设置：请列出本系统的域名，不允许使用 *。")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])


def _given(name: str, why: str, *beginnings: str) -> str:
    value = env.str(name, default="")
    if not value.startswith(beginnings):
        raise ImproperlyConfigured(f"{name} 未设置或不正确：{why}（以 {'、'.join(beginnings)} 开头）。")
    return value


# The embedded pair is for trying out and for one small office (config.settings.dev); several people at once need both.
_given("DATABASE_URL", "生产环境使用 PostgreSQL", "postgres://", "postgresql://")
_given("REDIS_URL", "生产环境使用 Redis", "redis://", "rediss://", "unix://")
PUBLIC_URL = _given("PORTAL_PUBLIC_URL", "印在文书的二维码上，是公众核验文书的网址", "https://", "http://")

_TLS = _strict_bool("PORTAL_TLS", True)
SECURE_SSL_REDIRECT = _TLS
# Load balancers ask inside the machine room, without TLS.
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
SECURE_HSTS_SECONDS = 31536000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _TLS
SECURE_HSTS_PRELOAD = _TLS
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "core.static_storage.ManifestStaticStorage"},
}
