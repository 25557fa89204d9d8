# The schemas of hash/ declare one interface; those called same*.capnp must have the schema hash of
# base.capnp, and those called other_*.capnp each another.
#   cmake -DCAPNP= -DPLUGIN= -DIMPORTS= -DFOLDER= -DWORK= -P run_hash.cmake
cmake_minimum_required(VERSION 3.25)

function(read_hash out name)
  execute_process(
    COMMAND ${CAPNP} compile ${IMPORTS} --src-prefix=${FOLDER} -o${PLUGIN}:${WORK} ${FOLDER}/${name}.capnp
    RESULT_VARIABLE result ERROR_VARIABLE errors)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${name} was refused:\n${errors}")
  endif()
  file(STRINGS ${WORK}/${name}.lwmsg.cc line REGEX "schema_hash")
  set(${out} "${line}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
list(TRANSFORM IMPORTS PREPEND "-I")
read_hash(base base)
set(seen "${base}")
file(GLOB files RELATIVE ${FOLDER} ${FOLDER}/*.capnp)
foreach(file IN LISTS files)
  string(REGEX REPLACE "\\.capnp$" "" name ${file})
  read_hash(hash ${name})
  if(name MATCHES "^same" AND NOT hash STREQUAL base)
    message(FATAL_ERROR "${name} has another hash than base: ${hash}, not ${base}")
  elseif(name MATCHES "^other_")
    if(hash IN_LIST seen)
      message(FATAL_ERROR "${name} has the hash of another schema: ${hash}")
    endif()
    list(APPEND seen "${hash}")
  endif()
endforeach()
