"""One row of the table of providers: the facts that the catalogue needs, and where the provider's code is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ProviderEntry:
    """A provider that a route in models.toml can name.

    `adapter` is the function that makes its adapter and `checkup` the table of its questions, both written as
    `module:name` and imported when they are first used. `tokens` are the names its tokens are stored under.
    `holds_connection`: it answers with the result, not with a reference to poll. `calls_back`: it reports the end of
    a generation to a URL. `own_contract`: its servers have their own API, so the server `*` cannot stand for them.
    `holds_polls`: a poll keeps its connection open until the generation has ended. `free`: it costs no money.
    """

    name: str
    adapter: str
    checkup: str
    tokens: tuple[str, ...] = ()
    holds_connection: bool = False
    calls_back: bool = False
    own_contract: bool = True
    holds_polls: bool = False
    free: bool = False
