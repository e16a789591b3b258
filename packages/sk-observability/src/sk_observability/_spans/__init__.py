"""Pass node spans to the exporters and keep their account."""
