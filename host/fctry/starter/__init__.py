"""What a project of ESP-IDF's lacks for factory data, planned before anything is written."""

from fctry.starter.plan import Change, Plan, difference, plan, write

__all__ = ["Change", "Plan", "difference", "plan", "write"]
