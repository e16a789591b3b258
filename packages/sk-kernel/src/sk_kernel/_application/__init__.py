"""From modules and settings to an application, with every fault of it."""
