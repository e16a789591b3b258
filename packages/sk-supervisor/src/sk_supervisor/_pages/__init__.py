"""Reading what a run has written: traces and timelines, as text and as HTML."""
