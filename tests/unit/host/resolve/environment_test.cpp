#include "resolve/environment.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

TEST(Environment, KeepsTheOrderAndTheLastOfRepeatedNames) {
  Environment environment;
  environment.set("A", {"1"});
  environment.set("B", {"2", true});
  environment.set("A", {"3"});

  EXPECT_EQ(environment.json(),
            R"([{"name":"B","value":"2","secret":true},{"name":"A","value":"3"}])");
  EXPECT_EQ(environment.value_of("A")->text, "3");
}

TEST(Environment, TakesServiceVariablesForFreeNamesOnly) {
  Environment environment;
  environment.set("S_HOST", {"mine"});
  ServiceVariables services;
  services.names = {"S_HOST", "S_PORT"};
  services.values = {{"S_HOST", {"10.0.0.1"}}, {"S_PORT", {"80"}}};

  environment.add_services(services);

  EXPECT_EQ(environment.json(), R"([{"name":"S_HOST","value":"mine"},)"
                                R"({"name":"S_PORT","value":"80","service":true}])");
}

TEST(Environment, KnowsALateVariableButNoValueOfIt) {
  Environment environment;
  environment.set_late("POD_IP", "status.podIP");

  EXPECT_NE(environment.find("POD_IP"), nullptr);
  EXPECT_EQ(environment.value_of("POD_IP"), nullptr);
  EXPECT_EQ(environment.value_of("OTHER"), nullptr);
  EXPECT_EQ(environment.json(), R"([{"name":"POD_IP","field_ref":"status.podIP"}])");
}

TEST(Environment, ReplacesALateVariableByAValueAndBack) {
  Environment environment;
  environment.set_late("X", "status.podIP");
  environment.set("X", {"1"});
  EXPECT_EQ(environment.json(), R"([{"name":"X","value":"1"}])");

  environment.set_late("X", "status.podIPs");
  EXPECT_EQ(environment.json(), R"([{"name":"X","field_ref":"status.podIPs"}])");
}

TEST(Environment, WritesAnyNameAndValueAsJson) {
  using namespace std::string_literals;
  Environment environment;
  environment.set("a\"\\\n", {"\x01\xC3\xA9\0"s});

  EXPECT_EQ(environment.json(),
            "[{\"name\":\"a\\\"\\\\\\n\",\"value\":\"\\u0001\xC3\xA9\\u0000\"}]");
}

TEST(EnvName, FollowsTheRuleThatIsAskedFor) {
  const struct {
    const char* name;
    bool identifier;
    bool printable;
  } cases[] = {
      {"A", true, true},      {"a.b-c_D9", true, true}, {".a", true, true},
      {"-", true, true},      {"_", true, true},        {"9A", false, true},
      {".", false, true},     {"..", false, true},      {"..a", false, true},
      {"a b", false, true},   {"a/b", false, true},     {"a=b", false, false},
      {"", false, false},     {"a\n", false, false},    {"\xC3\xA9", false, false},
      {"\x7F", false, false},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(is_env_name(one.name, EnvNames::Identifiers), one.identifier) << one.name;
    EXPECT_EQ(is_env_name(one.name, EnvNames::Printable), one.printable) << one.name;
  }
}

}  // namespace
}  // namespace vkhost::resolve
