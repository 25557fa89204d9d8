# Runs PROGRAM, the fuzzer of a service that leaves a file open, over the inputs of the one that does not: it must
# be found, in words that say what it is.
execute_process(COMMAND ${PROGRAM} -runs=0 ${INPUTS} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
if(result EQUAL 0 OR NOT said MATCHES "a run leaves the open files that it found")
  message(FATAL_ERROR "the planted bug was not found (${result}): ${said}")
endif()
