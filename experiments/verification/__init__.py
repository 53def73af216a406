"""Check records against the code, the labels, and their own runs trained again."""
