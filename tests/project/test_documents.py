"""The documents agree with the code, and their links lead to files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from longplay.domain.catalogue import Model
from longplay.domain.models_file import load_catalogue
from longplay.domain.settings import Settings
from longplay.providers import PROVIDERS, TOKENS

from tests.harness.route_table import DOCUMENT, shown, table

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]


def test_the_table_of_ignored_parameters_is_up_to_date() -> None:
    """`python -m tests.harness.route_table`, with lambdas/ on PYTHONPATH, writes the table."""
    assert shown() == table(load_catalogue(PROVIDERS))


def test_every_provider_of_the_catalogue_has_a_row() -> None:
    """A new provider must be added to the document."""
    providers = {route.provider for model in load_catalogue(PROVIDERS).models.values() for route in model.routes}
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+)", DOCUMENT.read_text(), re.MULTILINE)
    assert providers <= set(re.findall(r"`([\w-]+)`", " ".join(rows)))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("concurrent_calls", "provider calls at once (4;"),
        ("held_answers", "for callers that wait (3)"),
        ("horizon", "seconds ahead (1,800)"),
    ],
)
def test_a_default_is_as_the_readme_says(name: str, shown: str) -> None:
    """Operators plan their quota of functions by it."""
    default = getattr(Settings(), name)
    assert shown.endswith((f"({default:,.0f})", f"({default};"))
    assert shown in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_no_documented_request_takes_the_key_along_a_redirect(document: Path) -> None:
    """Every HTTP client sends x-api-key on to the bucket, whose URLs need no key."""
    requests = [line for line in document.read_text().splitlines() if "x-api-key" in line]
    assert [line for line in requests if re.search(r"\s(-\w*L|--location)\b", line)] == []


def test_every_token_that_can_be_stored_is_documented() -> None:
    """The document shows the command that stores it."""
    assert [name for name in TOKENS if f"PROVIDER={name}" not in DOCUMENT.read_text()] == []


def test_the_table_of_what_you_get_is_true_for_each_model() -> None:
    """Each cell of README.md names the providers that the catalogue has for the model."""
    models = load_catalogue(PROVIDERS).models
    rows = _ROW.findall((ROOT / "README.md").read_text())
    shown = {name: tuple(map(_named, cells)) for names, *cells in rows for name in re.findall(r"`([\w.-]+)`", names)}
    assert shown == {name: _served(model) for name, model in models.items()}


_ROW = re.compile(r"^\| ((?:`[\w.-]+`(?:, )?)+) \|(.*)\|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)
_WORDS = {"space": "Space", "sagemaker": "SageMaker", "huggingface": "server", "fal": "fal", "replicate": "Replicate"}
_FREE_CREDITS = 0.1  # dollars a month


def _named(cell: str) -> set[str]:
    return {word for word in (*_WORDS.values(), "partners") if re.search(rf"\b{word}\b", cell)}


def _served(model: Model) -> tuple[set[str], ...]:
    """The words for the routes to the model with a free token, a paid token, only AWS, and your own GPU."""
    routes = [route for route in model.routes if not route.doubtful]
    partners = [route for route in routes if route.provider.startswith("hf-")]
    words = {_WORDS[route.provider] for route in routes if route.provider in _WORDS}
    affordable = {"partners"} if any(route.price_usd <= _FREE_CREDITS for route in partners) else set()
    paid = words & {"fal", "Replicate"} | ({"partners"} if partners else set())
    return words & {"Space"} | affordable, paid, words & {"SageMaker"}, words & {"server"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_of_a_document_leads_to_a_file(document: Path) -> None:
    """A moved file breaks the link."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [link for link in links if not (document.parent / link).exists()] == []
