// Section<T>: the keys of one TOML table, each declared once: name, member, type, description.
// The reader with its check for unknown keys, the reference page and the difference between two
// configurations all follow from it. Built once, immutable afterwards. [any-thread] [no-block]
#pragma once

#include "base/suggest.hpp"
#include "config/key_type.hpp"
#include "config/problem.hpp"
#include "config/value.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vkhost::config {

// What becomes of a changed key when the daemon reads its configuration again.
enum class Reload {
  Restart,
  Live,
  ByProvider,  // its plugin decides
};

// For the reference page. A key with members is a table, or a list of tables.
struct KeyDescription {
  std::string name;
  std::string type;
  std::string range;
  std::string default_text;  // empty: none
  std::string text;
  Reload reload = Reload::Restart;
  bool required = false;
  bool is_list = false;
  bool default_is_prose = false;  // it is worked out at start: Markdown, not TOML
  std::vector<KeyDescription> members;
};

struct Change {
  std::string key;  // "log.level"
  Reload reload = Reload::Restart;
  Place at = {};  // where it was written; else the table that it would stand in
};

template <typename T>
class Section {
 public:
  template <typename M>
  Section& key(std::string name,
               M T::* member,
               const KeyType<M>& type,
               std::string text,
               Reload reload = Reload::Restart) {
    Entry entry;
    entry.description.name = std::move(name);
    entry.description.type = type.name;
    entry.description.range = type.range;
    entry.description.default_text = type.show(T{}.*member);
    entry.description.text = std::move(text);
    entry.description.reload = reload;
    entry.read = [member, type](const Value& value, const std::string& path, T& into,
                                Problems& problems) {
      if (auto read = type.read(value, path, problems)) {
        into.*member = std::move(*read);
      }
    };
    entry.difference = [member, type, reload](const T& a, const T& b, const std::string& path,
                                              std::vector<Change>& changes) {
      if (type.show(a.*member) != type.show(b.*member)) {
        changes.push_back({path, reload});
      }
    };
    entry.take_live = [member, reload](T& into, const T& from) {
      if (reload == Reload::Live) {
        into.*member = from.*member;
      }
    };
    entry.show = [member, type](const T& value) { return type.show(value.*member); };
    entries_.push_back(std::move(entry));
    return *this;
  }

  // The last key must be given.
  Section& required() {
    entries_.back().description.required = true;
    entries_.back().description.default_text.clear();
    return *this;
  }

  // What the reference shows where the default is worked out at start, in Markdown.
  Section& default_text(std::string text) {
    entries_.back().description.default_text = std::move(text);
    entries_.back().description.default_is_prose = true;
    return *this;
  }

  // A table below this one.
  template <typename M>
  Section& table(std::string name, M T::* member, const Section<M>& section, std::string text) {
    Entry entry;
    entry.description.name = std::move(name);
    entry.description.type = "table";
    entry.description.text = std::move(text);
    entry.description.members = section.describe();
    entry.read = [member, section](const Value& value, const std::string& path, T& into,
                                   Problems& problems) {
      section.read(value, path, into.*member, problems);
    };
    entry.difference = [member, section](const T& a, const T& b, const std::string& path,
                                         std::vector<Change>& changes) {
      section.difference(a.*member, b.*member, path, changes);
    };
    entry.take_live = [member, section](T& into, const T& from) {
      section.take_live(into.*member, from.*member);
    };
    entries_.push_back(std::move(entry));
    return *this;
  }

  // One table [name] or several [[name]], which are told apart by `name_of`.
  template <typename M>
  Section& tables(std::string name,
                  std::vector<M> T::* member,
                  std::string M::* name_of,
                  const Section<M>& section,
                  std::string text) {
    Entry entry;
    entry.description.name = std::move(name);
    entry.description.type = "table";
    entry.description.text = std::move(text);
    entry.description.is_list = true;
    entry.description.members = section.describe();
    entry.read = [member, section](const Value& value, const std::string& path, T& into,
                                   Problems& problems) {
      Section<M>::read_list(section, value, path, into.*member, problems);
    };
    entry.difference = [member, name_of, section](const T& a, const T& b, const std::string& path,
                                                  std::vector<Change>& changes) {
      Section<M>::list_difference(section, name_of, a.*member, b.*member, path, changes);
    };
    entry.take_live = [member, name_of, section](T& into, const T& from) {
      auto& mine = into.*member;
      const auto& theirs = from.*member;
      for (std::size_t i = 0; i < std::min(mine.size(), theirs.size()); ++i) {
        if (mine[i].*name_of == theirs[i].*name_of) {
          section.take_live(mine[i], theirs[i]);
        }
      }
    };
    entries_.push_back(std::move(entry));
    return *this;
  }

  // Reads every key of `value` into `into`; keys that are not declared are problems.
  void read(const Value& value, const std::string& path, T& into, Problems& problems) const {
    const auto* table = value.as<Table>();
    if (table == nullptr) {
      expected(value, path, "a table", problems);
      return;
    }
    std::vector<const Member*> seen(entries_.size());
    for (const Member& member : *table) {
      const auto index = index_of(member.name);
      const std::string key = path.empty() ? member.name : path + '.' + member.name;
      if (!index) {
        problems.error(member.at, key, "unknown key" + did_you_mean(member.name, names()));
      } else if (seen[*index] != nullptr) {
        problems.error(member.at, key, "given twice: also as " + seen[*index]->name);
      } else {
        seen[*index] = &member;
        const Entry& entry = entries_[*index];
        entry.read(member.value,
                   path.empty() ? entry.description.name : path + '.' + entry.description.name,
                   into, problems);
      }
    }
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].description.required && seen[i] == nullptr) {
        const std::string& name = entries_[i].description.name;
        problems.error(value.at(), path.empty() ? name : path + '.' + name,
                       "missing: expected " + entries_[i].description.type);
      }
    }
  }

  static void read_list(const Section& section,
                        const Value& value,
                        const std::string& path,
                        std::vector<T>& into,
                        Problems& problems) {
    const auto* array = value.as<Array>();
    if (array == nullptr) {
      section.read(value, path, into.emplace_back(), problems);
      return;
    }
    for (std::size_t i = 0; i < array->size(); ++i) {
      section.read((*array)[i], path + '[' + std::to_string(i) + ']', into.emplace_back(),
                   problems);
    }
  }

  void difference(const T& a,
                  const T& b,
                  const std::string& path,
                  std::vector<Change>& changes) const {
    for (const Entry& entry : entries_) {
      entry.difference(a, b,
                       path.empty() ? entry.description.name : path + '.' + entry.description.name,
                       changes);
    }
  }

  // One of another name is another one altogether, whose keys are no changes.
  static void list_difference(const Section& section,
                              std::string T::* name_of,
                              const std::vector<T>& before,
                              const std::vector<T>& after,
                              const std::string& path,
                              std::vector<Change>& changes) {
    if (before.size() != after.size()) {
      changes.push_back({path, Reload::Restart});
    }
    for (std::size_t i = 0; i < std::min(before.size(), after.size()); ++i) {
      const std::string element = path + '[' + std::to_string(i) + ']';
      if (before[i].*name_of == after[i].*name_of) {
        section.difference(before[i], after[i], element, changes);
      } else {
        changes.push_back({element + ".name", Reload::Restart});
      }
    }
  }

  // What differs and is Reload::Live becomes as in `from`; everything else stays.
  void take_live(T& into, const T& from) const {
    for (const Entry& entry : entries_) {
      entry.take_live(into, from);
    }
  }

  // As an inline table, for lists of small tables such as taints.
  [[nodiscard]] std::string show(const T& value) const {
    std::string out = "{";
    for (const Entry& entry : entries_) {
      const std::string text = entry.show ? entry.show(value) : std::string();
      if (!text.empty()) {
        out += (out.size() == 1 ? " " : ", ") + entry.description.name + " = " + text;
      }
    }
    return out + " }";
  }

  [[nodiscard]] std::vector<KeyDescription> describe() const {
    std::vector<KeyDescription> out;
    out.reserve(entries_.size());
    for (const Entry& entry : entries_) {
      out.push_back(entry.description);
    }
    return out;
  }

 private:
  struct Entry {
    KeyDescription description;
    std::function<void(const Value&, const std::string&, T&, Problems&)> read;
    std::function<void(const T&, const T&, const std::string&, std::vector<Change>&)> difference;
    std::function<void(T&, const T&)> take_live;
    std::function<std::string(const T&)> show;
  };

  [[nodiscard]] std::optional<std::size_t> index_of(std::string_view name) const {
    const std::string wanted = snake_case(name);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      if (entries_[i].description.name == wanted) {
        return i;
      }
    }
    return std::nullopt;
  }

  [[nodiscard]] std::vector<std::string_view> names() const {
    std::vector<std::string_view> out;
    out.reserve(entries_.size());
    for (const Entry& entry : entries_) {
      out.push_back(entry.description.name);
    }
    return out;
  }

  std::vector<Entry> entries_;
};

// The type of a key whose value is a table with declared keys: a taint in a list of taints.
template <typename T>
KeyType<T> inline_table(std::string name, const Section<T>& section) {
  KeyType<T> type;
  type.name = std::move(name);
  type.show = [section](const T& value) { return section.show(value); };
  type.read = [section](const Value& value, const std::string& key,
                        Problems& problems) -> std::optional<T> {
    T read;
    section.read(value, key, read, problems);
    return read;
  };
  return type;
}

}  // namespace vkhost::config
