bus.o: port/bus.c port/bus.h
port/bus.h:
