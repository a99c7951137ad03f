"""The models behind the providers: requests checked as the real pipelines check them, and rendered by procedure."""
