package main

import (
	"testing"

	"github.com/pausepoint/pausepoint/store/storetest"
)

func TestDoctorLooksAtRedis(t *testing.T) {
	r, err := storetest.StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Stop(); err != nil {
			t.Error(err)
		}
	})
	finds(t, "one that answers", checkRedis(t.Context(), r.URL()), "ok", "")
	if err := r.Kill(); err != nil {
		t.Fatal(err)
	}
	finds(t, "none", checkRedis(t.Context(), r.URL()), "missing", `look that it is there.*--redis .*keep something`)
	finds(t, "clips in a bucket", checkShared(common{Blobs: "s3://clips"}), "ok", "")
	finds(t, "clips in folders", checkShared(common{}), "note", "clips and recordings.*never removed.*name a bucket")
}
