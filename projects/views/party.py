"""What an outsider gets by a one-time link: a code to give, one matter to read, one reply to send.

Nothing here knows of logins: the pages stand outside the portal's frame, are kept by no cache and no search engine, and
tell no other site their address.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from core.files import MAX_PHOTO_BYTES, stream
from core.formtools import attempt
from projects.forms_rectifications import CodeForm, PartyReplyForm
from projects.models import PartyLink
from projects.services import party_links
from projects.services.party_links import LinkClosed
from projects.services.rectifications import MAX_PHOTOS

COOKIE = "party_proof"
# More than the photos that a reply may hold is not even read.
MAX_BODY = (MAX_PHOTOS + 1) * MAX_PHOTO_BYTES
WORDS = {
    party_links.USED: (
        "此链接已使用",
        "这个链接只能回复一次，回复已经收到。如需补充，请联系向您发送链接的单位重新发送。",
    ),
    party_links.EXPIRED: ("此链接已过期", "这个链接已超过有效期，不能再回复。请联系向您发送链接的单位重新发送。"),
    party_links.REVOKED: ("此链接已作废", "这个链接已由发送单位作废。如需回复，请使用最新收到的链接。"),
    party_links.LOCKED: ("此链接已锁定", "校验码多次输错，这个链接已经锁定。请联系向您发送链接的单位重新发送。"),
    party_links.SETTLED: ("此事项已办结", "这项整改已经办结，不需要再回复。"),
}

View = Callable[..., HttpResponseBase]


def outsider(view: View) -> View:
    """The headers of every answer under a link, refusals included."""

    @wraps(view)
    def answered(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, _found(token), **kwargs)
        except LinkClosed as closed:
            response = _closed(request, closed.standing)
        except Http404:
            response = _page(
                request, "不存在的链接", "没有这个链接。请核对地址是否完整，或联系向您发送链接的单位。", 404
            )
        response["Cache-Control"] = "private, no-store"
        # The origin alone, never the address with its token; with no-referrer browsers would send forms with a null
        # origin, which the protection against forged requests refuses.
        response["Referrer-Policy"] = "strict-origin"
        response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
        return response

    return answered


def _found(token: str) -> PartyLink:
    link = party_links.find_link(token)
    if link is None:
        raise Http404
    return link


def _proven(request: HttpRequest, link: PartyLink) -> bool:
    return party_links.is_proven(link, request.COOKIES.get(COOKIE, ""))


def _page(request: HttpRequest, title: str, text: str, status: int) -> HttpResponse:
    return render(request, "party/notice.html", {"title": title, "text": text}, status=status)


def _closed(request: HttpRequest, standing: str) -> HttpResponse:
    return _page(request, *WORDS[standing], 410)


@outsider
@require_GET
def link(request: HttpRequest, link: PartyLink) -> HttpResponse:
    """The code first; then the matter with the form of the reply. Opening it spends nothing."""
    if (now := party_links.standing(link)) != party_links.OPEN:
        return _closed(request, now)
    if not _proven(request, link):
        return render(request, "party/code.html", {"form": CodeForm()})
    return _matter(request, link, PartyReplyForm(originals=party_links.originals_of(link.rectification)))


def _matter(request: HttpRequest, link: PartyLink, form: PartyReplyForm) -> HttpResponse:
    context = {"matter": party_links.matter_for(link), "form": form, "token": request.resolver_match.kwargs["token"]}
    return render(request, "party/matter.html", context)


@outsider
@require_POST
def code(request: HttpRequest, link: PartyLink) -> HttpResponse:
    if (now := party_links.standing(link)) != party_links.OPEN:
        return _closed(request, now)
    form = CodeForm(request.POST)
    if form.is_valid() and party_links.try_code(link, form.cleaned_data["code"]):
        return _let_in(request, link)
    link.refresh_from_db(fields=["tries_left"])
    if link.tries_left == 0:
        return _closed(request, party_links.LOCKED)
    if form.is_valid():
        form.add_error("code", f"校验码不对，还可以再试 {link.tries_left} 次。")
    return render(request, "party/code.html", {"form": form})


def _let_in(request: HttpRequest, link: PartyLink) -> HttpResponse:
    address = reverse("party:link", kwargs=request.resolver_match.kwargs)
    response = redirect(address)
    # For this link alone: the path holds its token.
    response.set_cookie(
        COOKIE, party_links.proof_of(link), max_age=party_links.PROOF_SECONDS, path=address, httponly=True,
        secure=settings.SESSION_COOKIE_SECURE, samesite="Strict",
    )  # fmt: skip
    return response


@outsider
@csrf_exempt
@require_http_methods(["POST"])
def reply(request: HttpRequest, link: PartyLink) -> HttpResponseBase:
    """The one reply. Who has not given the code, or sends too much, is answered before the body is read."""
    if (now := party_links.standing(link)) != party_links.OPEN:
        return _closed(request, now)
    if not _proven(request, link):
        # Not a redirect: what looks after drafts would read the body of one.
        form = CodeForm()
        return render(request, "party/code.html", {"form": form, "first": "请先输入校验码，再提交回复。"}, status=403)
    if _size(request) > MAX_BODY:
        text = f"一次最多上传 {MAX_PHOTOS} 张照片，每张不超过 25 MB。请返回后减少照片再提交。"
        return _page(request, "照片太大", text, 413)
    return _reply(request, link)


def _size(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return MAX_BODY + 1


@csrf_protect
def _reply(request: HttpRequest, link: PartyLink) -> HttpResponse:
    originals = party_links.originals_of(link.rectification)
    form = PartyReplyForm(request.POST, request.FILES, originals=originals)
    if form.is_valid():
        data = form.cleaned_data
        done = attempt(form, lambda: party_links.answer(
            link, text=data["text"], signed_as=data["signed_as"], uploads=form.uploads()
        ))  # fmt: skip
        if done is not None:
            return redirect("party:done", **request.resolver_match.kwargs)
    return _matter(request, link, form)


@outsider
@require_GET
def done(request: HttpRequest, link: PartyLink) -> HttpResponse:
    """The receipt, for the browser that sent the reply; anybody else is told that the link is used."""
    if party_links.standing(link) == party_links.OPEN:
        return redirect("party:link", **request.resolver_match.kwargs)
    if link.used_at is None or not _proven(request, link):
        return _closed(request, party_links.standing(link))
    return render(request, "party/done.html", {"number": link.rectification.number, "at": link.used_at})


@outsider
@require_GET
def photo(request: HttpRequest, link: PartyLink, pk: int) -> HttpResponseBase:
    """A photo of what is wrong, of this matter alone."""
    if (now := party_links.standing(link)) != party_links.OPEN:
        return _closed(request, now)
    if not _proven(request, link):
        raise Http404
    found = get_object_or_404(party_links.originals_of(link.rectification), pk=pk)
    return stream(found.file, as_name=f"{link.rectification.number}-{found.pk}.jpg", inline=True)
