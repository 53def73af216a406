"""Check records against the code, the labels, and retrained runs."""
