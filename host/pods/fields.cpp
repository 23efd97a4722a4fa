#include "pods/fields.hpp"

#include "kube/json_cut.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <utility>

namespace vkhost::pods {

using plugin::Finding;
using plugin::FindingKind;

// One step of a path. Its children are members of the object that stands there, or of each object of
// the list.
struct FieldRules::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> members;
  bool is_list = false;
  const char* fate = nullptr;  // the path ends here
  bool is_refused = false;
};

namespace {

// ---- What nobody set

struct Default {
  std::string_view name;  // of the member, wherever it stands
  std::string_view json;
};

// What the API server fills in, or what a client may as well leave out.
constexpr std::array kDefaults = {
    Default{"restartPolicy", "\"Always\""},
    Default{"dnsPolicy", "\"ClusterFirst\""},
    Default{"schedulerName", "\"default-scheduler\""},
    Default{"serviceAccount", "\"default\""},
    Default{"serviceAccountName", "\"default\""},
    Default{"preemptionPolicy", "\"PreemptLowerPriority\""},
    Default{"priority", "0"},
    Default{"terminationGracePeriodSeconds", "30"},
    Default{"enableServiceLinks", "true"},
    Default{"automountServiceAccountToken", "true"},
    Default{"hostUsers", "true"},
    Default{"terminationMessagePath", "\"/dev/termination-log\""},
    Default{"terminationMessagePolicy", "\"File\""},
    Default{"imagePullPolicy", "\"IfNotPresent\""},
    Default{"protocol", "\"TCP\""},
    Default{"procMount", "\"Default\""},
    Default{"scheme", "\"HTTP\""},
    Default{"timeoutSeconds", "1"},
    Default{"periodSeconds", "10"},
    Default{"successThreshold", "1"},
    Default{"failureThreshold", "3"},
    Default{"defaultMode", "420"},
};
// False says something here; anywhere else it is what a missing member means.
constexpr std::array<std::string_view, 4> kTrueByDefault = {
    "enableServiceLinks", "automountServiceAccountToken", "hostUsers", "allowPrivilegeEscalation"};

bool is_empty(std::string_view json) {
  if (json == "null" || json == "\"\"") {
    return true;
  }
  if (json.size() < 2 || (json.front() != '{' && json.front() != '[')) {
    return false;
  }
  return kube::trim_json(json.substr(1, json.size() - 2)).empty();
}

// An image without a tag, or with the tag "latest", is pulled always unless somebody says otherwise.
bool is_pulled_always(std::string_view container) {
  const std::string_view image = kube::plain_string(kube::find_member(container, "image"));
  const std::size_t slash = image.rfind('/');
  const std::size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
  return image.find('@') == std::string_view::npos &&
         (colon == std::string_view::npos || image.substr(colon) == ":latest");
}

// Every pod gets these two.
bool are_default_tolerations(std::string_view list) {
  kube::JsonElements elements(list);
  std::string_view element;
  while (elements.next(element)) {
    const std::string_view key = kube::plain_string(kube::find_member(element, "key"));
    const bool is_one =
        key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable";
    if (!is_one || kube::find_member(element, "tolerationSeconds") != "300") {
      return false;
    }
  }
  return true;
}

bool is_set(std::string_view name, std::string_view json, std::string_view parent) {
  if (is_empty(json)) {
    return false;
  }
  if (json == "false") {
    return std::find(kTrueByDefault.begin(), kTrueByDefault.end(), name) != kTrueByDefault.end();
  }
  if (name == "imagePullPolicy" && json == "\"Always\"") {
    return !is_pulled_always(parent);
  }
  if (name == "tolerations") {
    return !are_default_tolerations(json);
  }
  return std::none_of(kDefaults.begin(), kDefaults.end(), [&](const Default& known) {
    return known.name == name && known.json == json;
  });
}

// The volume with the service account's token, and its mounts.
bool is_injected(std::string_view element) {
  return kube::plain_string(kube::find_member(element, "name")).starts_with("kube-api-access-");
}

// ---- Pointers

std::string escaped_step(std::string_view name) {
  std::string out;
  for (const char c : name) {
    out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return out;
}

constexpr std::size_t kMaxFindings = 256;
constexpr int kMaxDepth = 64;

}  // namespace

FieldRules::FieldRules(const std::vector<plugin::FieldRule>& rules)
    : root_(std::make_unique<Node>()) {
  for (const plugin::FieldRule& rule : rules) {
    Node* at = root_.get();
    std::string_view path = rule.path;
    while (!path.empty()) {
      const std::size_t dot = std::min(path.find('.'), path.size());
      std::string_view step = path.substr(0, dot);
      path.remove_prefix(std::min(dot + 1, path.size()));
      const bool is_list = step.ends_with("[]");
      step.remove_suffix(is_list ? 2 : 0);
      std::unique_ptr<Node>& next = at->members[std::string(step)];
      if (!next) {
        next = std::make_unique<Node>();
      }
      at = next.get();
      at->is_list = at->is_list || is_list;
    }
    at->fate = rule.is_refused ? "the provider refuses it" : "the provider ignores it";
    at->is_refused = rule.is_refused;
  }
}

FieldRules::~FieldRules() = default;

namespace {

// One pass over the parts of the document that some rule speaks of.
template <typename Node>
class Walk {
 public:
  void object(const Node& node, std::string_view json, const std::string& place, int depth) {
    if (depth > kMaxDepth || json.empty() || json.front() != '{') {
      return;
    }
    kube::JsonMembers members(json);
    kube::JsonMember member;
    while (found_.size() < kMaxFindings && members.next(member)) {
      const auto rule = node.members.find(member.key);
      if (rule != node.members.end() && is_set(member.key, member.value, json)) {
        step(*rule->second, member.value, place + "/" + escaped_step(member.key), depth + 1);
      }
    }
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(found_); }

 private:
  void step(const Node& node, std::string_view json, const std::string& place, int depth) {
    if (!node.is_list) {
      return visit(node, json, place, depth);
    }
    if (json.empty() || json.front() != '[') {
      return;
    }
    kube::JsonElements elements(json);
    std::string_view element;
    for (std::size_t i = 0; found_.size() < kMaxFindings && elements.next(element); ++i) {
      if (!is_injected(element)) {
        visit(node, element, place + "/" + std::to_string(i), depth);
      }
    }
  }
  void visit(const Node& node, std::string_view json, const std::string& place, int depth) {
    if (node.fate != nullptr) {
      found_.push_back(
          {node.is_refused ? FindingKind::Refused : FindingKind::Ignored, place, node.fate});
    } else {
      object(node, json, place, depth);
    }
  }

  std::vector<Finding> found_;
};

}  // namespace

std::vector<Finding> FieldRules::findings(std::string_view pod_json) const {
  Walk<Node> walk;
  if (!root_->members.empty()) {
    walk.object(*root_, kube::trim_json(pod_json), "", 0);
  }
  return walk.take();
}

// ---- What follows

namespace {

// Not within a character.
std::string cut_text(std::string text, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    while (max_bytes > 0 && (static_cast<unsigned char>(text[max_bytes]) & 0xC0U) == 0x80U) {
      --max_bytes;
    }
    text.resize(max_bytes);
  }
  return text;
}

}  // namespace

std::vector<Finding> joined_findings(std::vector<Finding> told,
                                     const std::vector<Finding>& by_rule) {
  const auto strictness = [](FindingKind kind) {
    return kind == FindingKind::Refused ? 2 : kind == FindingKind::Ignored ? 1 : 0;
  };
  std::vector<Finding> joined;
  const auto add = [&](const Finding& finding) {
    const auto same = std::find_if(joined.begin(), joined.end(), [&](const Finding& other) {
      return other.pointer == finding.pointer && !finding.pointer.empty();
    });
    if (same == joined.end()) {
      joined.push_back(finding);
    } else if (strictness(finding.kind) > strictness(same->kind)) {
      *same = finding;
    }
  };
  std::for_each(told.begin(), told.end(), add);
  std::for_each(by_rule.begin(), by_rule.end(), add);
  return joined;
}

std::string findings_text(const std::vector<Finding>& findings, std::size_t max_bytes) {
  constexpr std::size_t kRoomForTheRest = 24;  // "; and 1024 more"
  std::string text;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Finding& finding = findings[i];
    std::string entry = finding.pointer.empty() ? "the pod" : finding.pointer;
    entry += finding.text.empty() ? "" : ": " + finding.text;
    if (i == 0) {
      text = cut_text(std::move(entry), max_bytes - kRoomForTheRest);
    } else if (text.size() + entry.size() + 2 + kRoomForTheRest > max_bytes) {
      return text + "; and " + std::to_string(findings.size() - i) + " more";
    } else {
      text += "; " + entry;
    }
  }
  return text;
}

std::optional<Rejection> unsupported_fields(const std::vector<Finding>& findings, bool rejects) {
  constexpr std::size_t kMaxMessage = 4000;
  std::vector<Finding> counted;
  std::copy_if(findings.begin(), findings.end(), std::back_inserter(counted),
               [&](const Finding& finding) {
                 return finding.kind == FindingKind::Refused ||
                        (rejects && finding.kind == FindingKind::Ignored);
               });
  if (counted.empty()) {
    return std::nullopt;
  }
  return Rejection{"UnsupportedFields", findings_text(counted, kMaxMessage)};
}

HostCondition fields_condition(const std::vector<Finding>& findings) {
  constexpr std::size_t kMaxMessage = 4096;
  const bool ignores = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.kind == FindingKind::Ignored;
  });
  return {"vkhost.io/FieldsHonoured", false, ignores ? "FieldsIgnored" : "FieldsChanged",
          findings_text(findings, kMaxMessage)};
}

}  // namespace vkhost::pods
