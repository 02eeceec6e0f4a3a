from django.apps import AppConfig


class GeofencesConfig(AppConfig):
    name = "apps.geofences"
