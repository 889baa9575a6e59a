stdout_sink.o: ../components/factory_data/src/stdout_sink.c \
 port/include/esp_idf_version.h \
 ../components/factory_data/include/factory_data.h port/include/esp_err.h \
 ../components/factory_data/include/factory_data_report.h \
 port/include/nvs.h port/include/sdkconfig.h
port/include/esp_idf_version.h:
../components/factory_data/include/factory_data.h:
port/include/esp_err.h:
../components/factory_data/include/factory_data_report.h:
port/include/nvs.h:
port/include/sdkconfig.h:
