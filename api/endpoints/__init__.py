"""The operations, a module for each subject. They read the request, ask one selector or service, and answer."""
