"""Unique factory data for ESP32 devices: made, flashed and proven."""
