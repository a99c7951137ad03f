"""Media files: content types, headers and pixels."""
