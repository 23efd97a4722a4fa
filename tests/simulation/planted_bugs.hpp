// The bugs that can be planted into the engine of the simulation, to see that it finds them. They
// hold for the calling thread.
#pragma once

#include <array>
#include <string_view>

namespace vkhost::planted {

enum class Bug {
  None,
  TombstoneIgnored,
  OrphanUidIgnored,
  NamesakeIgnored,
  StalePushWins,
  ListBeforeCreateCounts,
  IncompleteListProvesAbsence,
  NoAnswerMeansAbsent,
  NeverPodRunAgain,
  FailedDeleteForgotten,
  StatusWriteLostOnFailure,
  EarlyGoneDropped,
  DirtyWhileWorkingDropped,
  LegacyDeleted,
  EchoHidesForeignWrite,
  SlotNotGivenBack,
  CreateAttemptForgotten,
  HandleWriteForgotten,
  EvictionNotMarked,
};

struct NamedBug {
  Bug bug;
  std::string_view name;
};

inline constexpr std::array kBugs = {
    NamedBug{Bug::TombstoneIgnored, "TombstoneIgnored"},
    NamedBug{Bug::OrphanUidIgnored, "OrphanUidIgnored"},
    NamedBug{Bug::NamesakeIgnored, "NamesakeIgnored"},
    NamedBug{Bug::StalePushWins, "StalePushWins"},
    NamedBug{Bug::ListBeforeCreateCounts, "ListBeforeCreateCounts"},
    NamedBug{Bug::IncompleteListProvesAbsence, "IncompleteListProvesAbsence"},
    NamedBug{Bug::NoAnswerMeansAbsent, "NoAnswerMeansAbsent"},
    NamedBug{Bug::NeverPodRunAgain, "NeverPodRunAgain"},
    NamedBug{Bug::FailedDeleteForgotten, "FailedDeleteForgotten"},
    NamedBug{Bug::StatusWriteLostOnFailure, "StatusWriteLostOnFailure"},
    NamedBug{Bug::EarlyGoneDropped, "EarlyGoneDropped"},
    NamedBug{Bug::DirtyWhileWorkingDropped, "DirtyWhileWorkingDropped"},
    NamedBug{Bug::LegacyDeleted, "LegacyDeleted"},
    NamedBug{Bug::EchoHidesForeignWrite, "EchoHidesForeignWrite"},
    NamedBug{Bug::SlotNotGivenBack, "SlotNotGivenBack"},
    NamedBug{Bug::CreateAttemptForgotten, "CreateAttemptForgotten"},
    NamedBug{Bug::HandleWriteForgotten, "HandleWriteForgotten"},
    NamedBug{Bug::EvictionNotMarked, "EvictionNotMarked"},
};

void plant(Bug bug) noexcept;  // in this thread, in place of the one before
[[nodiscard]] bool is_planted(Bug bug) noexcept;

}  // namespace vkhost::planted

#define VKHOST_PLANTED(name) ::vkhost::planted::is_planted(::vkhost::planted::Bug::name)
