// update_pod: what of a pod is told to the provider again, what its answers mean, and what is kept of
// them for the next process (the annotation vkhost.io/told).
#include "base/failure_point.hpp"
#include "pods/engine.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace vkhost::pods {
namespace {

// The answers to one update, by outcome.
struct Answered {
  std::uint64_t applied = 0;
  std::uint64_t deferred = 0;
  std::uint64_t refused = 0;
  std::string refusal;         // the texts of what was refused
  std::string resize_text;     // what was said of resources
  std::string ephemeral_text;  // ... and of ephemeral containers, if refused
  std::string deferral;
};

void add_text(std::string& to, const std::string& text) {
  if (!text.empty() && to.find(text) == std::string::npos) {
    to += (to.empty() ? "" : "; ") + text;
  }
}

// A bit has one answer, a later one replaces it; without any it is unsupported.
Answered sort_answers(std::uint64_t asked, const std::vector<plugin::UpdateAnswer>& answers) {
  Answered all;
  std::uint64_t open = asked;
  for (auto answer = answers.rbegin(); answer != answers.rend(); ++answer) {
    const std::uint64_t bits = answer->changed & open;
    open &= ~bits;
    if (bits == 0) {
      continue;
    }
    if ((bits & plugin::kChangedResources) != 0) {
      all.resize_text = answer->text;
    }
    switch (answer->outcome) {
      case plugin::UpdateOutcome::Applied:
      case plugin::UpdateOutcome::AppliedByRestart:
        all.applied |= bits;
        break;
      case plugin::UpdateOutcome::Deferred:
        all.deferred |= bits;
        add_text(all.deferral, answer->text);
        break;
      case plugin::UpdateOutcome::Infeasible:
      case plugin::UpdateOutcome::Unsupported:
        all.refused |= bits;
        add_text(all.refusal, answer->text);
        if ((bits & plugin::kChangedEphemeralContainers) != 0) {
          all.ephemeral_text = answer->text;
        }
        break;
    }
  }
  all.refused |= open;
  return all;
}

const std::string& text_or(const std::string& text, const std::string& fallback) {
  return text.empty() ? fallback : text;
}

}  // namespace

// ---- What is to be told

// What an earlier process has told is known by the annotation; where there is none, everything is told
// once more. Material may have changed while nobody looked, and the provider's conditions too.
void PodEngine::restore_told(const kube::PodRecord& pod, PodState& state) {
  state.told.restore(pod, parts_.provider->capabilities().updates);
  const std::string text = state.told.text(parts_.provider->capabilities().updates, pod.generation);
  state.written_told = std::hash<std::string>()(text);
  if (text.empty()) {
    const bool has_one = pod.raw.find(kube::kToldAnnotation) != std::string::npos;
    state.written_told = has_one ? 1 : 0;  // to be replaced
  }
  state.observed_generation = state.told.known() == 0 ? 0 : pod.generation;
  state.changed_material = kMaterialParts;
  state.quiet_material = kMaterialParts;
  state.written_conditions = provider_conditions(pod.status_json(), settings_->annotation_prefixes);
  state.quiet_until = tokens_wanted_from();
}

// Each pod of an earlier process asks the API server for tokens of its own, for nobody knows which it has.
// They come one after the other, and after what the start itself asks for; a token that was renewed in time
// has more time left than that.
SteadyTime PodEngine::tokens_wanted_from() const {
  constexpr std::chrono::seconds kAfterTheStart{10};
  constexpr std::chrono::duration<double> kSpread{50};
  const plugin::Capabilities& capabilities = parts_.provider->capabilities();
  if (!capabilities.uses_tokens || (capabilities.updates & plugin::kChangedTokens) == 0) {
    return {};
  }
  return parts_.clock->steady_now() + kAfterTheStart +
         std::chrono::duration_cast<std::chrono::milliseconds>(kSpread * parts_.random->next());
}

void PodEngine::note_wanted(const kube::PodRecord* before, PodState& state) {
  if (before != nullptr && before->parts == state.pod->parts &&
      before->metadata_hash == state.pod->metadata_hash) {
    return;
  }
  const std::uint64_t changed =
      before == nullptr ? 0 : changed_parts(before->parts, state.pod->parts);
  state.told.note_wanted(state.parts());
  state.deferred &= ~changed;
  if (before != nullptr && before->metadata_hash != state.pod->metadata_hash) {
    state.deferred &= ~plugin::kChangedMetadata;
  }
  if ((changed & plugin::kChangedResources) != 0) {
    state.resize.reset();
  }
  if ((changed & plugin::kChangedEphemeralContainers) != 0) {
    state.ephemeral_refusal.reset();
  }
}

// What the provider's capabilities rule out is turned down without asking it.
void PodEngine::refuse_unsupported(const std::string& uid, PodState& state, Reports* reports) {
  const plugin::Capabilities& capabilities = parts_.provider->capabilities();
  if (state.backend != Backend::Present || state.call != CallKind::None || state.is_ending() ||
      state.order || state.pod->is_terminal() || state.observed_final || state.end_sent) {
    return;
  }
  // Labels mean nothing to most back ends; a deadline is the host's unless the provider keeps it.
  const std::uint64_t reported =
      kSpecParts & ~(capabilities.native_deadline ? std::uint64_t{0} : plugin::kChangedDeadline);
  const std::uint64_t refused =
      state.told.changed(state.parts()) & reported & ~capabilities.updates & state.told.known();
  if (refused == 0) {
    return;
  }
  state.told.refuse(refused, state.parts());
  const std::string text = refusal_of_parts(refused);
  note_refused_parts(state, refused, state.pod->generation, text, text);
  note_told(uid, state);
  queue_status(uid, state);
  reports->push_back({state.pod, EventType::Warning, "ProviderUpdateRefused", text});
}

void PodEngine::note_refused_parts(PodState& state,
                                   std::uint64_t parts,
                                   std::int64_t generation,
                                   const std::string& resize_text,
                                   const std::string& ephemeral_text) {
  if ((parts & plugin::kChangedResources) != 0) {
    state.resize = std::make_shared<const ResizeAnswer>(
        ResizeAnswer{ResizeOutcome::Infeasible, resize_text, generation});
  }
  if ((parts & plugin::kChangedEphemeralContainers) != 0) {
    state.ephemeral_refusal = std::make_shared<const std::string>(ephemeral_text);
  }
}

// ---- The call

void PodEngine::update(Job& job) {
  const auto material =
      parts_.material->material(*job.pod, job.action.changed, job.cancel->token());
  if (!material.is_ok() || job.cancel->is_cancelled()) {
    update_not_ready(job, material.is_ok() ? cancelled("the pod was deleted") : material.status());
    return;
  }
  const MaterialMarks marks = marks_of(*material);
  if (!begin_update(job, marks)) {
    return;
  }
  VKHOST_FAILURE_POINT(BeforeUpdateCall);
  note_call(job, CallKind::Update);
  auto updated = parts_.provider->update_pod({job.ref, job.pod->raw, *material, job.action.changed},
                                             call_options(job.cancel->token()));
  VKHOST_FAILURE_POINT(AfterUpdateCall);
  const Status status = updated.status();
  finish_update(job, status, marks,
                status.is_ok() ? std::move(*updated) : std::vector<plugin::UpdateAnswer>());
}

void PodEngine::finish_update(const Job& job,
                              const Status& status,
                              const MaterialMarks& marks,
                              const std::vector<plugin::UpdateAnswer>& answers) {
  Reports reports;
  {
    const MutexLock lock(mutex_);
    end_call(job, status);
    if (status.is_ok()) {
      take_answers(job, marks, answers, &reports);
    } else {
      update_broke_off(job, status, &reports);
    }
    PodState& state = *job.state;
    if (status.is_ok() || status.retry() == Retry::Never) {
      state.observed_generation = job.pod->generation;
    }
    note_told(job.uid, state);
    if ((job.action.changed & kSpecParts) != 0 && state.has_news_to_compare() &&
        !state.removed_from_api) {
      queue_status(job.uid, state);
    }
  }
  tell(reports);
  announce_fault();
}

void PodEngine::take_answers(const Job& job,
                             const MaterialMarks& marks,
                             const std::vector<plugin::UpdateAnswer>& answers,
                             Reports* reports) {
  PodState& state = *job.state;
  const PodParts parts{job.pod->parts, job.metadata_hash};
  const Answered answered = sort_answers(job.action.changed, answers);
  const std::uint64_t known =
      state.told.known() | (kMaterialParts & ~std::exchange(state.quiet_material, 0));
  const std::uint64_t refused_before = state.told.refused(parts) | state.refused_material;

  note_accepted(state, CallKind::Update);
  show_recovery(job.uid, state);
  state.told_bits = answered.applied;
  state.told_material.take(marks, answered.applied | answered.refused);
  state.refused_material &= ~answered.applied;
  state.refused_material |= answered.refused & kMaterialParts;
  state.warned_of = 0;
  state.told.accept(answered.applied, parts);
  state.told.refuse(answered.refused, parts);
  state.deferred &= ~job.action.changed;
  note_deferred(state, answered.deferred, answered.deferral);

  const std::uint64_t news = answered.refused & known & ~refused_before;
  const std::string refusal = text_or(answered.refusal, refusal_of_parts(answered.refused));
  note_refused_parts(state, answered.refused, job.pod->generation,
                     text_or(answered.resize_text, refusal),
                     text_or(answered.ephemeral_text, refusal));
  const bool is_resized = (known & answered.applied & plugin::kChangedResources) != 0;
  if (is_resized || (answered.deferred & plugin::kChangedResources) != 0) {
    state.resize = std::make_shared<const ResizeAnswer>(
        ResizeAnswer{is_resized ? ResizeOutcome::Accepted : ResizeOutcome::Deferred,
                     is_resized ? std::string() : answered.resize_text, job.pod->generation});
  }
  if (news != 0) {
    reports->push_back({job.pod, EventType::Warning, "ProviderUpdateRefused", refusal});
  }
  // Files and tokens change all the time, and users did not ask for it.
  if ((answered.applied & known & kPodParts) != 0) {
    reports->push_back({job.pod, EventType::Normal, "ProviderUpdateSuccess",
                        "Update pod in provider successfully"});
  }
  take_early_news(job.uid, state, reports);
}

// Only what was deferred is told again; what changes meanwhile does not wait for it.
void PodEngine::note_deferred(PodState& state, std::uint64_t deferred, const std::string& why) {
  state.deferred |= deferred;
  if (state.deferred == 0) {
    state.deferrals = 0;
  }
  if (deferred == 0) {
    return;
  }
  state.changed_material |= deferred & kMaterialParts;
  const auto delay = backoff_delay(settings_->backoff, ++state.deferrals, *parts_.random);
  state.deferred_until = parts_.clock->steady_now() + delay;
  state.next_try_wall = parts_.clock->wall_now() + delay;
  state.last_error =
      unavailable("the provider deferred the update" + (why.empty() ? why : ": " + why));
}

void PodEngine::update_broke_off(const Job& job, const Status& status, Reports* reports) {
  PodState& state = *job.state;
  const PodParts parts{job.pod->parts, job.metadata_hash};
  const bool is_final = status.retry() == Retry::Never;
  if (is_final) {
    state.told.refuse(job.action.changed, parts);
    note_refused_parts(state, job.action.changed, job.pod->generation, status.message(),
                       status.message());
  } else {
    state.changed_material |= job.action.changed & kMaterialParts;
  }
  if (state.is_ending() || state.order || stop_.is_cancelled()) {
    return;  // the end of the pod waits for nothing that went wrong before
  }
  if (status.code() == StatusCode::NotFound) {
    state.backend = Backend::Unknown;  // ask before anything is concluded
  } else if (!is_final && status.scope() == Scope::Pod &&
             (job.action.changed & plugin::kChangedResources) != 0 &&
             (state.told.known() & plugin::kChangedResources) != 0) {
    state.resize = std::make_shared<const ResizeAnswer>(
        ResizeAnswer{ResizeOutcome::Failed, status.message(), job.pod->generation});
  }
  update_failed(job.uid, state, status, job.action.changed, reports);
  take_early_news(job.uid, state, reports);
}

void PodEngine::update_failed(const std::string& uid,
                              PodState& state,
                              const Status& status,
                              std::uint64_t parts,
                              Reports* reports) {
  if (status.scope() == Scope::Provider) {
    note_retry(status);
    state.last_error = status;
    return;
  }
  note_failure(state, status);
  // Of a part that was turned down; what else changes is told all the same.
  const std::string outlook =
      status.retry() == Retry::Never ? "not tried again before the pod changes" : outlook_of(state);
  const std::size_t failure =
      std::hash<std::string>()(status.reason()) + static_cast<std::size_t>(status.code());
  const bool is_repeat = std::exchange(state.warned_of, failure) == failure;
  if ((parts & kPodParts) != 0 || !is_repeat) {
    reports->push_back(
        {state.pod, EventType::Warning, "ProviderUpdateFailed", status.message(), "; " + outlook});
  }
  show_trouble(uid, state, status, outlook);
}

// The work of an update that was accepted has failed.
void PodEngine::update_work_failed(const std::string& uid,
                                   PodState& state,
                                   const Status& error,
                                   Reports* reports) {
  const std::uint64_t failed = std::exchange(state.told_bits, 0);
  const bool is_current = (state.told.changed(state.parts()) & failed) == 0;
  const bool is_final = error.retry() == Retry::Never;
  state.told.forget(failed & kPodParts);
  state.told_material.forget(failed);
  if (is_final && is_current) {
    state.told.refuse(failed, state.parts());
    note_refused_parts(state, failed, state.observed_generation, error.message(), error.message());
  } else if (!is_final) {
    state.changed_material |= failed & kMaterialParts;
    if ((failed & plugin::kChangedResources) != 0 && state.resize) {
      state.resize = std::make_shared<const ResizeAnswer>(
          ResizeAnswer{ResizeOutcome::Failed, error.message(), state.observed_generation});
    }
  }
  note_told(uid, state);
  if ((failed & kSpecParts) != 0 && state.has_news_to_compare() && !state.removed_from_api) {
    queue_status(uid, state);
  }
  update_failed(uid, state, error, failed, reports);
}

// ---- What the next process has to know

// It travels with the next status, or on its own if there is none soon.
void PodEngine::note_told(const std::string& uid, PodState& state) {
  const std::string text =
      state.told.text(parts_.provider->capabilities().updates, state.observed_generation);
  const std::size_t hash = text.empty() ? 0 : std::hash<std::string>()(text);
  if (hash == state.written_told || state.removed_from_api) {
    return;
  }
  mark_own_dirty(uid, state);
}

// Of the newest spec that the provider has answered for, or that has nothing to tell it; 0: not known.
std::int64_t PodEngine::generation_to_show(const std::string& uid, PodState& state) {
  const std::uint64_t open = state.told.changed(state.parts()) & kSpecParts & ~state.deferred &
                             parts_.provider->capabilities().updates;
  if (state.backend != Backend::Present) {
    return state.pod->generation;
  }
  if (open == 0 && state.observed_generation != state.pod->generation) {
    state.observed_generation = state.pod->generation;
    note_told(uid, state);
  }
  return state.observed_generation;
}

}  // namespace vkhost::pods
