//go:build tools

// Keeps etcd in go.mod and go.sum. A module of its own: its requirements need not agree with those
// of Kubernetes.
package tools

import _ "go.etcd.io/etcd/server/v3"
