port_native.o: port/port_native.c ../main/port.h
../main/port.h:
