# cmake -DCOMMAND=… -DSAYS=regex -P expect_failure.cmake: passes where the command ends by itself with
# a non-zero code, and what it writes holds exactly one line that matches.
execute_process(COMMAND ${COMMAND} TIMEOUT 60 RESULT_VARIABLE code OUTPUT_VARIABLE text ERROR_VARIABLE text)
if(NOT code MATCHES "^[0-9]+$" OR code EQUAL 0)
  message(FATAL_ERROR "ended with '${code}' instead of a code other than 0:\n${text}")
endif()
string(REGEX MATCHALL "${SAYS}" lines "${text}")
list(LENGTH lines count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "'${SAYS}' is there ${count} times, not once:\n${text}")
endif()
