"""From the configuration's choices to exporters."""
