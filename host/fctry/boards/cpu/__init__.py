"""What runs the application: a process of this machine, or QEMU."""
