from django.apps import AppConfig


class WorklogsConfig(AppConfig):
    name = "worklogs"
    verbose_name = "履职记录"

    def ready(self) -> None:
        from projects.sources import register_source_lookup
        from worklogs import receivers  # noqa: F401
        from worklogs.services.inspection_matters import inspection_address

        register_source_lookup(inspection_address)
