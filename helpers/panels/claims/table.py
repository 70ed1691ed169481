"""The whole article, claim by claim, in the order of lesson 18."""

from typing import Final

from helpers.panels.claims.claim import Claim
from helpers.panels.claims.first_examples import FIRST_AND_SECOND
from helpers.panels.claims.last_examples import THIRD_AND_FOURTH
from helpers.panels.claims.missing import MISSING
from helpers.panels.claims.on_processes import PROCESSES
from helpers.panels.claims.on_threads import LOCKS, THREADS

THE_CODE: Final[tuple[Claim, ...]] = FIRST_AND_SECOND + THIRD_AND_FOURTH
THE_CLAIMS: Final[tuple[Claim, ...]] = THREADS + LOCKS + PROCESSES
ALL: Final[tuple[Claim, ...]] = THE_CODE + THE_CLAIMS + MISSING
