from django.urls import path

from apps.console.review import views

urlpatterns = [
    path("", views.audit_page, name="audit"),
    path("sign-off", views.sign_off_week, name="audit_sign_off"),
]
