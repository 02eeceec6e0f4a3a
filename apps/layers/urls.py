from django.urls import path

from apps.layers import tile_views, views

urlpatterns = [
    path("", views.Catalog.as_view()),
    path("<slug:name>/features", views.Features.as_view()),
    path("<slug:name>/tiles/<int:z>/<int:x>/<int:y>.mvt", tile_views.Tile.as_view()),
    path("<slug:name>/tiles.json", tile_views.TileJson.as_view()),
    path("<slug:name>/style.json", tile_views.Style.as_view()),
]
