"""`manage.py listen`: pollers, forever; SIGTERM ends them."""

import asyncio
import signal

from django.core.management.base import BaseCommand

from apps.ingest.listener import Listener
from apps.processes import reporting


async def listen() -> None:
    reporting.start("listen")
    running = asyncio.create_task(Listener().run())
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, running.cancel)
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled() and running.exception() is not None:
        raise SystemExit(f"listen ended: {running.exception()}")


class Command(BaseCommand):
    help = "Poll every enabled source that has an address."

    def handle(self, *args: object, **options: object) -> None:
        asyncio.run(listen())
