#include "material_hashes.hpp"

#include <vkhost/cpp/json.hpp>
#include <vkhost/provider.hpp>

#include <Poco/DigestEngine.h>
#include <Poco/Exception.h>
#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>
#include <Poco/NumberFormatter.h>
#include <Poco/SHA2Engine.h>
#include <Poco/SharedPtr.h>

#include <algorithm>
#include <array>

namespace vkhost::mock {
namespace {

// Everything that is not named here is hidden, members of later versions too.
constexpr std::array<std::string_view, 7> kShown{"name",        "field_ref", "path",   "server",
                                                 "secret_name", "audience",  "expires"};

// Writes again what the parser reads. Not with PrintHandler, which writes true as 1.
class Hashing final : public Poco::JSON::Handler {
 public:
  void reset() override { json_ = {}; }
  void startObject() override { hidden().begin_object(); }
  void endObject() override { hidden().end_object(); }
  void startArray() override { hidden().begin_array(); }
  void endArray() override { hidden().end_array(); }
  void key(const std::string& name) override {
    json_.key(name);
    shown_ = std::find(kShown.begin(), kShown.end(), name) != kShown.end();
  }
  void value(const std::string& text) override {
    const bool shown = shown_;
    hidden().value(shown ? text : digest_of(text));
  }
  void value(int number) override { hidden().value(number); }
  void value(unsigned number) override { hidden().value(number); }
  void value(Poco::Int64 number) override { hidden().value(number); }
  void value(Poco::UInt64 number) override { hidden().value(number); }
  void value(double number) override { hidden().raw(Poco::NumberFormatter::format(number)); }
  void value(bool is_true) override { hidden().value(is_true); }
  void null() override { hidden().null(); }

  [[nodiscard]] std::string take() { return json_.take(); }

 private:
  // A name is shown where it follows its key; not in an array, nor after what is nested.
  sdk::JsonWriter& hidden() {
    shown_ = false;
    return json_;
  }

  sdk::JsonWriter json_;
  bool shown_ = false;
};

}  // namespace

std::string digest_of(std::string_view text) {
  Poco::SHA2Engine engine;
  engine.update(text.data(), text.size());
  return "sha256:" + Poco::DigestEngine::digestToHex(engine.digest());
}

std::string hash_texts(std::string_view material) {
  Poco::SharedPtr<Hashing> hashing(new Hashing);
  try {
    Poco::JSON::Parser parser(hashing);
    parser.setDepth(VKP_MAX_JSON_DEPTH);
    parser.parse(std::string(material));
  } catch (const Poco::Exception&) {  // its text may quote the document
    throw sdk::Error(sdk::Code::InvalidArgument, "InvalidDocument", "the material is not JSON")
        .never_retry()
        .with_effect(sdk::Effect::None);
  }
  return hashing->take();
}

}  // namespace vkhost::mock
