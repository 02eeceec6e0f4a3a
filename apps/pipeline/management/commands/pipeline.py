from django.core.management.base import BaseCommand

from apps.pipeline.owner import main


class Command(BaseCommand):
    help = "Own shards of the queue and process what waits for them, until SIGTERM."

    def handle(self, *args: object, **options: object) -> None:
        main()
