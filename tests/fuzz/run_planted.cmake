# Runs PROGRAM, the fuzzer of a service that leaves a file open, over the inputs of the one that does not: it must
# be found, in words that say what it is, also by who may open few files.
function(find_planted)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(result EQUAL 0 OR NOT said MATCHES "a run leaves the open files that it found")
    message(FATAL_ERROR "the planted bug was not found (${result}): ${said}")
  endif()
endfunction()
find_planted(${PROGRAM} -runs=0 ${INPUTS})
find_planted(sh -c "ulimit -n 100 && exec \"$0\" -runs=0 \"$1\"" ${PROGRAM} ${INPUTS})
