"""Convert a section's template to a tree: Jinja, the writer's macros, Markdown."""
