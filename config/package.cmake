# `cmake --build build --target package`: dfota-gateway_<version>_<architecture>.deb, with all three programs, the
# service and its rules. Needs dpkg-dev; made on the Debian that it is for.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ${PROJECT_NAME})
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The dfota-gateway authors <dfota-gateway@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "firmware updates of Quectel modules on commands over MQTT")
set(CPACK_PACKAGE_DESCRIPTION "A daemon that updates the firmware of Quectel modules with AT+QFOTADL. A job
comes over MQTT; the delta is fetched once and served to the modules over
HTTP, each of them is driven through download, reboots and flashing, its
version is read back, and every step is published. With the client dfota and
dfota-rack, a simulated rack.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
    WORLD_READ WORLD_EXECUTE)
set(CPACK_VERBATIM_VARIABLES ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION comm)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "mosquitto")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(DEBIAN ${CMAKE_CURRENT_LIST_DIR}/service/debian)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${DEBIAN}/conffiles ${DEBIAN}/postinst ${DEBIAN}/prerm ${DEBIAN}/postrm)

set(CPACK_DFOTA_SOURCE_DIR ${PROJECT_SOURCE_DIR})
set(CPACK_PRE_BUILD_SCRIPTS ${DEBIAN}/stage.cmake)

file(STRINGS ${DEBIAN}/changelog NEWEST LIMIT_COUNT 1)
if(NOT NEWEST MATCHES "^${PROJECT_NAME} \\(${PROJECT_VERSION}\\)")
  message(FATAL_ERROR "config/service/debian/changelog: its first entry is not that of ${PROJECT_VERSION}: ${NEWEST}")
endif()
include(CPack)
