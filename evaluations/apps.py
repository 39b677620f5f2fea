from django.apps import AppConfig


class EvaluationsConfig(AppConfig):
    name = "evaluations"
    verbose_name = "评估与述职"

    def ready(self) -> None:
        from evaluations import bound, jobs_papers, jobs_results, receivers  # noqa: F401
        from evaluations.services import filling_checks, objections, publications, responses  # noqa: F401
