#include "resolve/object_source.hpp"

#include <gtest/gtest.h>

#include <string>

namespace vkhost::resolve {
namespace {

CallbackObjectSource source() {
  return CallbackObjectSource({[](std::string_view kind, const std::string& object_namespace,
                                  const std::string& name) -> std::optional<std::string> {
                                 if (name == "missing") {
                                   return std::nullopt;
                                 }
                                 return std::string(kind) + " " + object_namespace + " " + name;
                               },
                               [](std::string_view kind, const std::string& object_namespace) {
                                 return object_namespace == "empty"
                                            ? std::vector<std::string>()
                                            : std::vector<std::string>{
                                                  "{\"" + std::string(kind) + "\":1}", "{}"};
                               }});
}

TEST(CallbackObjectSource, AsksForTheKindByItsKubernetesName) {
  auto documents = source();

  EXPECT_EQ(*documents.get_config_map("ns", "a", {}), "ConfigMap ns a");
  EXPECT_EQ(*documents.get_secret("ns", "a", {}), "Secret ns a");
  EXPECT_EQ(*documents.get_service("ns", "a", {}), "Service ns a");
  EXPECT_EQ(*documents.get_service_account("ns", "a", {}), "ServiceAccount ns a");
}

TEST(CallbackObjectSource, SaysNotFoundForWhatIsNotThere) {
  auto documents = source();

  EXPECT_EQ(documents.get_secret("ns", "missing", {}).status().code(), StatusCode::NotFound);
}

TEST(CallbackObjectSource, PutsServicesIntoOneList) {
  auto documents = source();

  EXPECT_EQ(*documents.list_services("ns", {}), R"({"items":[{"Service":1},{}]})");
  EXPECT_EQ(*documents.list_services("empty", {}), R"({"items":[]})");
}

}  // namespace
}  // namespace vkhost::resolve
