"""The catalogue at synthesis: the models.toml that is deployed, read once and checked as a whole."""

from __future__ import annotations

from functools import cache

from longplay.domain.catalogue import Catalogue
from longplay.domain.models_file import load_catalogue
from longplay.providers import PROVIDERS


@cache
def catalogue() -> Catalogue:
    """The deployed catalogue; raises CatalogueError for a mistake in models.toml."""
    return load_catalogue(PROVIDERS)
