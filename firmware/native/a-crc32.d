crc32.o: port/nvs/crc32.c port/nvs/crc32.h
port/nvs/crc32.h:
