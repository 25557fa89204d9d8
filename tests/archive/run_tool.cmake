# lwmsg-archive over a sound archive and a damaged one.
file(MAKE_DIRECTORY ${WORK})
set(ENV{LWMSG_ARCHIVE_FOR_TOOL} ${WORK}/notes)
execute_process(COMMAND ${RUN} ${TEST} --gtest_filter=ArchiveTest.C58_ReadWithoutTheSchema
                OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)

function(expect code pattern)
  execute_process(COMMAND ${RUN} ${TOOL} ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  string(REPLACE "\r\n" "\n" out "${out}")
  if(NOT result EQUAL code OR NOT "${out}${err}" MATCHES "${pattern}")
    message(FATAL_ERROR "lwmsg-archive ${ARGN}: ended with ${result}, not ${code}, or does not say "
                        "\"${pattern}\":\n${out}${err}")
  endif()
endfunction()

expect(0 "Notes\\.add call \\(note = \\(title = \"first\"" print ${WORK}/notes)
expect(0 "\n  note = \\(\n" print --indented ${WORK}/notes)
expect(0 "touch @2 \\(number :UInt32\\)" schema ${WORK}/notes)
expect(0 "^1 records in [0-9]+ bytes, finished" check ${WORK}/notes)
expect(2 "usage" check)
expect(1 "cannot open archive" check ${WORK}/none)
file(WRITE ${WORK}/damaged "LWA is not all that an archive is.")
expect(1 "offset 0, after 0 records: this is no archive" check ${WORK}/damaged)
