main.o: port/main.c port/bus.h
port/bus.h:
