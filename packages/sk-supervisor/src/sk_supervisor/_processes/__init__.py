"""Worker processes as their parent sees them: spawned, watched, signalled, read."""
