"""Media files: their types by their bytes, their headers, their pixels."""
