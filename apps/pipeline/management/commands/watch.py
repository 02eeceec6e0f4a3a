from django.core.management.base import BaseCommand

from apps.pipeline.watching import main


class Command(BaseCommand):
    help = "Seal the audit, write its signed head and go through its chain, until SIGTERM. One is active, others stand by."

    def handle(self, *args: object, **options: object) -> None:
        main()
