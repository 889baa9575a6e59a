nvs_entry.o: port/nvs/nvs_entry.c port/nvs/crc32.h port/nvs/nvs_entry.h \
 port/nvs/nvs_format.h
port/nvs/crc32.h:
port/nvs/nvs_entry.h:
port/nvs/nvs_format.h:
