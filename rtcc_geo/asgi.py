"""What uvicorn serves: the front door and /healthz bare, live sockets by Channels, the rest by Django."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rtcc_geo.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()

from rtcc_geo.entrance import Entrance  # noqa: E402 (Django's apps must be loaded first)

application = Entrance(pages)
