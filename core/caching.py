"""The cache of `CACHES`: Django's for Redis, one client kept for each server, not made at every call."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends import redis


class _KeptClients(redis.RedisCacheClient):
    """Making a client costs as much as asking it; one may be shared between threads, connections come of its pool."""

    _client: Any  # the library's class of clients
    _get_connection_pool: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._clients: dict[Any, Any] = {}

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        pool = self._get_connection_pool(write)
        if pool not in self._clients:
            self._clients[pool] = self._client(connection_pool=pool)
        return self._clients[pool]


class RedisCache(redis.RedisCache):
    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _KeptClients
