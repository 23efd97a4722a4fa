#include "cli/exit_code.hpp"

#include <array>

namespace vkhost::cli {

std::span<const ExitCodeMeaning> exit_code_meanings() {
  static constexpr std::array<ExitCodeMeaning, 6> kMeanings = {{
      {ExitCode::Ok, "done; for `run`: stopped in good order"},
      {ExitCode::Failure,
       "it failed for another reason than those below; for `run`: not all had ended within "
       "`stop.timeout`, after a drain if one was asked for (after a second signal: 128 and its "
       "number)"},
      {ExitCode::Usage, "the command line is wrong"},
      {ExitCode::Configuration, "the configuration, or a plugin's settings in it, has errors"},
      {ExitCode::Plugin, "a plugin was not found, was refused, or cannot run here"},
      {ExitCode::Unreachable,
       "something outside cannot be had: no daemon runs, the API server or a "
       "port is not available"},
  }};
  return kMeanings;
}

ExitCode exit_code_of(const Status& status) {
  switch (status.code()) {
    case StatusCode::Ok:
      return ExitCode::Ok;
    case StatusCode::InvalidArgument:
      return status.reason() == "UnknownFlag" ? ExitCode::Usage : ExitCode::Configuration;
    case StatusCode::FailedPrecondition:
    case StatusCode::PermissionDenied:
    case StatusCode::NotFound:
      return ExitCode::Plugin;
    case StatusCode::Unavailable:
    case StatusCode::DeadlineExceeded:
    case StatusCode::Unauthenticated:
      return ExitCode::Unreachable;
    default:
      return ExitCode::Failure;
  }
}

}  // namespace vkhost::cli
