from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "projects"
    verbose_name = "项目"

    def ready(self) -> None:
        from projects import (  # noqa: F401
            receivers,
            receivers_adoption,
            receivers_rectifications,
            receivers_registry,
        )
