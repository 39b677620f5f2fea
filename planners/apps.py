from django.apps import AppConfig


class PlannersConfig(AppConfig):
    name = "planners"
    verbose_name = "规划师与聘用"

    def ready(self) -> None:
        from planners import bound, receivers  # noqa: F401
