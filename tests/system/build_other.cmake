# cmake -DSOURCE=… -DBINARY=… -DGENERATOR=… -DCOMPILER=… -DBUILD_TYPE=… -DFLAGS=… -DNATIVE=ON|OFF
#   -P build_other.cmake: builds the program, without tests, in a tree of its own, several sources at
# a time, which takes less: names in anonymous namespaces of one library must differ.
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BINARY} -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_BUILD_TYPE=${BUILD_TYPE} "-DCMAKE_CXX_FLAGS=${FLAGS}"
    -DQUARTET_NATIVE=${NATIVE} -DQUARTET_TESTS=OFF -DCMAKE_UNITY_BUILD=ON
  COMMAND_ERROR_IS_FATAL ANY)
execute_process(
  COMMAND ${CMAKE_COMMAND} --build ${BINARY} --target quartet --parallel 2
  COMMAND_ERROR_IS_FATAL ANY)
