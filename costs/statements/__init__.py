"""What companies are billed: the contents of a statement, adjustments, and closing a month."""
