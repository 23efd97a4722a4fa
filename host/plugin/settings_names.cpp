// The steps of check_settings that decide which setting a word of the user stands for: names of
// earlier programs, hyphens, environment variables, flags. Paths of `describe` are dotted, "[]"
// stands for each element: "warm_pools[].image_id".
#include "base/suggest.hpp"
#include "plugin/settings_tree.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <system_error>
#include <utility>

namespace vkhost::plugin {
namespace {

// "a.b[].c" → "a", "b", "[]", "c".
std::vector<std::string> path_steps(std::string_view path) {
  std::vector<std::string> steps;
  while (!path.empty()) {
    if (path.starts_with("[]")) {
      steps.emplace_back("[]");
      path.remove_prefix(2);
      continue;
    }
    if (path.front() == '.') {
      path.remove_prefix(1);
    }
    const auto end = std::min(path.find('.'), path.find("[]"));
    if (end != 0) {
      steps.emplace_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end, path.size()));
  }
  return steps;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return lower(x) == lower(y); });
}

// A value found under a former path: its steps as they stand in the document, and the indices that
// "[]" stood for.
struct Found {
  std::vector<std::string> steps;
  std::vector<std::size_t> indices;
  Json value;
};

void find_all(const Json& at,
              const std::vector<std::string>& path,
              std::size_t depth,
              const Found& so_far,
              std::vector<Found>& found) {
  if (depth == path.size()) {
    found.push_back(so_far);
    found.back().value = at;
    return;
  }
  if (path[depth] == "[]") {
    for (std::size_t i = 0; is_array(at) && i < as_array(at)->size(); ++i) {
      Found next = so_far;
      next.steps.push_back(std::to_string(i));
      next.indices.push_back(i);
      find_all(as_array(at)->get(static_cast<unsigned>(i)), path, depth + 1, next, found);
    }
    return;
  }
  if (!is_object(at)) {
    return;
  }
  for (const std::string& name : as_object(at)->getNames()) {
    if (same_ignoring_case(name, path[depth])) {
      Found next = so_far;
      next.steps.push_back(name);
      find_all(as_object(at)->get(name), path, depth + 1, next, found);
    }
  }
}

std::string pointer_of(const std::vector<std::string>& steps) {
  std::string pointer;
  for (const std::string& step : steps) {
    pointer = below(pointer, step);
  }
  return pointer;
}

// The steps of a path with its "[]" replaced; nothing when there are more "[]" than indices.
std::optional<std::vector<std::string>> concrete(const std::vector<std::string>& path,
                                                 const std::vector<std::size_t>& indices) {
  std::vector<std::string> steps;
  std::size_t used = 0;
  for (const std::string& step : path) {
    if (step != "[]") {
      steps.push_back(step);
    } else if (used < indices.size()) {
      steps.push_back(std::to_string(indices[used++]));
    } else {
      return std::nullopt;
    }
  }
  return steps;
}

std::size_t index_of(const std::string& step) {
  std::size_t index = 0;
  std::from_chars(step.data(), step.data() + step.size(), index);
  return index;
}

Json child(const Json& at, const std::string& step) {
  if (is_object(at)) {
    return as_object(at)->get(step);
  }
  if (is_array(at) && index_of(step) < as_array(at)->size()) {
    return as_array(at)->get(static_cast<unsigned>(index_of(step)));
  }
  return {};
}

void set_child(const Json& at, const std::string& step, const Json& value) {
  if (is_object(at)) {
    as_object(at)->set(step, value);
  } else if (is_array(at)) {
    as_array(at)->set(static_cast<unsigned>(index_of(step)), value);
  }
}

Json at_pointer(Json at, const std::vector<std::string>& steps) {
  for (const std::string& step : steps) {
    at = child(at, step);
  }
  return at;
}

// Sets the value at `steps`, making objects on the way, and arrays where the path has "[]". False
// when something else stands in the way.
bool put(const Json& root,
         const std::vector<std::string>& path,
         const std::vector<std::string>& steps,
         const Json& value) {
  Json at = root;
  for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
    Json next = child(at, steps[i]);
    if (next.isEmpty()) {
      next = path[i + 1] == "[]" ? Json(JsonArray::Ptr(new JsonArray))
                                 : Json(JsonObject::Ptr(new JsonObject));
      set_child(at, steps[i], next);
    }
    if (!is_object(next) && !is_array(next)) {
      return false;
    }
    at = next;
  }
  set_child(at, steps.back(), value);
  return true;
}

// Takes the value away, and the objects around it that are empty then.
void take_away(const Json& root, std::vector<std::string> steps) {
  while (!steps.empty()) {
    const std::string last = steps.back();
    steps.pop_back();
    const Json parent = at_pointer(root, steps);
    if (!is_object(parent)) {
      return;
    }
    as_object(parent)->remove(last);
    if (as_object(parent)->size() > 0) {
      return;
    }
  }
}

void move_one(const Found& found, const std::vector<std::string>& path, SettingsWork& work) {
  const auto steps = concrete(path, found.indices);
  if (!steps || *steps == found.steps) {
    return;
  }
  const std::string pointer = pointer_of(*steps);
  const SettingOrigin origin = find_origin(work.origins, pointer_of(found.steps));
  take_away(work.document, found.steps);
  if (!at_pointer(work.document, *steps).isEmpty()) {
    work.error(pointer, "given twice: also by its former name " + origin.name);
  } else if (!put(work.document, path, *steps, found.value)) {
    work.error(pointer, "cannot stand there: the table around it is something else");
  } else {
    work.origins[pointer] = origin;
  }
}

// The schema at a path of `describe`; null when the plugin's author mistyped it.
JsonObject::Ptr schema_at(const SettingsWork& work, const std::vector<std::string>& path) {
  JsonObject::Ptr schema = work.schema;
  for (const std::string& step : path) {
    schema = !schema ? schema : step == "[]" ? item_schema(*schema) : member_schema(*schema, step);
  }
  return schema;
}

// Text from outside as the type that the schema wants; what does not fit stays text, and the
// validator says so.
Json typed(const JsonObject& schema, const std::string& text) {
  const std::string type = type_of(schema);
  if (has_mark(schema, "x-duration") || type == "string") {
    return text;
  }
  if (type == "boolean" && (text == "true" || text == "false")) {
    return text == "true";
  }
  const char* const end = text.data() + text.size();
  std::int64_t whole = 0;
  if (type == "integer" || type == "number") {
    const auto read = std::from_chars(text.data(), end, whole);
    if (read.ec == std::errc() && read.ptr == end) {
      return whole;
    }
  }
  double real = 0;
  if (type == "number") {
    const auto read = std::from_chars(text.data(), end, real);
    if (read.ec == std::errc() && read.ptr == end) {
      return real;
    }
  }
  if (type == "array") {
    const auto items = item_schema(schema);
    JsonArray::Ptr array(new JsonArray);
    for (std::size_t start = 0; start <= text.size();) {
      const auto comma = std::min(text.find(',', start), text.size());
      const std::string element = text.substr(start, comma - start);
      array->add(items ? typed(*items, element) : Json(element));
      start = comma + 1;
    }
    return array;
  }
  return text;
}

struct FormerName {
  std::vector<std::string> former;
  std::vector<std::string> path;
};

bool starts_with(const std::vector<std::string>& path, const std::vector<std::string>& front) {
  return path.size() > front.size() &&
         std::equal(front.begin(), front.end(), path.begin(), same_ignoring_case);
}

bool has_each(const std::vector<std::string>& path) {
  return std::find(path.begin(), path.end(), "[]") != path.end();
}

}  // namespace

void apply_former_names(const PluginDescription& plugin, SettingsWork& work) {
  std::vector<FormerName> names;
  for (const auto& [former, path] : plugin.settings_aliases) {
    if (!former.starts_with("--")) {
      names.push_back({path_steps(former), path_steps(path)});
    }
  }
  // Tables before what stands in them, which is then looked for under the new name.
  std::stable_sort(names.begin(), names.end(), [](const FormerName& a, const FormerName& b) {
    return a.former.size() < b.former.size();
  });
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::vector<std::string> former = names[i].former;
    for (std::size_t j = i; j-- > 0;) {
      if (starts_with(former, names[j].former)) {
        former.erase(former.begin(),
                     former.begin() + static_cast<std::ptrdiff_t>(names[j].former.size()));
        former.insert(former.begin(), names[j].path.begin(), names[j].path.end());
        break;
      }
    }
    std::vector<Found> found;
    find_all(work.document, former, 0, {}, found);
    for (const Found& one : found) {
      move_one(one, names[i].path, work);
    }
  }
}

void apply_hyphens(SettingsWork& work) {
  walk(*work.schema, work.document, "",
       [&](const JsonObject& schema, Json& value, const std::string& pointer) {
         const JsonObject::Ptr properties = schema.getObject("properties");
         if (!is_object(value) || !properties) {
           return;
         }
         JsonObject::Ptr object = as_object(value);
         for (const std::string& name : object->getNames()) {
           std::string snake = name;
           std::replace(snake.begin(), snake.end(), '-', '_');
           if (snake == name || properties->has(name) || !properties->has(snake)) {
             continue;
           }
           if (object->has(snake)) {
             work.error(below(pointer, snake), "given twice: also as " + name);
             object->remove(name);
             continue;
           }
           const Json member = object->get(name);
           object->remove(name);
           object->set(snake, member);
           work.origins[below(pointer, snake)] = find_origin(work.origins, below(pointer, name));
         }
       });
}

void apply_environment(const PluginDescription& plugin,
                       const SettingsInput& input,
                       SettingsWork& work) {
  for (const auto& [variable, name] : plugin.settings_env) {
    const auto path = path_steps(name);
    const auto schema = schema_at(work, path);
    const auto text = input.environment ? input.environment(variable) : std::nullopt;
    if (!schema || !text || text->empty() || path.empty() || has_each(path) ||
        !at_pointer(work.document, path).isEmpty()) {
      continue;
    }
    if (put(work.document, path, path, typed(*schema, *text))) {
      work.origins[pointer_of(path)] = {SettingOrigin::Kind::Environment, variable};
    }
  }
}

void apply_flags(const PluginDescription& plugin, const SettingsInput& input, SettingsWork& work) {
  for (const auto& [flag, text] : input.flags) {
    const auto alias = plugin.settings_aliases.find(flag);
    if (alias == plugin.settings_aliases.end()) {
      continue;
    }
    work.flags.push_back(flag);
    const auto path = path_steps(alias->second);
    const auto schema = schema_at(work, path);
    if (!schema || path.empty() || has_each(path)) {
      continue;
    }
    const std::string pointer = pointer_of(path);
    work.origins[pointer] = {SettingOrigin::Kind::Flag, flag};
    if (has_mark(*schema, "x-secret")) {
      work.error(pointer,
                 "a secret is not taken from an argument, which every user of the machine can "
                 "read: use a file or an environment variable");
    } else if (!put(work.document, path, path, typed(*schema, text))) {
      work.error(pointer, "cannot stand there: the table around it is something else");
    }
  }
}

}  // namespace vkhost::plugin
