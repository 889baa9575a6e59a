"""`python -m fctry`."""

import sys

from fctry.cli.main import main

sys.exit(main())
