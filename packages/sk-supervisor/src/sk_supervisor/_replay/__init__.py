"""Running records once more: dead letters, or one record of a run."""
