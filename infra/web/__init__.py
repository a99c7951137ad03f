"""The page, and the pages about error codes."""
