"""Forms of files, recusals and requests for data."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.roles import Role
from core.files import MB
from core.forms import DayField, LaidOut
from core.formtools import OnceMixin
from core.lookups import LookupField
from districts.access import access_of
from planners.models import Planner
from projects.models import DataRequest, Project, ProjectFile, Recusal
from projects.services.files import LEVELS, MAX_BYTES

_HINT = f"PDF、图片、.docx 或表格，不超过 {MAX_BYTES // MB} MB。"
_AREA = forms.Textarea(attrs={"rows": 3})
_MANY = {"enctype": "multipart/form-data"}


class FileForm(LaidOut, OnceMixin, forms.Form):
    rows = (("kind", "title"), "upload", "level", "note")
    submit = "上传"
    form_attrs = _MANY
    kind = forms.ChoiceField(label="类别", choices=ProjectFile.Kind.choices)
    title = forms.CharField(label="名称", max_length=120)
    upload = forms.FileField(label="文件", help_text=_HINT)
    level = forms.ChoiceField(
        label="密级", choices=LEVELS, widget=forms.RadioSelect, initial=LEVELS[0][0],
        help_text="“须签保密协议”的，规划师在本地方登记有保密协议才能打开。",
    )  # fmt: skip
    note = forms.CharField(label="说明", required=False, max_length=200, help_text="如版本、来源；地图请注明审图号。")


class VersionForm(LaidOut, OnceMixin, forms.Form):
    submit = "上传新版本"
    form_attrs = _MANY
    upload = forms.FileField(label="文件", help_text=_HINT)
    note = forms.CharField(label="改了什么", max_length=200)


class RecusalForm(LaidOut, OnceMixin, forms.Form):
    """The bureau for anybody, a planner for themselves: then nobody is chosen."""

    rows = ("planner", "ground", "reason", "replaced_by")
    submit = "登记回避"
    form_attrs = {
        "data-confirm": "登记后，该规划师不再看到本项目的征询、意见和整改，尚未答复的征询随即退出。确定登记吗？",
        "data-confirm-ok": "登记",
    }
    planner = LookupField(Planner.objects.none(), url_name="planners:planner-lookup", label="规划师")
    ground = forms.ChoiceField(label="原因类别", choices=Recusal.Ground.choices, widget=forms.RadioSelect)
    reason = forms.CharField(label="说明", max_length=300, widget=_AREA)
    replaced_by = LookupField(
        Planner.objects.none(), url_name="planners:planner-lookup", label="由谁接替", required=False,
        help_text="接替其尚未答复的征询；可以不填，另行选择。",
    )  # fmt: skip

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        people = Planner.objects.visible_to(user).filter(is_active=True)
        if access_of(user).is_role(Role.BUREAU):
            fields["planner"].queryset = fields["replaced_by"].queryset = people
            fields["ground"].initial = Recusal.Ground.INSTITUTION
        else:
            del fields["planner"], fields["replaced_by"], fields["ground"]


class DataRequestForm(LaidOut, OnceMixin, forms.Form):
    rows = ("what", "purpose", "project")
    submit = "提交申请"
    what = forms.CharField(label="所需资料", max_length=200, help_text="如：控规图则、现状地形图、人口与设施数据。")
    purpose = forms.CharField(label="用途", max_length=300, widget=_AREA)
    project = LookupField(Project.objects.none(), url_name="projects:project-lookup", label="用于项目", required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["project"]
        field.queryset = Project.objects.visible_to(user)


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several files under one name; what they hold is judged when each is stored."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [upload for upload in (data if isinstance(data, (list, tuple)) else [data]) if upload]


class DataAnswerForm(LaidOut, forms.Form):
    rows = ("decision", "level", "uploads", "answer", "valid_to")
    submit = "答复"
    form_attrs = _MANY
    decision = forms.ChoiceField(
        label="答复", choices=[("grant", "提供"), ("refuse", "不予提供")], widget=forms.RadioSelect
    )
    level = forms.ChoiceField(
        label="资料级别", required=False, choices=[("", "请选择"), *DataRequest.Level.choices],
        help_text="提供时选择；“须签保密协议”的只能提供给登记有保密协议的规划师。",
    )  # fmt: skip
    uploads = FilesField(label="资料", required=False, help_text=_HINT)
    answer = forms.CharField(
        label="答复说明", required=False, max_length=300, widget=_AREA,
        help_text="不予提供的写明原因；没有上传资料的写明到哪里查阅。",
    )  # fmt: skip
    valid_to = DayField(label="可查阅至", required=False, help_text="不填为长期可查阅。")
