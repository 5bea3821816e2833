"""Real servers, a real browser and the running product for the tests. No test lives here."""
