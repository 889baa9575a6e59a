report_line.o: ../components/factory_data/src/report_line.c \
 ../components/factory_data/include/factory_data_report.h
../components/factory_data/include/factory_data_report.h:
