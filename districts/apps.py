from django.apps import AppConfig


class DistrictsConfig(AppConfig):
    name = "districts"
    verbose_name = "地方与制度"

    def ready(self) -> None:
        from core.roles import register_principal_lookup, register_role_lookup, register_scope_lookups

        from .access import access_of, held_roles, places_reached

        register_role_lookup(lambda user: access_of(user).role)
        register_principal_lookup(lambda user: access_of(user).principal)
        register_scope_lookups(places=places_reached, held=held_roles)
