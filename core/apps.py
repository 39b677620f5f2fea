from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = "基础"

    def ready(self) -> None:
        from core import checks  # noqa: F401  registers the start-up checks

        # Job handlers, state machines and kinds of imports are known by name: every process must have read them.
        from core.imports import jobs  # noqa: F401

        autodiscover_modules("jobs", "transitions", "services.imports", "imports")
