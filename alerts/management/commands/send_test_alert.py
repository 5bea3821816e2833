"""manage.py send_test_alert"""

from typing import Any

from django.utils import timezone

from alerts.services.testing import send_test_alert
from core.commands import ProductCommand, failure


class Command(ProductCommand):
    help = "Send a test alert to everybody and everything that alerts go to, as a real one, and say what came of it."

    def handle(self, *args: Any, **options: Any) -> None:
        results = send_test_alert(now=timezone.now())
        for result in results:
            self.stdout.write(f"{result.receiver}: {result.text}")
        if not results:
            self.stdout.write("It is in the lists of alerts. There is no webhook, and nobody who gets mail.")
        if any(result.failed for result in results):
            raise failure("Not everything was delivered. What failed is tried again, as with a real alert.")
