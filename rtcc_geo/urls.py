"""Where pages and answers live. The front door, /healthz and /live/ lie outside Django: see entrance.py."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from apps.accounts.admin import hide_library_pages

hide_library_pages()
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.console.urls")),
    path("accounts/", include("apps.accounts.urls")),
    path("api/layers/", include("apps.layers.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("retention/", include("apps.retention.urls")),
    path("admin/", admin.site.urls),
    path("favicon.ico", RedirectView.as_view(url="/static/icon.svg")),
]

handler400 = "rtcc_geo.errors.bad_request"
handler403 = "rtcc_geo.errors.permission_denied"
handler404 = "rtcc_geo.errors.page_not_found"
handler500 = "rtcc_geo.errors.server_error"
