"""Exporters: their interface, how they are found, and how a run is isolated from them."""
