"""A form that saves itself, next to the portal's own pages."""

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import Context, RequestContext, Template
from django.urls import path

from config.urls import handler400, handler403, handler404, handler500  # noqa: F401
from config.urls import urlpatterns as portal

PAGE = """{% extends "base.html" %}{% load static ui %}
{% block title %}表单{% endblock %}{% block page_title %}表单{% endblock %}
{% block content %}
<form method="post" enctype="multipart/form-data" novalidate data-autosave="example" class="panel">
{% csrf_token %}{% form_errors form %}{% form_fields form %}
<p><button class="btn btn-primary" type="submit">提交</button></p>
</form>{% endblock %}{% block scripts %}<script src="{% static 'js/autosave.js' %}" defer></script>{% endblock %}"""


class ExampleForm(forms.Form):
    content = forms.CharField(label="内容", widget=forms.Textarea, min_length=5)
    kind = forms.ChoiceField(label="类别", choices=[("a", "走访"), ("b", "会议")])
    met = forms.BooleanField(label="会见负责人", required=False)
    photo = forms.FileField(label="照片", required=False)


@login_required
def example(request: HttpRequest) -> HttpResponse:
    form = ExampleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("/example/done/")
    return HttpResponse(Template(PAGE).render(RequestContext(request, {"form": form})))


def done(request: HttpRequest) -> HttpResponse:
    html = "<!doctype html><html lang=zh-CN><title>好</title><link rel=icon href=data:,><body>已提交"
    return HttpResponse(Template(html).render(Context()))


urlpatterns = [path("example/", example), path("example/done/", done), *portal]
