"""What is done with providers and projects: verbs with keyword-only arguments."""
