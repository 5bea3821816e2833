"""Prism, a second provider type as somebody would add it: one app, and not one line of the product changed for it.

Other header, other words for errors, money as cents in text; no regions, no credits, no minutes; its plans count
requests.
"""
