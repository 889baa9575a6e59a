"""No test is judged by the time that it takes: a busy machine fails none."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("fctry", deadline=None)
hypothesis.settings.load_profile("fctry")
