#include "kube/in_cluster.hpp"

#include "kube/text_file.hpp"

#include <utility>

namespace vkhost::kube {

Result<Connection> in_cluster_connection(const InClusterPlaces& places) {
  if (places.host.empty() || places.port.empty()) {
    return failed_precondition(
        "not in a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set");
  }
  Connection connection;
  connection.origin = "service account in " + places.folder.string();
  connection.token_file = places.folder / "token";
  connection.certificate_authority.file = places.folder / "ca.crt";
  // The files are read when they are needed; here it only matters whether they are there at all.
  for (const auto& file : {connection.token_file, connection.certificate_authority.file}) {
    if (const Status status = read_text_file(file).status(); !status.is_ok()) {
      return failed_precondition("in a cluster, but without a service account: " +
                                 status.message());
    }
  }
  const bool is_ipv6 = places.host.find(':') != std::string::npos;
  connection.server =
      "https://" + (is_ipv6 ? "[" + places.host + "]" : places.host) + ":" + places.port;
  if (auto text = read_text_file(places.folder / "namespace"); text.is_ok()) {
    connection.default_namespace = text->substr(0, text->find_last_not_of(" \r\n\t") + 1);
  }
  return connection;
}

}  // namespace vkhost::kube
