"""What all of the report stands on: errors, the templates' environment, placeholders, the tree."""
