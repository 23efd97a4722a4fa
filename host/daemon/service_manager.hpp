// What a service manager (systemd) is told over $NOTIFY_SOCKET; nothing where there is none.
// https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html [any-thread] [no-block]
#pragma once

#include <string_view>

namespace vkhost::daemon {

// "READY=1", "STOPPING=1". False when it was not sent.
bool notify_service_manager(std::string_view message);
// That the configuration is read again, until the next READY=1.
bool notify_reloading();

}  // namespace vkhost::daemon
