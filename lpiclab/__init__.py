"""Hands-on labs for LPIC level 2, on real virtual machines."""

__version__ = "0.1.0"
