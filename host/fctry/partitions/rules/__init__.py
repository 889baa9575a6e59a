"""The rules: functions from a layout to the problems they find, grouped by what they look at."""
