# Writes OUTPUT, a header with the git commit of SOURCE, at build time; left alone where nothing
# changed, so that nothing is compiled again.
execute_process(
  COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=40 --exclude=*
  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  set(commit unknown)
elseif(commit MATCHES "-dirty$")
  # Two builds with different changes are different builds.
  execute_process(COMMAND git -C ${SOURCE} diff HEAD OUTPUT_VARIABLE changes)
  string(SHA1 changes "${changes}")
  string(SUBSTRING ${changes} 0 8 changes)
  string(APPEND commit ".${changes}")
endif()
set(text "#pragma once\nnamespace quartet {\ninline constexpr char build_commit[] = \"${commit}\";\n}\n")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT text STREQUAL before)
  file(WRITE ${OUTPUT} "${text}")
endif()
