// The proxies of the environment are the fetcher's (curl); MQTT goes straight to its broker.
#pragma once

namespace dfota {

/// Paho 1.3.12 connects to every broker through http_proxy (https_proxy with TLS), whatever no_proxy says and whatever
/// it is told. So these are renamed to what only curl reads: HTTPS_PROXY, and all_proxy for http. An http_proxy that
/// stands alone then serves https, too. At the beginning of main(), before there is a second thread.
void keep_proxies_from_mqtt();

}  // namespace dfota
