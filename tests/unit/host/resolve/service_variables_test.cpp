#include "resolve/service_variables.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> lines(const ServiceVariables& variables) {
  std::vector<std::string> lines;
  for (const std::string& name : variables.names) {
    lines.push_back(name + "=" + variables.values.find(name)->second.text);
  }
  return lines;
}

std::vector<std::string> lines_of(const std::string& services) {
  const auto parsed = parse_service_list(R"({"items":[)" + services + "]}");
  EXPECT_TRUE(parsed.is_ok()) << parsed.status().to_string();
  return lines(make_service_variables(*parsed));
}

TEST(ServiceVariables, NameHostPortsAndUrls) {
  EXPECT_THAT(lines_of(R"({"metadata":{"name":"my-svc"},"spec":{"clusterIP":"10.0.0.7","ports":[
                  {"name":"web-ui","port":80},
                  {"name":"dns","port":53,"protocol":"UDP"}]}})"),
              ElementsAre("MY_SVC_SERVICE_HOST=10.0.0.7", "MY_SVC_SERVICE_PORT=80",
                          "MY_SVC_SERVICE_PORT_WEB_UI=80", "MY_SVC_SERVICE_PORT_DNS=53",
                          "MY_SVC_PORT=tcp://10.0.0.7:80", "MY_SVC_PORT_80_TCP=tcp://10.0.0.7:80",
                          "MY_SVC_PORT_80_TCP_PROTO=tcp", "MY_SVC_PORT_80_TCP_PORT=80",
                          "MY_SVC_PORT_80_TCP_ADDR=10.0.0.7",
                          "MY_SVC_PORT_53_UDP=udp://10.0.0.7:53", "MY_SVC_PORT_53_UDP_PROTO=udp",
                          "MY_SVC_PORT_53_UDP_PORT=53", "MY_SVC_PORT_53_UDP_ADDR=10.0.0.7"));
}

TEST(ServiceVariables, PutBracketsRoundIpv6InUrlsOnly) {
  EXPECT_THAT(lines_of(R"({"metadata":{"name":"s"},"spec":{"clusterIP":"fd00::1",
                           "ports":[{"port":1}]}})"),
              ElementsAre("S_SERVICE_HOST=fd00::1", "S_SERVICE_PORT=1", "S_PORT=tcp://[fd00::1]:1",
                          "S_PORT_1_TCP=tcp://[fd00::1]:1", "S_PORT_1_TCP_PROTO=tcp",
                          "S_PORT_1_TCP_PORT=1", "S_PORT_1_TCP_ADDR=fd00::1"));
}

TEST(ServiceVariables, LeaveOutServicesWithoutAnAddress) {
  EXPECT_THAT(lines_of(R"({"metadata":{"name":"headless"},"spec":{"clusterIP":"None",
                           "ports":[{"port":1}]}},
                          {"metadata":{"name":"external"},"spec":{"externalName":"x.example"}},
                          {"metadata":{"name":"pending"},"spec":{"clusterIP":""}},
                          {"metadata":{"name":"nothing"}},
                          {}, {"metadata":null,"spec":null})"),
              ElementsAre());
}

TEST(ServiceVariables, GiveOnlyTheHostOfAServiceWithoutPorts) {
  EXPECT_THAT(lines_of(R"({"metadata":{"name":"s"},"spec":{"clusterIP":"10.0.0.1"}})"),
              ElementsAre("S_SERVICE_HOST=10.0.0.1"));
}

TEST(ServiceVariables, AreSortedByServiceAndWithoutRepeats) {
  // "a-b" and the port "b" of "a" claim different names, two services "a" the same ones.
  const auto all = lines_of(R"({"metadata":{"name":"b"},"spec":{"clusterIP":"10.0.0.2"}},
                               {"metadata":{"name":"a"},"spec":{"clusterIP":"10.0.0.1"}},
                               {"metadata":{"name":"a"},"spec":{"clusterIP":"10.0.0.3"}})");

  EXPECT_THAT(all, ElementsAre("A_SERVICE_HOST=10.0.0.3", "B_SERVICE_HOST=10.0.0.2"));
}

TEST(ServiceVariables, AreReadyForTheMaterial) {
  const auto services =
      parse_service(R"({"metadata":{"name":"s"},"spec":{"clusterIP":"10.0.0.1"}})");

  EXPECT_EQ(make_service_variables(*services).env_json,
            R"([{"name":"S_SERVICE_HOST","value":"10.0.0.1","service":true}])");
  EXPECT_EQ(make_service_variables({}).env_json, "[]");
}

TEST(ServiceVariables, RefuseDocumentsOfWrongShapeAndNameThePlace) {
  const struct {
    const char* item;
    const char* place;
  } cases[] = {
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[{"port":"http"}]}})",
       "ServiceList.items[0].spec.ports[0].port"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[{"port":1.5}]}})",
       "ports[0].port"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[{"port":0}]}})",
       "ports[0].port"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[{"port":65536}]}})",
       "ports[0].port"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[{"port":true}]}})",
       "ports[0].port"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":[7]}})", "ports[0]"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":"1.1.1.1","ports":{}}})", "spec.ports"},
      {R"({"metadata":{"name":"s"},"spec":{"clusterIP":[]}})", "spec.clusterIP"},
      {R"({"metadata":{"name":7},"spec":{}})", "metadata.name"},
      {R"("text")", "ServiceList.items[0]"},
  };
  for (const auto& broken : cases) {
    const auto services = parse_service_list(R"({"items":[)" + std::string(broken.item) + "]}");

    EXPECT_EQ(services.status().code(), StatusCode::InvalidArgument) << broken.item;
    EXPECT_THAT(services.status().message(), HasSubstr(broken.place));
  }
  EXPECT_FALSE(parse_service("").is_ok());
  EXPECT_FALSE(parse_service("[]").is_ok());
  EXPECT_FALSE(parse_service_list("{").is_ok());
  EXPECT_FALSE(parse_service_list(R"({"items":{}})").is_ok());
}

}  // namespace
}  // namespace vkhost::resolve
