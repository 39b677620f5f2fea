"""Other pages against the list of logs: forms, details, the public page; queries of each list; the first load."""

from __future__ import annotations

import gzip
import re
from contextlib import ExitStack
from functools import partial
from unittest import mock

from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from bench import data
from bench.report import Figure, by_turns, told
from bench.server import Visitor
from planners.models import Assignment, Contract
from projects.models import Project
from worklogs.models import WorkLog
from worklogs.services.figures import recount_year

ROUNDS, TIMES = 6, 15
LISTS = {
    "履职记录": "/worklogs/", "履职统计": "/worklogs/figures/", "项目": "/projects/", "规划师": "/planners/",
    "合同": "/planners/contracts/", "责任单元": "/districts/units/",
}  # fmt: skip
# Where the lists say how many rows a page has.
SIZES = ("core.listing.PAGE", "worklogs.views.lists._PAGE", "worklogs.views.figures._PAGE")
MOST_QUERIES = 8
MOST_OPTIONS = 200
FIRST_LOAD = 200  # KB


def measure(port: int) -> list[Figure]:
    with told("表单和详情"):
        pages = _compared(port)
    recount_year(year=data.today().year)  # so that the list of figures has several pages too
    with told("查询次数"):
        queries = [_queries(name, path) for name, path in LISTS.items()]
    return [*pages, *queries, _first_load(port)]


def _compared(port: int) -> list[Figure]:
    """Forms and details over the list of logs; the list of projects over the frame; the public page over hello."""
    bureau, planner, public = Visitor(port, data.viewer()), Visitor(port, _planner()), Visitor(port)
    place = data.viewer_locality()
    log = WorkLog.objects.filter(locality=place, contract__number__startswith="GM-").latest("pk").pk
    project, contract = (model.objects.filter(locality=place).latest("pk").pk for model in (Project, Contract))
    asked = {
        "表单：填写记录": (planner, "/worklogs/new/"),
        "表单：编辑项目": (bureau, f"/projects/{project}/edit/"),
        "表单：拟订合同": (bureau, f"/planners/contracts/new/{data.viewer_code()}/"),
        "详情：履职记录": (bureau, f"/worklogs/{log}/"),
        "详情：项目": (bureau, f"/projects/{project}/"),
        "详情：合同": (bureau, f"/planners/contracts/{contract}/"),
    }
    for visitor, path in asked.values():
        _check_selects(path, visitor.get(path))
    calls = {
        "hello": partial(public.get, "/bench/hello/"),
        "public": partial(public.get, "/"),
        "frame": partial(bureau.get, "/bench/frame/"),
        "list": partial(bureau.get, "/worklogs/"),
        "projects": partial(bureau.get, "/projects/"),
        **{name: partial(visitor.get, path) for name, (visitor, path) in asked.items()},
    }
    spent = {name: seconds * 1000 for name, seconds in by_turns(calls, rounds=ROUNDS, times=TIMES).items()}
    return [
        Figure("项目列表 / 空页框", spent["projects"], spent["frame"], "ms", 5),
        *(Figure(f"{name} / 记录列表", spent[name], spent["list"], "ms", 2) for name in asked),
        Figure("公开首页 / 最简视图", spent["public"], spent["hello"], "ms", 3),
    ]


def _planner() -> User:
    """Somebody with a login and more assignments than most."""
    rows = Assignment.objects.filter(planner__user__isnull=False, contract__state="signed", end__gte=data.today())
    most = rows.values_list("planner__user").annotate(count=Count("pk")).order_by("-count")[0]
    return User.objects.get(pk=most[0])


def _check_selects(path: str, page: str) -> None:
    for select in re.findall(r"<select.*?</select>", page, re.DOTALL):
        if (count := select.count("<option")) > MOST_OPTIONS:
            raise RuntimeError(f"{path}: a select of {count} options")


def _queries(name: str, path: str) -> Figure:
    """How many a list asks for a full page; as many for a page of one row."""
    client = Client(HTTP_HOST="127.0.0.1")
    client.force_login(data.viewer(), backend="accounts.backends.PortalBackend")
    counts = []
    for size in (50, 1):
        with ExitStack() as stack:
            for place in SIZES:
                stack.enter_context(mock.patch(place, size))
            client.get(path)
            seen = stack.enter_context(CaptureQueriesContext(connection))
            answer = client.get(path)
        if answer.status_code != 200:
            raise RuntimeError(f"{path} answered {answer.status_code}")
        counts.append(len(seen))
    if counts[0] != counts[1]:
        raise RuntimeError(f"{path}: {counts[0]} queries for a page, {counts[1]} for one row")
    return Figure(f"{name}列表的查询次数 / {MOST_QUERIES}", counts[0], MOST_QUERIES, "次", 1)


def _first_load(port: int) -> Figure:
    """Kilobytes of the front page with all that it loads, packed as production serves it."""
    visitor = Visitor(port)
    page = visitor.get("/")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    sizes = [len(gzip.compress(visitor.get(path).encode(), 9)) for path in files] + [len(gzip.compress(page.encode()))]
    return Figure(f"首次打开（{len(files)} 个文件，压缩后） / {FIRST_LOAD} KB", sum(sizes) / 1024, FIRST_LOAD, "KB", 1)
