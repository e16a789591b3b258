"""From modules and settings to an application, with all of its faults."""
