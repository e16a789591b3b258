"""Worker processes as their parent handles them: spawning, watching, signalling, reading output."""
