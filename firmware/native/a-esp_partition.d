esp_partition.o: port/esp_partition.c port/include/esp_partition.h \
 port/include/esp_err.h port/bus.h port/md5.h
port/include/esp_partition.h:
port/include/esp_err.h:
port/bus.h:
port/md5.h:
