"""`python -m fctry`."""

import sys

from fctry.cli.entry import main

sys.exit(main())
