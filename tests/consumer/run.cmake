cmake_minimum_required(VERSION 3.25)

# Cleans up when it fails.
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    file(REMOVE_RECURSE "${folder}")
    message(FATAL_ERROR "failed (${result}): ${command}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

# Outside the tree, so that nothing of it is found by accident.
run(mktemp -d)
string(STRIP "${said}" folder)

run(${CMAKE_COMMAND} --install ${BUILD} --config ${CONFIG} --prefix ${folder}/first)
# What is installed may be moved.
file(RENAME ${folder}/first ${folder}/prefix)
file(COPY ${SOURCE}/ DESTINATION ${folder}/project)
set(cross)
if(CROSS)
  set(cross ${CROSS} -DCMAKE_FIND_ROOT_PATH=${folder}/prefix)
  # Where Wine finds the library, if it is a DLL.
  set(ENV{LWMSG_WINDOWS_PATH} Z:${folder}/prefix/bin)
endif()
run(${CMAKE_COMMAND} -S ${folder}/project -B ${folder}/build -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG}
    -DCMAKE_PREFIX_PATH=${folder}/prefix -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${CXX_FLAGS}
    -DCMAKE_CXX_COMPILER_LAUNCHER=${LAUNCHER} ${cross})
run(${CMAKE_COMMAND} --build ${folder}/build)
run(${EMULATOR} ${folder}/build/consumer${SUFFIX})
if(NOT said MATCHES "hello world")
  file(REMOVE_RECURSE ${folder})
  message(FATAL_ERROR "the consumer said: ${said}")
endif()
if(NOT CROSS)
  # Any bytes are an input.
  run(${folder}/build/consumer_fuzz -runs=0 ${folder}/project/hello.capnp)
endif()

run(${EMULATOR} ${folder}/build/simulated${SUFFIX})

if(PKG_CONFIG_LIBDIR)
  set(ENV{PKG_CONFIG_LIBDIR} ${PKG_CONFIG_LIBDIR})
endif()
set(ENV{PKG_CONFIG_PATH} ${folder}/prefix/${LIBDIR}/pkgconfig)
run(pkg-config --cflags --libs lwmsg)
separate_arguments(flags UNIX_COMMAND "${CXX_FLAGS} ${LINK_FLAGS} ${said}")
list(FILTER flags EXCLUDE REGEX "^$")
set(compat)
if(CXX MATCHES "clang")
  set(compat -include ${folder}/prefix/${LIBDIR}/cmake/lwmsg/capnp_compat.h)
endif()
run(${CXX} ${compat} ${folder}/project/status.cc -o ${folder}/status${SUFFIX} ${flags})
run(${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${folder}/prefix/${LIBDIR} ${EMULATOR} ${folder}/status${SUFFIX})
file(REMOVE_RECURSE ${folder})
if(NOT said MATCHES "^ok")
  message(FATAL_ERROR "the pkg-config program said: ${said}")
endif()
