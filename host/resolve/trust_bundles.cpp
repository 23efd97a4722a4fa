#include "resolve/trust_bundles.hpp"

#include "base/base64.hpp"
#include "kube/json_cut.hpp"
#include "resolve/pod_fields.hpp"

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

namespace vkhost::resolve {
namespace {

using Poco::JSON::Object;

constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
constexpr std::string_view kEnd = "-----END CERTIFICATE-----";
constexpr std::size_t kLineLength = 64;

// Between the selector of fields and that of labels.
constexpr char kSeparator = '\n';

// Names and signers may hold anything, and a comma would begin another condition.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c == '\\' || c == ',' || c == '=' ? "\\" : "";
    out += c == kSeparator ? ' ' : c;  // stands in no name
  }
  return out;
}

bool is_label_value(std::string_view text) {
  constexpr std::size_t kLongest = 63;
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return text.empty() ||
         (text.size() <= kLongest && is_plain(text.front()) && is_plain(text.back()) &&
          std::all_of(text.begin(), text.end(),
                      [&](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; }));
}

Status check_label(const std::string& key, const std::string& value, const Place& place) {
  return is_qualified_name(key) && is_label_value(value)
             ? Status::ok()
             : invalid_argument(place.text() + " has what no label can have");
}

void append_condition(std::string& selector, const std::string& condition) {
  selector += selector.empty() ? "" : ",";
  selector += condition;
}

Status append_expression(const Object& expression, const Place& place, std::string& selector) {
  VKHOST_TRY_ASSIGN(const std::string key, read_string(expression, "key", place));
  VKHOST_TRY_ASSIGN(const std::string relation, read_string(expression, "operator", place));
  VKHOST_TRY_ASSIGN(const auto list, read_array(expression, "values", place));
  VKHOST_TRY(check_label(key, "", place));
  std::string values;
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place value_place(place, "values", i);
    VKHOST_TRY_ASSIGN(const std::string value, string_at(*list, i, value_place));
    VKHOST_TRY(check_label(key, value, value_place));
    values += (i == 0 ? "" : ",") + value;
  }
  const bool has_values = !list.isNull() && list->size() > 0;
  if ((relation == "In" || relation == "NotIn") && has_values) {
    append_condition(selector, key + (relation == "In" ? " in (" : " notin (") + values + ")");
  } else if (relation == "Exists" && !has_values) {
    append_condition(selector, key);
  } else if (relation == "DoesNotExist" && !has_values) {
    append_condition(selector, "!" + key);
  } else {
    return invalid_argument(place.text() + " is no condition of labels");
  }
  return Status::ok();
}

Result<std::string> read_selector(const Object& labels, const Place& place) {
  std::string selector;
  VKHOST_TRY_ASSIGN(const auto matches, read_object(labels, "matchLabels", place));
  if (!matches.isNull()) {
    const Place matches_place(place, "matchLabels");
    for (const std::string& key : matches->getNames()) {
      VKHOST_TRY_ASSIGN(const std::string value, read_string(*matches, key, matches_place));
      VKHOST_TRY(check_label(key, value, matches_place));
      append_condition(selector, key + "=" + value);
    }
  }
  VKHOST_TRY_ASSIGN(const auto list, read_array(labels, "matchExpressions", place));
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i) {
    const Place expression_place(place, "matchExpressions", i);
    VKHOST_TRY_ASSIGN(const auto expression, object_at(*list, i, expression_place));
    VKHOST_TRY(append_expression(*expression, expression_place, selector));
  }
  return selector;
}

void take_certificates(std::string_view pem, std::set<std::string>& certificates) {
  for (std::size_t at = pem.find(kBegin); at != std::string_view::npos; at = pem.find(kBegin)) {
    pem.remove_prefix(at + kBegin.size());
    const std::size_t end = pem.find(kEnd);
    if (end == std::string_view::npos) {
      return;
    }
    auto bytes = base64_decode(pem.substr(0, end));
    if (bytes && !bytes->empty()) {
      certificates.insert(std::move(*bytes));
      pem.remove_prefix(end + kEnd.size());
    }
  }
}

std::string pem_of(const std::set<std::string>& certificates) {
  std::string pem;
  for (const std::string& bytes : certificates) {
    const std::string text = base64_encode(bytes);
    pem.append(kBegin).append("\n");
    for (std::size_t at = 0; at < text.size(); at += kLineLength) {
      pem.append(text, at, kLineLength).append("\n");
    }
    pem.append(kEnd).append("\n");
  }
  return pem;
}

}  // namespace

Result<TrustBundleFile> read_trust_bundle_file(const Object& source, const Place& place) {
  TrustBundleFile file;
  VKHOST_TRY_ASSIGN(file.path, read_string(source, "path", place));
  VKHOST_TRY_ASSIGN(file.optional, read_bool(source, "optional", place, false));
  VKHOST_TRY_ASSIGN(const std::string name, read_string(source, "name", place));
  VKHOST_TRY_ASSIGN(const std::string signer, read_string(source, "signerName", place));
  if (name.empty() == signer.empty()) {
    return invalid_argument(place.text() + " names not one of name and signerName");
  }
  if (!name.empty()) {
    file.selection = "metadata.name=" + escaped(name) + kSeparator;
    file.missing = "while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io \"" +
                   name + "\" not found";
    return file;
  }
  file.missing = "combination of signerName and labelSelector matched zero ClusterTrustBundles";
  VKHOST_TRY_ASSIGN(const auto labels, read_object(source, "labelSelector", place));
  if (!labels.isNull()) {  // else nothing is selected, as the API has it
    VKHOST_TRY_ASSIGN(const std::string selector,
                      read_selector(*labels, Place(place, "labelSelector")));
    file.selection = "spec.signerName=" + escaped(signer) + kSeparator + selector;
  }
  return file;
}

kube::Query trust_bundle_query(std::string_view selection) {
  const std::size_t fields = std::min(selection.find(kSeparator), selection.size());
  const std::string_view labels = selection.substr(std::min(fields + 1, selection.size()));
  kube::Query query = {{"fieldSelector", std::string(selection.substr(0, fields))}};
  if (!labels.empty()) {
    query.emplace_back("labelSelector", labels);
  }
  return query;
}

bool is_empty_list(std::string_view json) {
  kube::JsonElements elements(kube::find_member(json, "items"));
  std::string_view element;
  return !elements.next(element);
}

Result<ReferencedObject> parse_trust_bundles(std::string_view list) {
  VKHOST_TRY_ASSIGN(const auto document, parse_json_object(list, "the list"));
  const Place place("the list");
  VKHOST_TRY_ASSIGN(const auto items, read_array(*document, "items", place));
  std::set<std::string> certificates;
  for (std::size_t i = 0; !items.isNull() && i < items->size(); ++i) {
    const Place item_place(place, "items", i);
    VKHOST_TRY_ASSIGN(const auto bundle, object_at(*items, i, item_place));
    VKHOST_TRY_ASSIGN(const auto spec, read_object(*bundle, "spec", item_place));
    if (!spec.isNull()) {
      VKHOST_TRY_ASSIGN(const std::string pem,
                        read_string(*spec, "trustBundle", Place(item_place, "spec")));
      take_certificates(pem, certificates);
    }
  }
  ReferencedObject object;
  std::string pem = pem_of(certificates);
  object.bytes = pem.size();
  object.items.emplace(kTrustAnchors, Secret(std::move(pem)));
  return object;
}

}  // namespace vkhost::resolve
