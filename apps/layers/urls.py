from django.urls import path

from apps.layers import views

urlpatterns = [
    path("", views.Catalog.as_view()),
    path("<slug:name>/features", views.Features.as_view()),
]
