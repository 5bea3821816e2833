"""Every URL of the product, on one page."""

urlpatterns = []
