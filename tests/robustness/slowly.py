"""Run a script so that what it keeps and writes takes a while, and is kept at once.

python slowly.py workflow/scripts/<script>.py <its options>
"""

import runpy
import sys
import time
from typing import Any

from heliosynth.frames import averaging
from heliosynth.io import hdf5

PAUSE_S = 0.02


def main() -> None:
    quickly_averaged, quickly_made = averaging.average, hdf5.create_dataset

    def average(*given: Any, **named: Any) -> averaging.Averaged:
        time.sleep(PAUSE_S)
        return quickly_averaged(*given, **named)

    def array(*given: Any, **named: Any) -> Any:
        time.sleep(PAUSE_S)
        return quickly_made(*given, **named)

    averaging.KEEP_EVERY_S, averaging.average, hdf5.create_dataset = 0.0, average, array
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


main()
