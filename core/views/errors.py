"""The pages of what goes wrong. Those of an outage (500, 503) touch neither database nor session."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from django.utils.cache import add_never_cache_headers
from redis.exceptions import ConnectionError as RedisDown
from redis.exceptions import TimeoutError as RedisSlow

from core.context import current
from core.errors import StaleState

log = logging.getLogger(__name__)

NO_RIGHT = "您没有进行此操作的权限。"
NOT_FOUND = "没有找到您要的内容，或您无权查看。"


def is_outage(exception: BaseException | None) -> bool:
    """Is this a service that is away (database, Redis) rather than a mistake of ours?"""
    return isinstance(exception, (OperationalError, InterfaceError, RedisDown, RedisSlow))


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, 400, "请求有误", "提交的内容无法识别，请返回后重试。")


def permission_denied(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """403 with the reason, when the refusal has one."""
    reason = getattr(exception, "reason", "") or NO_RIGHT
    response = _page(request, 403, "不能进行此操作", reason)
    response.refusal = reason  # type: ignore[attr-defined]
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    response = _page(request, 403, "页面已过期", "页面停留过久或已在别处重新登录，请返回上一页刷新后再提交。")
    response.refusal = "CSRF"  # type: ignore[attr-defined]
    return response


def page_not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return _page(request, 404, "没有找到", NOT_FOUND)


def conflict(request: HttpRequest, exception: StaleState) -> HttpResponse:
    return _page(request, 409, "已被他人处理", exception.reason)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; an outage that surfaced outside of a view is answered as the outage it is."""
    if is_outage(sys.exc_info()[1]):
        return unavailable(request)
    return _plain(request, 500, "系统出错", "很抱歉，系统出现错误，您的内容没有保存。请稍后再试。")


def unavailable(request: HttpRequest) -> HttpResponse:
    response = _plain(request, 503, "暂时无法使用", "系统正在维护或繁忙，本次操作没有保存。请稍后再试。")
    response.headers["Retry-After"] = "30"
    return response


def _page(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    """In the frame of the portal; without the frame when that cannot be rendered."""
    known = {"title": title, "text": text, "status": status, "request_id": current().request_id}
    try:
        html = loader.render_to_string("errors/error.html", known, request)
    except Exception:  # the frame needs database and static files; the message must arrive without them
        log.exception("error page without frame")
        return _plain(request, status, title, text)
    return _answer(request, html, status, text)


def _plain(request: HttpRequest, status: int, title: str, text: str) -> HttpResponse:
    known = {"title": title, "text": text, "status": status, "request_id": current().request_id}
    # Rendered without the request: no context processor runs, so nothing asks the database who is there.
    return _answer(request, loader.render_to_string("errors/plain.html", known), status, text)


def _answer(request: HttpRequest, html: str, status: int, text: str) -> HttpResponse:
    response = HttpResponse(html, status=status)
    add_never_cache_headers(response)
    if request.headers.get("HX-Request"):
        # A part of a page must not be replaced by an error page: the page shows the text as a message.
        response.headers["HX-Reswap"] = "none"
        response.headers["HX-Trigger"] = json.dumps({"portal:error": {"text": text, "status": status}})
    return response
