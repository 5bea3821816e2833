"""The sync engine, the same for every provider type: claim a provider, read it window by window, store, finish."""
