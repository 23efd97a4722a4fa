#include "resolve/docker_config.hpp"

#include "base/base64.hpp"
#include "base/json_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vkhost::resolve {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using Lines = std::vector<std::string>;
using namespace std::string_literals;

// "SERVER USER:PASSWORD" of each credential with what else it has, "! PROBLEM" of each problem; or why
// there is nothing.
Lines lines_of(const std::string& text, DockerConfigForm form = DockerConfigForm::ConfigJson) {
  const auto config = parse_docker_config(text, form);
  if (!config) {
    return {config.status().to_string()};
  }
  Lines lines;
  for (const DockerCredential& each : config->credentials) {
    lines.push_back(
        each.server + " " + each.username.reveal() + ":" + each.password.reveal() +
        (each.email.empty() ? "" : " email=" + each.email) +
        (each.identity_token.empty() ? "" : " identity=" + each.identity_token.reveal()) +
        (each.registry_token.empty() ? "" : " registry=" + each.registry_token.reveal()));
  }
  for (const std::string& problem : config->problems) {
    lines.push_back("! " + problem);
  }
  return lines;
}

std::string auths(const std::string& entries) { return R"({"auths":{)" + entries + "}}"; }
// An entry of the server "r".
Lines entry(const std::string& members) { return lines_of(auths(R"("r":{)" + members + "}")); }
Lines auth(const std::string& decoded) {
  return entry(R"("auth":")" + base64_encode(decoded) + "\"");
}

// ---- What credentials look like

TEST(DockerConfig, HasUserAndPasswordInOne) {
  EXPECT_THAT(auth("me:sesame"), ElementsAre("r me:sesame"));
}

TEST(DockerConfig, HasUserAndPasswordApart) {
  EXPECT_THAT(entry(R"("username":"me","password":"se\"same","email":"me@example.org")"),
              ElementsAre("r me:se\"same email=me@example.org"));
}

TEST(DockerConfig, PrefersTheTwoInOne) {
  EXPECT_THAT(entry(R"("username":"you","password":"other","auth":"bWU6c2VzYW1l")"),
              ElementsAre("r me:sesame"));
}

TEST(DockerConfig, HasPasswordsWithColons) {
  EXPECT_THAT(auth("me:a:b:"), ElementsAre("r me:a:b:"));
}

TEST(DockerConfig, MayLackTheUserOrThePassword) {
  EXPECT_THAT(auth(":sesame"), ElementsAre("r :sesame"));
  EXPECT_THAT(auth("me:"), ElementsAre("r me:"));
}

TEST(DockerConfig, MayBePaddedWrappedOrNeither) {
  for (const char* text : {"bWU6c2VzYW0=", "bWU6c2VzYW0", "bWU6\\nc2VzYW0=\\n", " bWU6c2VzYW0"}) {
    EXPECT_THAT(entry(R"("auth":")" + std::string(text) + "\""), ElementsAre("r me:sesam")) << text;
  }
}

TEST(DockerConfig, HasTokensOfIdentitiesAndRegistries) {
  EXPECT_THAT(entry(R"("auth":"bWU6","identitytoken":"i.d")"), ElementsAre("r me: identity=i.d"));
  EXPECT_THAT(entry(R"("identitytoken":"i.d")"), ElementsAre("r : identity=i.d"));
  EXPECT_THAT(entry(R"("registrytoken":"r.t")"), ElementsAre("r : registry=r.t"));
}

TEST(DockerConfig, KeepsServersAsTheyAreWritten) {
  EXPECT_THAT(
      lines_of(
          auths(R"("https://index.docker.io/v1/":{"auth":"bWU6YQ=="},)"
                R"("*.example.org":{"auth":"bWU6Yg=="},"host:5000/team":{"auth":"bWU6Yw=="})")),
      ElementsAre("*.example.org me:b", "host:5000/team me:c", "https://index.docker.io/v1/ me:a"));
}

TEST(DockerConfig, MayHoldMoreThanIsKnown) {
  EXPECT_THAT(lines_of(R"({"HttpHeaders":{"User-Agent":"x"},"psFormat":1,"credsStore":"",
                           "credHelpers":{},"auths":{"r":{"auth":"bWU6YQ==","later":[1]}}})"),
              ElementsAre("r me:a"));
}

TEST(DockerConfig, ReadsTheOlderForm) {
  EXPECT_THAT(lines_of(R"({"r":{"auth":"bWU6YQ==","email":"e"},"s":{"username":"u"}})",
                       DockerConfigForm::Dockercfg),
              ElementsAre("r me:a email=e", "s u:"));
}

// ---- What is left out, and told

TEST(DockerConfig, RunsNoHelpers) {
  EXPECT_THAT(lines_of(R"({"credsStore":"desktop","auths":{"r":{}}})"),
              ElementsAre(AllOf(HasSubstr("credsStore"), HasSubstr("not run"))));
  EXPECT_THAT(lines_of(R"({"credHelpers":{"r":"ecr-login"},"auths":{"s":{"auth":"bWU6YQ=="}}})"),
              ElementsAre("s me:a", AllOf(HasSubstr("credHelpers"), HasSubstr("not run"))));
  EXPECT_THAT(lines_of(R"({"credsStore":"desktop"})"), ElementsAre(HasSubstr("credsStore")));
}

TEST(DockerConfig, KeepsWhatIsGoodBesideWhatIsNot) {
  EXPECT_THAT(
      lines_of(auths(R"("a":{"auth":"bWU6YQ=="},"b":{"auth":"?"},"c":7,"d":{},)"
                     R"("e":{"auth":"bWU6ZQ=="})")),
      ElementsAre("a me:a", "e me:e", "! the entry of b: auth is not base64",
                  "! the entry of c is not an object", "! the entry of d holds no credentials"));
}

TEST(DockerConfig, RefusesAnAuthWithoutAColon) {
  EXPECT_THAT(
      auth("sesame"),
      ElementsAre("! the entry of r: auth is not base64 of USER:PASSWORD: it has no colon"));
}

TEST(DockerConfig, RefusesAnAuthThatIsNotBase64) {
  for (const char* text : {"me:sesame", "bWU6c2VzYW1l=", "=", "b", "bWU6c2Vz*W1l", "bW=U6"}) {
    EXPECT_THAT(entry(R"("auth":")" + std::string(text) + "\""),
                ElementsAre("! the entry of r: auth is not base64"))
        << text;
  }
}

TEST(DockerConfig, RefusesWhatIsNoText) {
  const Lines refused{"! the entry of r: auth holds a NUL byte or is not UTF-8"};
  EXPECT_EQ(auth("me:ses\0ame"s), refused);
  EXPECT_EQ(auth("m\0e:sesame"s), refused);
  EXPECT_EQ(auth("me:\xFFsesame"), refused);
  for (const char* member : {"username", "password", "email", "identitytoken", "registrytoken"}) {
    const std::string named = member;
    EXPECT_THAT(entry("\"" + named + R"(":"a\u0000b")"), ElementsAre(HasSubstr("a NUL byte")));
    EXPECT_THAT(entry("\"" + named + R"(":"a\\u0000b")"), Each(Not(HasSubstr("NUL"))));
    EXPECT_THAT(entry("\"" + named + R"(":["a"])"),
                ElementsAre("! the entry of r: " + named + " is not a string"));
  }
}

TEST(DockerConfig, RefusesEntriesWithoutAServer) {
  EXPECT_THAT(lines_of(auths(R"("":{"auth":"bWU6YQ=="})")),
              ElementsAre("! an entry whose name is not shown names no server"));
  EXPECT_THAT(lines_of(auths(R"("a\u0000b":{"auth":"bWU6YQ=="})")),
              ElementsAre(HasSubstr("holds a NUL byte")));
}

TEST(DockerConfig, ShowsNoServerThatMayHoldAPassword) {
  for (const char* server : {"https://me:sesame@r.example", "r?token=sesame", "sesame sesame"}) {
    EXPECT_THAT(lines_of(auths("\"" + std::string(server) + R"(":{"auth":"?"})")),
                ElementsAre("! an entry whose name is not shown: auth is not base64"));
  }
  EXPECT_THAT(lines_of(auths("\"" + std::string(254, 'r') + R"(":{"auth":"?"})")),
              ElementsAre("! an entry whose name is not shown: auth is not base64"));
}

// ---- Hostile documents

TEST(DockerConfig, IsOfNoUseWhenItIsNoJsonOfItsForm) {
  for (const char* text :
       {"", "sesame", "[]", "null", "{", R"({"auths":["sesame"]})", R"({"auths":"sesame"})", "{}",
        R"({"auths":null})", R"({"r":{"auth":"bWU6c2VzYW1l"}})", "\xFF"}) {
    const auto config = parse_docker_config(text, DockerConfigForm::ConfigJson);
    EXPECT_EQ(config.status().code(), StatusCode::InvalidArgument) << text;
    EXPECT_THAT(config.status().message(), Not(HasSubstr("sesame")));
  }
}

TEST(DockerConfig, MayNotBeDeep) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) {
    deep += R"({"r":)";
  }

  for (const DockerConfigForm form : {DockerConfigForm::ConfigJson, DockerConfigForm::Dockercfg}) {
    EXPECT_EQ(parse_docker_config(deep, form).status().code(), StatusCode::InvalidArgument);
  }
}

TEST(DockerConfig, MayNotBeLargerThanASecret) {
  const std::string fill(std::size_t{1024} * 1024, 'x');

  EXPECT_THAT(lines_of(auths(R"("r":{"auth":"bWU6YQ==","password":")" + fill + "\"}")),
              ElementsAre(HasSubstr("larger than 1 MiB")));
}

TEST(DockerConfig, MayHaveManyEntries) {
  std::string entries;
  for (int i = 0; i < 20'000; ++i) {
    entries += (i == 0 ? "\"r" : ",\"r") + std::to_string(i) + R"(":{"auth":"bWU6YQ=="})";
  }

  EXPECT_THAT(lines_of(auths(entries)), SizeIs(20'000));
}

TEST(DockerConfig, HasNothingForNoEntries) { EXPECT_THAT(lines_of(auths("")), IsEmpty()); }

}  // namespace
}  // namespace vkhost::resolve
