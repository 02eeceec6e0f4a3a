"""The real web application in which boundaries stand for a layer whose every read is sensitive: no such layer is there yet.

uvicorn tests.apps.live.sensitive_web:application
"""

from dataclasses import replace

import rtcc_geo.asgi

application = rtcc_geo.asgi.application

from rtcc_geo import catalog  # noqa: E402 (Django's apps must be loaded first)

catalog.LAYERS = tuple(replace(layer, sensitive="always") if layer.name == "boundaries" else layer for layer in catalog.LAYERS)
