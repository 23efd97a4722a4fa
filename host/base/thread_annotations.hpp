// Clang's thread-safety attributes under our own names; they vanish under other compilers.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
#pragma once

#if defined(__clang__)
#define VKHOST_ANNOTATION(x) __attribute__((x))
#else
#define VKHOST_ANNOTATION(x)
#endif

#define VKHOST_CAPABILITY(x) VKHOST_ANNOTATION(capability(x))
#define VKHOST_SCOPED_CAPABILITY VKHOST_ANNOTATION(scoped_lockable)
#define VKHOST_GUARDED_BY(x) VKHOST_ANNOTATION(guarded_by(x))
#define VKHOST_PT_GUARDED_BY(x) VKHOST_ANNOTATION(pt_guarded_by(x))
#define VKHOST_REQUIRES(...) VKHOST_ANNOTATION(requires_capability(__VA_ARGS__))
#define VKHOST_EXCLUDES(...) VKHOST_ANNOTATION(locks_excluded(__VA_ARGS__))
#define VKHOST_ACQUIRE(...) VKHOST_ANNOTATION(acquire_capability(__VA_ARGS__))
#define VKHOST_RELEASE(...) VKHOST_ANNOTATION(release_capability(__VA_ARGS__))
#define VKHOST_TRY_ACQUIRE(...) VKHOST_ANNOTATION(try_acquire_capability(__VA_ARGS__))
#define VKHOST_NO_THREAD_SAFETY_ANALYSIS VKHOST_ANNOTATION(no_thread_safety_analysis)
