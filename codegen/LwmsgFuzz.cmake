# lwmsg_fuzz_target(TARGET <target>)
#
# Makes <target>, an executable that defines lwmsg::fuzz::MakeService (lwmsg/fuzz/service.h), a fuzzer of that
# service. With clang it is a libFuzzer program with AddressSanitizer and UndefinedBehaviorSanitizer: run it with a
# folder where it keeps its inputs (llvm.org/docs/LibFuzzer.html). A project whose CMAKE_CXX_FLAGS have sanitizers keeps
# those; `fuzzer` or `fuzzer-no-link` must be the first of them. Otherwise it runs the saved inputs that it is given, as
# a test.
function(lwmsg_fuzz_target)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "TARGET" "")
  if(NOT TARGET "${arg_TARGET}")
    message(FATAL_ERROR "lwmsg_fuzz_target: there is no target \"${arg_TARGET}\"; put add_executable(...) before "
                        "it, and call it as lwmsg_fuzz_target(TARGET <target>)")
  endif()
  # Without the check of vtables: it asks the kernel by a pipe whether memory is readable, which counts as open files.
  set(flags -g -fsanitize=fuzzer,address,undefined -fno-sanitize=vptr)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND NOT WIN32 AND NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize=")
    target_compile_options(${arg_TARGET} PRIVATE ${flags})
    target_link_options(${arg_TARGET} PRIVATE ${flags})
  elseif(CMAKE_CXX_FLAGS MATCHES "-fsanitize=fuzzer")
    target_link_options(${arg_TARGET} PRIVATE -fsanitize=fuzzer)
  else()
    target_link_libraries(${arg_TARGET} PRIVATE lwmsg::fuzz_replay)
  endif()
  # Behind what calls its entry.
  target_link_libraries(${arg_TARGET} PRIVATE lwmsg::fuzz_service)
endfunction()
