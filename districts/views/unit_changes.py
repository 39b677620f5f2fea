"""Pages of a unit's changes: which kind, what it states, what it would do row by row, the act; and its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods

from accounts.roles import Role
from core import audit
from core.files import DOCUMENTS, IMAGES, store_file, stream
from core.formtools import attempt, attempt_once
from core.http import PersonRequest
from core.idempotency import FIELD, made_with
from core.listing import FilteredListView
from core.permissions import get_for, require
from core.templatetags.ui import Column, status_html
from districts.access import access_of
from districts.exports import export_unit_changes
from districts.filters_units import UnitChangeFilter
from districts.forms_units import HandoverForm, MergeForm, OrderForm, RenameForm, RetireForm, ScanForm, SplitForm
from districts.models import Unit, UnitChange
from districts.passing import STOP
from districts.permissions import can_change_unit
from districts.services import unit_changes as services
from districts.services.unit_changes import Order, rehearse

_Kind = UnitChange.Kind
_UNITS = Unit.objects.select_related("locality", "charge", "office")


@dataclass(frozen=True)
class Way:
    """A kind of change as the page offers it: `text` says when it is the right one."""

    kind: UnitChange.Kind
    icon: str
    text: str
    form: type[OrderForm]
    danger: bool = True


WAYS = {
    way.kind: way
    for way in (
        Way(
            _Kind.RENAME,
            "edit",
            "单元还是原来的单元，只换名称。此前的记录保留原名，新旧名称都能查到。",
            RenameForm,
            False,
        ),
        Way(_Kind.MERGE, "arrows-join", "与本地方的其他单元合成一个：新设，或并入其中一个。", MergeForm),
        Way(_Kind.SPLIT, "arrows-split", "分成几个新单元，或原单元保留、析出新单元。", SplitForm),
        Way(_Kind.HANDOVER, "transfer", "划给另一个地方管理。以往记录留在本地方，以后按对方的制度办理。", HandoverForm),
        Way(_Kind.RETIRE, "archive", "不再设这个单元，也没有后继单元。", RetireForm),
    )
}


def _act(form: Any, unit: Unit, actor: Any, order: Order) -> UnitChange:
    """Do what the form states."""
    data = form.cleaned_data
    if isinstance(form, RenameForm):
        return services.rename_unit(unit, actor=actor, order=order, name=data["name"])
    if isinstance(form, MergeForm):
        others = list(data["others"])
        return services.merge_units(unit, actor=actor, order=order, others=others, into=form.target())
    if isinstance(form, SplitForm):
        return services.split_unit(unit, actor=actor, order=order, into=form.units(), keep=data["keep"])
    if isinstance(form, HandoverForm):
        return services.hand_over(unit, actor=actor, order=order, to=data["to"], name=data["name"])
    return services.end_unit(unit, actor=actor, order=order)


@login_required
@require_http_methods(["GET", "POST"])
def unit_change(request: PersonRequest, pk: int) -> HttpResponse:
    """Without ?kind= the choice of kinds; then the form, its preview, the act."""
    unit = get_for(request.user, Unit, pk, queryset=_UNITS)
    done = made_with(request.user, request.POST.get(FIELD, ""))
    if isinstance(done, UnitChange):
        # A second click: by now the unit takes no further change.
        return redirect(done)
    require(can_change_unit(request.user, unit))
    way = WAYS.get(request.GET.get("kind", ""))  # type: ignore[call-overload]
    if way is None:
        return render(request, "districts/unit_change.html", {"unit": unit, "ways": WAYS.values()})
    form = way.form(request.POST or None, unit=unit)
    step = request.POST.get("step", "")
    if request.method == "POST" and step != "edit" and form.is_valid():
        if step == "apply":
            return _apply(request, unit, way, form)
        return _preview(request, unit, way, form)
    return _form_page(request, unit, way, form)


def _form_page(request: PersonRequest, unit: Unit, way: Way, form: Any) -> HttpResponse:
    return render(request, "districts/unit_change_form.html", {"unit": unit, "way": way, "form": form})


def _order(request: PersonRequest, unit: Unit, form: Any) -> Order:
    """As stated, with what was chosen for single rows and the newest change that the officer had seen."""
    chosen = {name.removeprefix("choice-"): value for name, value in request.POST.items() if name.startswith("choice-")}
    return form.order(seen=form.cleaned_data["seen"], choices=chosen)


def _preview(request: PersonRequest, unit: Unit, way: Way, form: Any, scan: ScanForm | None = None) -> HttpResponse:
    order = replace(_order(request, unit, form), tentative=True)
    change = attempt(form, lambda: rehearse(lambda: _act(form, unit, request.user, order)))
    if change is None:
        return _form_page(request, unit, way, form)
    carried = [
        (name, value)
        for name, values in request.POST.lists()
        if not name.startswith("choice-") and name not in ("step", "csrfmiddlewaretoken")
        for value in values
    ]
    return render(request, "districts/unit_change_preview.html", {
        "unit": unit, "way": way, "change": change, "areas": _by_area(change.rehearsal), "carried": carried,
        "scan": scan or ScanForm(), "late": change.effective < timezone.localdate(),
        "stopped": any(effect.tone == STOP for effect in change.rehearsal),
    })  # fmt: skip


def _by_area(effects: Sequence[Any]) -> list[tuple[str, list[Any]]]:
    """Effects under their headings, in the order in which they came."""
    areas: dict[str, list[Any]] = {}
    for effect in effects:
        areas.setdefault(effect.area if hasattr(effect, "area") else effect["area"], []).append(effect)
    return list(areas.items())


def _apply(request: PersonRequest, unit: Unit, way: Way, form: Any) -> HttpResponse:
    scan = ScanForm(request.POST, request.FILES)
    if not scan.is_valid():
        return _preview(request, unit, way, form, scan)
    change = attempt_once(form, request.user, lambda data: _done(request, unit, form, scan.cleaned_data["scan"]))
    if change is None:
        return _form_page(request, unit, way, form)
    messages.success(request, f"已办理{way.kind.label}，{change.effective:%Y-%m-%d} 起生效。")
    return redirect(change)


@transaction.atomic
def _done(request: PersonRequest, unit: Unit, form: Any, upload: Any) -> UnitChange:
    order = _order(request, unit, form)
    if upload is not None:
        stored = store_file(
            upload, actor=request.user, purpose="unit-change", allowed={*DOCUMENTS, *IMAGES},
            locality_code=unit.locality.code,
        )  # fmt: skip
        order = replace(order, scan=stored)
    return _act(form, unit, request.user, order)


_CHANGES = UnitChange.objects.select_related("locality", "created_by", "scan").prefetch_related(
    "lines__predecessor__locality", "lines__successor__locality"
)


class UnitChangeList(FilteredListView):
    template_name = "districts/unit_change_list.html"
    filter_class = UnitChangeFilter
    caption = "责任单元变更"
    columns = (
        Column("变更", kind="main"), Column("方式"), Column("生效日期", "effective", "date"), Column("文号"),
        Column("地方"), Column("状态", kind="status"),
    )  # fmt: skip

    def scoped(self) -> Any:
        return UnitChange.objects.visible_to(self.request.user).select_related("locality").prefetch_related("lines")

    def row(self, change: UnitChange) -> Sequence[Any]:
        words = "；".join(str(line) for line in change.lines.all())
        return (
            format_html('<a href="{}">{}</a>', change.get_absolute_url(), words), change.get_kind_display(),
            f"{change.effective:%Y-%m-%d}", change.document_number, change.locality.name, standing(change),
        )  # fmt: skip


def standing(change: UnitChange) -> Any:
    return status_html("已生效", "good") if change.settled else status_html("待生效", "waiting")


@require_GET
@login_required
def unit_change_export(request: PersonRequest) -> FileResponse:
    rows = (
        UnitChange.objects.visible_to(request.user).select_related("locality", "created_by").prefetch_related("lines")
    )
    audit.record("unit.change_export", actor=request.user, detail={"filter": request.GET.urlencode()})
    return export_unit_changes(UnitChangeFilter(request.GET, rows, user=request.user).qs)


@require_GET
@login_required
def unit_change_detail(request: PersonRequest, pk: int) -> HttpResponse:
    change = get_for(request.user, UnitChange, pk, queryset=_CHANGES)
    units = {unit for line in change.lines.all() for unit in (line.predecessor_id, line.successor_id) if unit}
    seen = set(Unit.objects.visible_to(request.user).filter(pk__in=units).values_list("pk", flat=True))
    access = access_of(request.user)
    # Whose contracts and officers were carried over is the business of those who answer for them there.
    inside = access.covers(change.locality_id) and access.is_role(Role.BUREAU, Role.LEADER, Role.CITY)
    return render(request, "districts/unit_change_detail.html", {
        "change": change, "standing": standing(change), "seen": seen,
        "areas": _by_area(change.effects) if inside else [], "inside": inside,
    })  # fmt: skip


@require_GET
@login_required
def unit_change_scan(request: PersonRequest, pk: int) -> FileResponse:
    """The ordering document, for whoever may see the change."""
    change = get_for(request.user, UnitChange, pk, queryset=_CHANGES)
    if change.scan is None:
        raise Http404("没有上传扫描件。")
    return stream(change.scan, inline=True)
