"""What came of a round: results, deliberation."""

from django.urls import path

from .views import deliberation, evidence, results

urlpatterns = [
    path("rounds/<int:pk>/results/", results.ResultList.as_view(), name="results"),
    path("rounds/<int:pk>/results/compute/", results.results_compute, name="results-compute"),
    path("rounds/<int:pk>/results/outliers/", results.results_outliers, name="results-outliers"),
    path("rounds/<int:pk>/results/export/", results.results_export, name="results-export"),
    path("rounds/<int:pk>/results/settle/", deliberation.results_settle, name="results-settle"),
    path("rounds/<int:pk>/deliberation/", deliberation.deliberation, name="deliberation"),
    path("results/<int:pk>/", results.result_detail, name="result"),
    path("results/<int:pk>/adjust/", deliberation.result_adjust, name="result-adjust"),
    path("results/<int:pk>/settle/", deliberation.result_settle, name="result-settle"),
    path("results/<int:pk>/unsettle/", deliberation.result_unsettle, name="result-unsettle"),
    path("results/<int:pk>/correct/", deliberation.result_correct, name="result-correct"),
    path("results/<int:pk>/rewards/<int:number>/", deliberation.result_reward, name="result-reward"),
    path("deliberations/<int:pk>/minutes/make/", deliberation.minutes_make, name="minutes-make"),
    path("deliberations/<int:pk>/minutes/", deliberation.minutes, name="minutes"),
    path("subjects/<int:pk>/evidence/<slug:code>/", evidence.evidence, name="evidence"),
]
