from django.apps import AppConfig
from django.contrib.admin import apps as django_admin


class AuditConfig(AppConfig):
    name = "apps.audit"
    default = True


class AuditedAdmin(django_admin.AdminConfig):
    """Django's admin, on a site whose every write is audited."""

    default_site = "apps.audit.site.AuditedSite"
    default = False
