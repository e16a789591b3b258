"""For tests of your own nodes and applications: no processes, no files, no test framework needed.

``run_node`` calls one node; ``run_application`` runs a whole graph in the memory profile;
``run_placed`` runs it cut into process groups, bytes between them, in this one process.
"""

from sk_kernel.testing._adapters import CollectSink, ListSource
from sk_kernel.testing._applications import run_application
from sk_kernel.testing._nodes import run_node
from sk_kernel.testing._placed import run_placed

__all__ = ["CollectSink", "ListSource", "run_application", "run_node", "run_placed"]
