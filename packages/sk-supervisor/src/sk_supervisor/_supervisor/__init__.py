"""The supervisor of worker processes, assembled from its parts."""
