// KubeletHandler: answers the kubelet API: who is it, what do they want, may they, then the answer.
//
// In that order, so that nobody without a credential learns which paths exist. Shared by all worker
// threads of the server. [any-thread] [may-block] while the API server is asked
#pragma once

#include "http/handler.hpp"
#include "kubelet/access.hpp"
#include "kubelet/metrics_reply.hpp"
#include "kubelet/pod_lookup.hpp"
#include "observe/log.hpp"

#include <memory>
#include <string>
#include <utility>

namespace vkhost::kubelet {

class KubeletHandler final : public http::Handler {
 public:
  // `access` and `pods` outlive the handler.
  KubeletHandler(Access& access, const PodLookup& pods, observe::Logger log, MetricsSource metrics)
      : access_(access), pods_(pods), log_(std::move(log)), metrics_(std::move(metrics)) {}

  http::Reply handle(const http::ServerRequest& request) override;

 private:
  [[nodiscard]] http::Reply answer(const Route& route,
                                   const std::string& node_name,
                                   const http::ServerRequest& request) const;

  Access& access_;
  const PodLookup& pods_;
  const observe::Logger log_;
  const MetricsSource metrics_;
};

// Status body for what the server itself refuses; ServerSettings::refusal.
[[nodiscard]] http::Reply status_reply(int code, const std::string& sentence);

}  // namespace vkhost::kubelet
