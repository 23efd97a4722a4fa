#include "plugin/library.hpp"

#include "support/plugin_files.hpp"
#include "support/recording_listener.hpp"
#include "support/recording_log_sink.hpp"

#include <gmock/gmock.h>

#include <stdlib.h>

#include <optional>
#include <string>

namespace vkhost::plugin {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class LibraryTest : public ::testing::Test {
 protected:
  Result<Library*> load(std::string_view fixture) {
    return loader_->load({files_.fixture(fixture), "", Trust::AnyPath});
  }

  vkhost::testing::PluginFiles files_;
  SystemClock clock_;
  std::shared_ptr<vkhost::testing::RecordingLogSink> log_ =
      std::make_shared<vkhost::testing::RecordingLogSink>();
  vkhost::testing::RecordingListener listener_;
  std::optional<Loader> loader_{std::in_place, LoaderSettings{}, clock_, observe::Logger(log_)};
};

TEST_F(LibraryTest, LoadsDescribesAndInitialises) {
  const Result<Library*> library = load("minimal");

  ASSERT_TRUE(library.is_ok()) << library.status().message();
  EXPECT_EQ((*library)->description().name, "minimal");
  EXPECT_THAT((*library)->sha256(), SizeIs(64));
  EXPECT_FALSE((*library)->supports("vkp.logs/1"));
  EXPECT_THAT(log_->lines(), Contains(AllOf(HasSubstr("plugin loaded provider=minimal"),
                                            HasSubstr("version=1.0.0"))));
}

TEST_F(LibraryTest, RefusesEachDefectWithFileReasonAndAdvice) {
  struct Case {
    const char* fixture;
    const char* sentence;
  };
  for (const Case& at :
       {Case{"older_minor", "install the plugin that belongs to this vkhost"},
        Case{"newer_minor", "install the plugin that belongs to this vkhost"},
        Case{"wrong_major", "is built for provider ABI 1.1"},
        Case{"wrong_magic", "build it with <vkhost/provider.h>"},
        Case{"short_table", "set size to sizeof(vkp_plugin_table)"}, Case{"long_table", "claims"},
        Case{"no_symbol", "exports no table vkp_plugin"},
        Case{"relocated_head", "define them as constants"},
        Case{"null_function", "lacks functions that every plugin needs: ping, list_pods"},
        Case{"missing_library", "undefined symbol: vkhost_fixture_function_that_is_not_there"},
        Case{"bad_description", "describe: member name must be"},
        Case{"no_description", "describe returned OK without its result"},
        Case{"bad_schema", "/properties/region/format"},
        Case{"fails_init", "load the turbo driver"}}) {
    const fs::path path = files_.fixture(at.fixture);
    const Status status = loader_->load({path, "", Trust::AnyPath}).status();
    EXPECT_FALSE(status.is_ok()) << at.fixture;
    EXPECT_THAT(status.message(),
                AllOf(HasSubstr("plugin " + path.string()), HasSubstr(at.sentence)))
        << at.fixture;
  }
}

TEST_F(LibraryTest, RunsNoCodeOfALibraryThatItRefuses) {
  const fs::path trace = files_.folder() / "trace";
  setenv("VKHOST_FIXTURE_TRACE", trace.c_str(), 1);

  EXPECT_FALSE(load("constructor_leaves_trace").is_ok());
  EXPECT_FALSE(fs::exists(trace)) << "a constructor has run";

  // The counterpart, so that the absence above says something.
  EXPECT_TRUE(load("constructor_runs").is_ok());
  EXPECT_TRUE(fs::exists(trace));
  unsetenv("VKHOST_FIXTURE_TRACE");
}

TEST_F(LibraryTest, RefusesATruncatedFile) {
  const fs::path path = files_.fixture("minimal");
  fs::resize_file(path, fs::file_size(path) / 2);

  EXPECT_THAT(loader_->load({path, "", Trust::AnyPath}).status().message(),
              HasSubstr("it is truncated"));
}

TEST_F(LibraryTest, RefusesAFileThatOthersMayWriteOrThatIsNotThePinnedOne) {
  const fs::path path = files_.fixture("minimal");
  EXPECT_EQ(loader_->load({path, std::string(64, '0'), Trust::AnyPath}).status().code(),
            StatusCode::FailedPrecondition);

  fs::permissions(path, fs::perms::all);

  EXPECT_EQ(loader_->load({path, "", Trust::Checked}).status().code(),
            StatusCode::PermissionDenied);
}

TEST_F(LibraryTest, LoadsAFileOnce) {
  const fs::path path = files_.fixture("minimal");
  const Result<Library*> first = loader_->load({path, "", Trust::AnyPath});
  const fs::path link = files_.folder() / "link.so";
  fs::create_symlink(path, link);

  const Result<Library*> second = loader_->load({link, "", Trust::AnyPath});

  ASSERT_TRUE(second.is_ok());
  EXPECT_EQ(*first, *second);
}

TEST_F(LibraryTest, GivesTheSameRefusalAgain) {
  const fs::path path = files_.fixture("fails_init");
  const Status first = loader_->load({path, "", Trust::AnyPath}).status();

  EXPECT_EQ(loader_->load({path, "", Trust::AnyPath}).status().message(), first.message());
}

TEST_F(LibraryTest, IsNotUsedAgainAfterItsShutdown) {
  const fs::path path = files_.fixture("minimal");
  ASSERT_TRUE(loader_->load({path, "", Trust::AnyPath}).is_ok());
  loader_.emplace(LoaderSettings{}, clock_, observe::Logger(log_));

  EXPECT_THAT(loader_->load({path, "", Trust::AnyPath}).status().message(),
              HasSubstr("a library is loaded only once"));
}

TEST_F(LibraryTest, ReportsProblemsOfTheSettings) {
  Library& library = **load("minimal");

  EXPECT_THAT(*library.check_config("{}", {}), IsEmpty());
  const auto problems = *library.check_config(R"({"motto": ""})", {});

  ASSERT_THAT(problems, SizeIs(1));
  EXPECT_TRUE(problems[0].is_warning);
  EXPECT_EQ(problems[0].pointer, "/motto");
}

TEST_F(LibraryTest, MakesInstancesSideBySide) {
  Library& library = **load("minimal");
  auto first = library.create({"{}", "{}"}, listener_, {});
  auto second = library.create({"{}", "{}"}, listener_, {});
  ASSERT_TRUE(first.is_ok() && second.is_ok());
  ASSERT_TRUE((*first)->start({"a", "owner-a"}, {}).is_ok());
  ASSERT_TRUE((*second)->start({"b", "owner-b"}, {}).is_ok());

  const PodRef ref{"default", "web", "uid-1", ""};
  EXPECT_TRUE((*first)->create_pod({ref, "{}", "{}", CreateReason::First}, {}).status.is_ok());

  EXPECT_THAT((*first)->list_pods({}, {})->pods, SizeIs(1));
  EXPECT_THAT((*second)->list_pods({}, {})->pods, IsEmpty());
}

TEST_F(LibraryTest, RefusesAnInstanceByTheFileAndThePluginsWords) {
  const Status status =
      (*load("needs_missing_host_extension"))->create({"{}", "{}"}, listener_, {}).status();

  EXPECT_EQ(status.code(), StatusCode::FailedPrecondition);
  EXPECT_THAT(status.message(), AllOf(HasSubstr("vkhost-needs_missing_host_extension.so"),
                                      HasSubstr("com.example.turbo/1")));
  EXPECT_EQ((*load("no_instance"))->create({"{}", "{}"}, listener_, {}).status().reason(),
            "PluginEmptyResult");
  EXPECT_FALSE((*load("minimal"))->create({"[]", "{}"}, listener_, {}).is_ok());
}

TEST_F(LibraryTest, DoesNotShutAPluginDownThatIsStillUsed) {
  auto provider = (*load("minimal"))->create({"{}", "{}"}, listener_, {});
  ASSERT_TRUE(provider.is_ok());
  static const Provider* const forgotten =
      provider->release();  // by its owner; the process ends soon
  ASSERT_NE(forgotten, nullptr);

  loader_.reset();

  EXPECT_THAT(log_->lines(), Contains(HasSubstr("a plugin is not shut down")));
}

}  // namespace
}  // namespace vkhost::plugin
