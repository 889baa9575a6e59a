esp_console.o: port/esp_console.c port/include/esp_console.h \
 port/include/esp_err.h
port/include/esp_console.h:
port/include/esp_err.h:
