md5.o: port/md5.c port/md5.h
port/md5.h:
