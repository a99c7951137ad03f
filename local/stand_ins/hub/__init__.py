"""A stand-in for Hugging Face's Inference Providers: the Hub's mapping, and the partners behind one router."""

from local.stand_ins.hub.server import HubServer

__all__ = ["HubServer"]
