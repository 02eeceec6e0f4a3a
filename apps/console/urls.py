from django.urls import include, path

from apps.console import views

urlpatterns = [
    path("", views.map_page, name="map"),
    path("basemap.geojson", views.basemap, name="basemap"),
    path("audit/", include("apps.console.review.urls")),
    path("api/boards/calls", views.CallsBoardView.as_view()),
]
