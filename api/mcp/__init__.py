"""What assistants may ask: ten read-only tools over the Model Context Protocol (MCP).

The tools ask the REST API of this process with the caller's token (``rest``), so that an assistant sees what any other
program with that token sees, by the same door, and sums are the same to the last digit.
"""
