# What this project asks of its own code; not for the code of users, and not for what Cap'n Proto generates.
function(lwmsg_set_warnings target)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
    return()
  endif()
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough)
  if(LWMSG_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
endfunction()
