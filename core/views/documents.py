"""The public verification of issued documents: by code, and by comparing a file."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from core.files import worded_size
from core.pdf.verify import find_document, standing, verify_bytes

MAX_BYTES = 50 * 1024 * 1024


class CodeForm(forms.Form):
    code = forms.CharField(
        label="核验码", max_length=40, strip=True, help_text="印在文书末页二维码旁，共 10 位字母和数字，不分大小写。"
    )


class CompareForm(forms.Form):
    file = forms.FileField(label="PDF 文件", allow_empty_file=False, help_text="只比对，不保存。")

    def clean_file(self) -> bytes:
        upload = self.cleaned_data["file"]
        if upload.size > MAX_BYTES:
            raise forms.ValidationError(f"文件有 {worded_size(upload.size)}，超过上限 {worded_size(MAX_BYTES)}。")
        content: bytes = upload.read()
        return content


@never_cache
@require_http_methods(["GET", "POST"])
def verify_entry(request: HttpRequest) -> HttpResponse:
    """Where a code is typed, or a file given that says its own."""
    form, compare, verdict = CodeForm(), CompareForm(), None
    if request.method == "POST" and "file" in request.FILES:
        compare = CompareForm(request.POST, request.FILES)
        if compare.is_valid():
            verdict = verify_bytes(compare.cleaned_data["file"])
    elif request.method == "POST":
        form = CodeForm(request.POST)
        if form.is_valid():
            document = find_document(form.cleaned_data["code"])
            if document is not None:
                return redirect("core:verify", document.code)
            form.add_error("code", "没有找到这个核验码对应的文书，请核对后重新输入。")
    return render(request, "core/verify_entry.html", {"form": form, "compare": compare, "verdict": verdict})


@never_cache
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """What the document with this code is, and whether a given file is it."""
    document = find_document(code)
    if document is None:
        return render(request, "core/verify_unknown.html", {"code": code[:20]}, status=404)
    form, verdict = CompareForm(), None
    if request.method == "POST":
        form = CompareForm(request.POST, request.FILES)
        if form.is_valid():
            verdict = verify_bytes(form.cleaned_data["file"], expected=document)
    context = {"document": document, "form": form, "verdict": verdict, "standing": standing(document)}
    return render(request, "core/verify.html", context)
