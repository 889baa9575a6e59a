report.o: ../components/factory_data/src/report.c \
 ../components/factory_data/src/factory_data_private.h \
 ../components/factory_data/include/factory_data.h port/include/esp_err.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/nvs.h port/include/sdkconfig.h
../components/factory_data/src/factory_data_private.h:
../components/factory_data/include/factory_data.h:
port/include/esp_err.h:
../components/factory_data/include/factory_data_report.h:
port/include/nvs.h:
port/include/sdkconfig.h:
