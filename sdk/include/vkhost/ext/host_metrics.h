/* vkp.host.metrics/1 (draft): metrics of the plugin in the host's exposition, registered once per
 * library under the prefixes named in describe, names kept as given. The library's identity and
 * each instance have values of their own; the exposition shows their sum. The gauges of an instance
 * count until it has stopped, then its functions answer CANCELLED. A library may have 100 metrics;
 * the name of a counter ends in "_total". */
#include <vkhost/provider.h> /* outside the guard: it includes this header in its turn */

#ifndef VKHOST_EXT_HOST_METRICS_H
#define VKHOST_EXT_HOST_METRICS_H

#ifdef __cplusplus
extern "C" {
#endif

#define VKP_EXT_HOST_METRICS "vkp.host.metrics/1"

/* Unknown value: refused. */
enum { VKP_METRIC_COUNTER = 0, VKP_METRIC_GAUGE = 1, VKP_METRIC_HISTOGRAM = 2 };

typedef struct vkp_metric {
  uint64_t size;
  vkp_str name;       /* at most 128 bytes */
  vkp_str help;       /* a sentence; cut after 1024 bytes */
  size_t label_count; /* at most 8 */
  const vkp_str* labels;
  size_t bucket_count; /* histogram: upper bounds, ascending, without +Inf; at most 64 */
  const double* buckets;
  int32_t kind; /* VKP_METRIC_... */
  int32_t reserved;
} vkp_metric;

typedef struct vkp_host_metrics {
  uint64_t size;

  /* Registering the same metric again yields the same id. One without labels is shown from then on.
   * Thread:  [any-thread]
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; INVALID_ARGUMENT (name, prefix, labels, buckets); ALREADY_EXISTS (with another
   *          shape, or its samples would be mistaken for those of another metric);
   *          RESOURCE_EXHAUSTED */
  vkp_code (*register_metric)(const vkp_host* host, const vkp_metric* metric, uint64_t* id);

  /* Counter: adds `value` (not negative). Gauge: sets it. Histogram: observes it. It is finite. Label
   * values in the order of the labels, at most 256 bytes each, without control characters; beyond
   * 1000 combinations they are counted under one named "overflow". Never the name of a pod.
   * Thread:  [any-thread] [no-block]
   * Blocks:  no
   * Memory:  copies
   * Returns: OK; NOT_FOUND (id); INVALID_ARGUMENT (value or number of labels) */
  vkp_code (*record)(const vkp_host* host,
                     uint64_t id,
                     const vkp_str* label_values,
                     size_t label_count,
                     double value);
} vkp_host_metrics;

#ifdef __cplusplus
}
#endif

#endif /* VKHOST_EXT_HOST_METRICS_H */
