"""A module that holds up whoever takes a worker's place in ``two``, until the test lets go."""

from __future__ import annotations

import os
import re
import sys

from supervised_deeds import tell

if re.fullmatch(r"two-\d\.[2-9]", sys.argv[-1]):  # the command line of a worker names it
    tell(int(os.environ["SK_TEST_LATE"]), sys.argv[-1], wait=True)
