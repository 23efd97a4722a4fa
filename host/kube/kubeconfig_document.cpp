#include "kube/kubeconfig_document.hpp"

#include "base/base64.hpp"
#include "kube/json_cut.hpp"
#include "kube/json_reader.hpp"

#include <algorithm>
#include <utility>

namespace vkhost::kube {
namespace {

// The member, or an undefined node; asking a const node never adds one.
YAML::Node member_of(const YAML::Node& map, const char* key) {
  return map.IsMap() ? map[key] : YAML::Node(YAML::NodeType::Undefined);
}

// What is read here becomes header lines, paths and arguments of programs.
bool holds_nul(const std::string& text) { return text.find('\0') != std::string::npos; }

bool is_absent(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

// yaml-cpp reads JSON only in part (no surrogate pairs, no long keys), so JSON goes this way. Depth is
// bounded by read_json().
YAML::Node from_json(simdjson::dom::element element) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::OBJECT: {
      YAML::Node map(YAML::NodeType::Map);
      for (const auto field : simdjson::dom::object(element)) {
        map.force_insert(std::string(field.key), from_json(field.value));
      }
      return map;
    }
    case Type::ARRAY: {
      YAML::Node list(YAML::NodeType::Sequence);
      for (const simdjson::dom::element item : simdjson::dom::array(element)) {
        list.push_back(from_json(item));
      }
      return list;
    }
    case Type::STRING:
      return YAML::Node(std::string(std::string_view(element)));
    case Type::NULL_VALUE:
      return YAML::Node(YAML::NodeType::Null);
    default:
      return YAML::Node(simdjson::minify(element));
  }
}

Result<YAML::Node> parse_text(const std::filesystem::path& file, const std::string& text) {
  if (const auto trimmed = trim_json(text); !trimmed.empty() && trimmed.front() == '{') {
    const auto root = read_json(trimmed);
    if (!root.is_ok()) {
      return invalid_argument(file.string() + ": " + root.status().message());
    }
    return from_json(*root);
  }
  try {
    return YAML::Load(text);
  } catch (const YAML::Exception& fault) {
    return invalid_argument(file.string() + ":" + std::to_string(fault.mark.line + 1) + ": " +
                            fault.msg);
  }
}

}  // namespace

Result<KubeconfigDocument> KubeconfigDocument::parse(std::filesystem::path file,
                                                     const std::string& text) {
  VKHOST_TRY_ASSIGN(YAML::Node root, parse_text(file, text));
  KubeconfigDocument document;
  document.root_.file = std::move(file);
  if (root.IsNull()) {  // an empty file is a valid one without entries
    root = YAML::Node(YAML::NodeType::Map);
  }
  if (!root.IsMap()) {
    return invalid_argument(document.file().string() + ": not a kubeconfig, which is a mapping");
  }
  document.root_.node.reset(root);
  return document;
}

Result<KubeconfigEntry> KubeconfigDocument::find_named(const char* list,
                                                       const char* inner,
                                                       const std::string& name) const {
  KubeconfigEntry found;
  found.node.reset(YAML::Node(YAML::NodeType::Undefined));
  const YAML::Node items = member_of(root_.node, list);
  if (is_absent(items)) {
    return found;
  }
  if (!items.IsSequence()) {
    return kubeconfig_fault(root_, items, list, "is not a list");
  }
  for (const YAML::Node& item : items) {
    const YAML::Node label = member_of(item, "name");
    if (!label.IsDefined() || !label.IsScalar() || label.Scalar() != name) {
      continue;
    }
    const KubeconfigEntry entry{item, std::string(list) + "[" + name + "]", root_.file};
    if (found.node.IsDefined()) {
      return kubeconfig_fault(entry, item, "", "stands twice");
    }
    VKHOST_TRY_ASSIGN(KubeconfigEntry content, take_entry(entry, inner));
    if (!content.node.IsDefined()) {
      return kubeconfig_fault(entry, item, inner, "is missing");
    }
    content.path = entry.path;  // "clusters[prod].server" says enough
    found.node.reset(content.node);
    found.path = std::move(content.path);
    found.file = std::move(content.file);
  }
  return found;
}

Status kubeconfig_fault(const KubeconfigEntry& entry,
                        const YAML::Node& at,
                        std::string_view key,
                        std::string_view what) {
  std::string message = entry.file.string();
  if (at.IsDefined() && !at.Mark().is_null()) {
    message += ":" + std::to_string(at.Mark().line + 1);
  }
  message += ": " + entry.path;
  if (!key.empty()) {
    message += (entry.path.empty() ? "" : ".") + std::string(key);
  }
  return invalid_argument(message + " " + std::string(what));
}

Status take_text(const KubeconfigEntry& entry, const char* key, std::string& out) {
  const YAML::Node value = member_of(entry.node, key);
  if (is_absent(value)) {
    return Status::ok();
  }
  if (!value.IsScalar()) {
    return kubeconfig_fault(entry, value, key, "is not a string");
  }
  if (holds_nul(value.Scalar())) {
    return kubeconfig_fault(entry, value, key, "holds a NUL character");
  }
  out = value.Scalar();
  return Status::ok();
}

Status take_flag(const KubeconfigEntry& entry, const char* key, bool& out) {
  std::string text;
  VKHOST_TRY(take_text(entry, key, text));
  if (text == "true") {
    out = true;
  } else if (text == "false") {
    out = false;
  } else if (!text.empty()) {
    return kubeconfig_fault(entry, member_of(entry.node, key), key, "is neither true nor false");
  }
  return Status::ok();
}

Status take_list(const KubeconfigEntry& entry, const char* key, std::vector<std::string>& out) {
  const YAML::Node value = member_of(entry.node, key);
  if (is_absent(value)) {
    return Status::ok();
  }
  if (!value.IsSequence()) {
    return kubeconfig_fault(entry, value, key, "is not a list");
  }
  for (const YAML::Node& item : value) {
    if (!item.IsScalar()) {
      return kubeconfig_fault(entry, item, key, "holds something that is not a string");
    }
    if (holds_nul(item.Scalar())) {
      return kubeconfig_fault(entry, item, key, "holds a NUL character");
    }
    out.push_back(item.Scalar());
  }
  return Status::ok();
}

Status take_data(const KubeconfigEntry& entry, const char* key, std::string& out) {
  std::string text;
  VKHOST_TRY(take_text(entry, key, text));
  auto decoded = base64_decode(text);
  if (!decoded) {
    return kubeconfig_fault(entry, member_of(entry.node, key), key, "is not base64");
  }
  out = std::move(*decoded);
  return Status::ok();
}

Status take_path(const KubeconfigEntry& entry, const char* key, std::filesystem::path& out) {
  std::string text;
  VKHOST_TRY(take_text(entry, key, text));
  if (!text.empty()) {
    out = (entry.file.parent_path() / text).lexically_normal();
  }
  return Status::ok();
}

Result<KubeconfigEntry> take_entry(const KubeconfigEntry& entry, const char* key) {
  KubeconfigEntry inner;
  inner.node.reset(YAML::Node(YAML::NodeType::Undefined));
  inner.path = entry.path.empty() ? std::string(key) : entry.path + "." + key;
  inner.file = entry.file;
  const YAML::Node value = member_of(entry.node, key);
  if (is_absent(value)) {
    return inner;
  }
  if (!value.IsMap()) {
    return kubeconfig_fault(entry, value, key, "is not a mapping");
  }
  inner.node.reset(value);
  return inner;
}

}  // namespace vkhost::kube
