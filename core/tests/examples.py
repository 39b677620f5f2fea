"""Properties that need the database or a file at each example are tried with fewer than those that only count."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

few = settings(
    max_examples=settings.default.max_examples // 3,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
