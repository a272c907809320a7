# Run by CPack between the installation into its staging directory and the packaging: what belongs to a Debian package
# and not to `cmake --install`.
set(ROOT ${CPACK_TEMPORARY_INSTALL_DIRECTORY})
set(SERVICE ${CPACK_DFOTA_SOURCE_DIR}/config/service)
set(DOC ${ROOT}/usr/share/doc/dfota-gateway)

function(put SOURCE DESTINATION)
  get_filename_component(DIRECTORY ${ROOT}/${DESTINATION} DIRECTORY)
  file(MAKE_DIRECTORY ${DIRECTORY})
  configure_file(${SOURCE} ${ROOT}/${DESTINATION} COPYONLY FILE_PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
endfunction()

put(${SERVICE}/dfota-gateway.service lib/systemd/system/dfota-gateway.service)
put(${SERVICE}/77-dfota-gateway.rules lib/udev/rules.d/77-dfota-gateway.rules)
put(${SERVICE}/77-dfota-gateway.polkit.rules usr/share/polkit-1/rules.d/77-dfota-gateway.rules)
put(${SERVICE}/dfota-gateway.dbus.conf usr/share/dbus-1/system.d/dfota-gateway.conf)
put(${SERVICE}/debian/copyright usr/share/doc/dfota-gateway/copyright)
put(${SERVICE}/debian/changelog usr/share/doc/dfota-gateway/changelog)
file(REMOVE ${DOC}/LICENSE)  # it is in copyright

# The documented default, except that nobody is served before somebody has said where the modules are.
file(READ ${CPACK_DFOTA_SOURCE_DIR}/config/gateway.toml DEFAULT)
set(OPEN "\nlisten = \"0.0.0.0:8480\"\n")
set(CLOSED "\n# As packaged, nobody but this machine reaches it: put \"0.0.0.0:8480\" here, and the next key below.\nlisten = \"127.0.0.1:8480\"\n")
set(EXAMPLE "\npublic_url = ")
string(FIND "${DEFAULT}" "${OPEN}" OPEN_AT)
string(FIND "${DEFAULT}" "${EXAMPLE}" EXAMPLE_AT)
if(OPEN_AT EQUAL -1 OR EXAMPLE_AT EQUAL -1)
  message(FATAL_ERROR "config/gateway.toml: http.listen and http.public_url do not stand there as stage.cmake looks for them")
endif()
string(REPLACE "${OPEN}" "${CLOSED}" DEFAULT "${DEFAULT}")
string(REPLACE "${EXAMPLE}" "\n#public_url = " DEFAULT "${DEFAULT}")
file(MAKE_DIRECTORY ${ROOT}/etc/dfota-gateway)
file(WRITE ${ROOT}/etc/dfota-gateway/gateway.toml "${DEFAULT}")
file(CHMOD ${ROOT}/etc/dfota-gateway/gateway.toml PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)

file(GLOB PAGES ${ROOT}/usr/share/man/man?/*.?)
foreach(FILE ${PAGES} ${DOC}/changelog)
  execute_process(COMMAND gzip -9 -n ${FILE} COMMAND_ERROR_IS_FATAL ANY)
endforeach()
