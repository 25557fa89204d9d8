# Compiles one schema that capnpc-lwmsg must refuse. What it must say stands in the schema, once for each
# error: "# expect: <line>: <regular expression>". Nothing else may be said, and nothing written.
#   cmake -DCAPNP= -DPLUGIN= -DIMPORTS= -DSOURCE= -DWORK= -P run_bad.cmake
cmake_minimum_required(VERSION 3.25)

get_filename_component(folder ${SOURCE} DIRECTORY)
get_filename_component(name ${SOURCE} NAME)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
list(TRANSFORM IMPORTS PREPEND "-I")
execute_process(
  COMMAND ${CMAKE_COMMAND} -E env LWMSG_SOURCE_DIR=${folder}
          ${CAPNP} compile ${IMPORTS} --src-prefix=${folder} -o${PLUGIN}:${WORK} ${SOURCE}
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE errors)
if(result EQUAL 0)
  message(FATAL_ERROR "${name} was accepted")
endif()
file(GLOB written ${WORK}/*)
if(written)
  message(FATAL_ERROR "${name} was refused, but these were written: ${written}")
endif()

# A semicolon would part list elements.
string(REPLACE ";" "," errors "${errors}")
string(REGEX MATCHALL "[^\n]*: error: [^\n]*" said "${errors}")
file(STRINGS ${SOURCE} expectations REGEX "^# expect: ")
if(NOT expectations)
  message(FATAL_ERROR "${name} does not say what to expect")
endif()
foreach(expectation IN LISTS expectations)
  string(REGEX REPLACE "^# expect: ([0-9]+): (.*)$" "/${name}:\\1: error: .*\\2" pattern "${expectation}")
  set(found FALSE)
  foreach(error IN LISTS said)
    if(error MATCHES "${pattern}")
      set(found TRUE)
      list(REMOVE_ITEM said "${error}")
      break()
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "Not said: ${pattern}\nSaid:\n${errors}")
  endif()
endforeach()
if(said)
  message(FATAL_ERROR "Not expected: ${said}")
endif()
