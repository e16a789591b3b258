"""What an exporter is, how it is found, and how a run is kept apart from it."""
