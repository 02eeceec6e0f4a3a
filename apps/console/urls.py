from django.urls import path

from apps.console import views

urlpatterns = [
    path("", views.map_page, name="map"),
    path("basemap.geojson", views.basemap, name="basemap"),
    path("api/boards/calls", views.CallsBoardView.as_view()),
]
