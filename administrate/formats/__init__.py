"""How Django's own pages, the admin above all, write dates: as every other page does."""
