"""How fast the product is, how much it reads and how much it stores: `make bench`. README.md says how to read it.

It measures the product from outside and may use what the tests use; the product knows nothing of it.
"""
