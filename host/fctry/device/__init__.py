"""What happens at the serial port: flashing, and what the firmware says."""
