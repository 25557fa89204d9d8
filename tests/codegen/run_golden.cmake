# Runs capnpc-lwmsg on one schema of golden/ and compares what it writes with the files beside the schema;
# with -DUPDATE=ON it replaces those.
#   cmake -DCAPNP= -DPLUGIN= -DIMPORTS= -DGOLDEN= -DSCHEMA=<path in GOLDEN> -DWORK= -P run_golden.cmake
cmake_minimum_required(VERSION 3.25)

string(REGEX REPLACE "\\.capnp$" "" stem ${SCHEMA})
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
list(TRANSFORM IMPORTS PREPEND "-I")
execute_process(
  COMMAND ${CAPNP} compile ${IMPORTS} --src-prefix=${GOLDEN} -o${PLUGIN}:${WORK} ${GOLDEN}/${SCHEMA}
  RESULT_VARIABLE result ERROR_VARIABLE errors)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${SCHEMA} was refused:\n${errors}")
endif()
foreach(file IN ITEMS ${stem}.lwmsg.h ${stem}.lwmsg.cc)
  if(UPDATE)
    file(COPY_FILE ${WORK}/${file} ${GOLDEN}/${file} ONLY_IF_DIFFERENT)
    continue()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/${file} ${GOLDEN}/${file}
                  RESULT_VARIABLE different)
  if(different)
    message(FATAL_ERROR "${file} differs. See: diff -u ${GOLDEN}/${file} ${WORK}/${file}\n"
                        "If it should: cmake --build <build folder> --target update-goldens")
  endif()
endforeach()
