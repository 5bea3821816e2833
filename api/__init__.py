"""For other programs: the REST API, the tokens that open it, and the pages that make tokens."""
